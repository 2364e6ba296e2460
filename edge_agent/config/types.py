"""Types and instances: three hundred like machines are one type and one row each.

A machine with a type becomes an ordinary machine before anything else reads it: the type's heartbeat, tags
and signals with its parameters filled in, its own entries on top. Each part keeps the place where it was
written, so that mistakes in a type are told in the type, and mistakes in a row in the row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from collections.abc import Mapping as Words
from dataclasses import dataclass, field, replace

from edge_agent.config.devices import signals_of
from edge_agent.config.document import Mapping, Scalar, Sequence, Tree
from edge_agent.config.faults import Faults, closest, did_you_mean
from edge_agent.config.kinds import to_integer, to_number
from edge_agent.config.model import Place
from edge_agent.config.sheet import read_sheet
from edge_agent.config.substitution import World, fill

KINDS = ("integer", "number", "text", "file")
_OWN = ("machine", "line", "source", "unit")
_MERGED = ("tags", "signals")


@dataclass(frozen=True, slots=True)
class Type:
    """parameters: name to kind. parts: alive, tags and signals, not yet filled in.

    unsure: parts or parameters of it could not be read; what is missing may stand there.
    """

    name: str
    place: Place
    parameters: dict[str, str]
    parts: dict[str, tuple[Scalar, Tree]]
    unsure: bool = False


@dataclass(slots=True)
class Types:
    """All types of a config, and which of them were used. unsure: there are types that could not be read."""

    known: dict[str, Type]
    world: World
    faults: Faults
    used: set[str] = field(default_factory=set)
    unsure: bool = False

    def expanded(self, machines: Tree | None, instances: Tree | None) -> Mapping | None:
        """All machines, each without type and with; None where there is nothing to expand."""
        keys: dict[str, Scalar] = {}
        values: list[Tree] = []
        entries = list(machines.items()) if isinstance(machines, Mapping) else []
        for key, tree in [*entries, *self._rows(instances)]:
            if key.text in keys:
                first = keys[key.text].place
                message = f"machine '{key.text}' stands twice, first in {first.short}"
                self.faults.add(key.place, f"{message}; keep one of them")
                continue
            keys[key.text] = key
            values.append(self._machine(key, tree) if isinstance(tree, Mapping) else tree)
        if machines is not None and not isinstance(machines, Mapping):
            return None
        place = machines.place if machines is not None else Place("", 1, 1)
        return Mapping(place, tuple(keys.values()), tuple(values)) if keys else None

    def _rows(self, instances: Tree | None) -> list[tuple[Scalar, Tree]]:
        """One machine for each row of each sheet."""
        found: list[tuple[Scalar, Tree]] = []
        for entry in instances.items if isinstance(instances, Sequence) else ():
            if not isinstance(entry, Mapping):
                self.faults.add(entry.place, "an instance wants {type: NAME, csv: FILE}; write both")
                continue
            parts = {key.text: value for key, value in entry.items()}
            of, csv = parts.get("type"), parts.get("csv")
            if not isinstance(of, Scalar) or not isinstance(csv, Scalar) or len(parts) != 2:
                self.faults.add(entry.place, "an instance wants {type: NAME, csv: FILE}, no more; write both")
            elif not (of.broken or csv.broken) and (made := self._type(of)) is not None:
                columns = None if made.unsure else (*_OWN, *made.parameters)
                for row in read_sheet(self.world.folder, csv, self.faults, columns, ("machine",)):
                    found += self._row(of, row)
        return found

    def _row(self, of: Scalar, row: dict[str, Scalar]) -> list[tuple[Scalar, Tree]]:
        if "machine" not in row:
            place = next(iter(row.values())).place
            self.faults.add(place, "a row of instances has no machine; fill the column machine")
            return []
        key = row["machine"]
        own = [(name, row[name]) for name in _OWN[1:] if name in row]
        parameters = [(name, cell) for name, cell in row.items() if name not in _OWN]
        parts: list[tuple[str, Tree]] = [("type", of), *own, ("with", _mapping(key.place, parameters))]
        tree = _mapping(key.place, parts)
        return [(key, tree)]

    def _machine(self, key: Scalar, tree: Mapping) -> Tree:
        """The machine with its type's parts; the tree itself where it has no type."""
        parts = {name.text: (name, value) for name, value in tree.items()}
        if "type" not in parts:
            return self._equipped(tree.place, parts) if "device" in parts else tree
        named = parts.pop("type")[1]
        of = self._type(named)
        given = parts.pop("with")[1] if "with" in parts else None
        if of is None:
            return Scalar(tree.place, "", True, broken=True)
        filled_in = self._parameters(of, key, parts, given)
        world = replace(self.world, parameters=filled_in, sure=not of.unsure, origins=_origins(parts, given))
        for name, (scalar, part) in of.parts.items():
            filled = fill(part, world, self.faults)
            own = parts.get(name)
            if own is not None and name in _MERGED and isinstance(filled, Mapping):
                filled = _over(filled, own[1])
            elif own is not None:
                continue
            parts[name] = (own[0] if own is not None else scalar, filled)
        if of.unsure and not ("signals" in parts and "tags" in parts):
            return Scalar(tree.place, "", True, broken=True)
        return self._equipped(tree.place, parts)

    def _equipped(self, place: Place, parts: dict[str, tuple[Scalar, Tree]]) -> Tree:
        """The machine with the signals of its device under its own."""
        if "device" not in parts:
            return _of_parts(place, parts)
        key, named = parts.pop("device")
        signals = signals_of(named, self.faults)
        if signals is None:
            return Scalar(place, "", True, broken=True)
        own = parts.get("signals")
        name = own[0] if own is not None else replace(key, text="signals")
        parts["signals"] = (name, _over(signals, own[1]) if own is not None else signals)
        return _of_parts(place, parts)

    def _type(self, named: Tree) -> Type | None:
        text = named.text if isinstance(named, Scalar) else ""
        if text not in self.known:
            if not self.unsure or closest(text, self.known):
                message = f"type: '{text}' is not defined; {did_you_mean(text, self.known)}"
                self.faults.add_alike(f"type {text}", named.place, message)
            return None
        self.used.add(text)
        return self.known[text]

    def _parameters(
        self, of: Type, key: Scalar, parts: Words[str, tuple[Scalar, Tree]], given: Tree | None
    ) -> dict[str, float | str | None]:
        """The values of the parameters, and machine, line, source and unit by their names; None: told as
        missing.
        """
        found: dict[str, float | str | None] = {"machine": key.text}
        for name in _OWN[1:]:
            if name in parts and isinstance(own := parts[name][1], Scalar):
                found[name] = float(own.text) if own.text.isdigit() else own.text
        entries = dict(given.items()) if isinstance(given, Mapping) else {}
        for word, value in entries.items():
            if word.text not in of.parameters:
                message = f"type '{of.name}' has no parameter '{word.text}'"
                if not of.unsure or closest(word.text, of.parameters):
                    message = f"{message}; {did_you_mean(word.text, of.parameters)}"
                    self.faults.add_alike(f"parameter {of.name} {word.text}", word.place, message)
            elif not isinstance(value, Scalar):
                self.faults.add(
                    value.place, f"{word.text}: a parameter is one value; write a number or a text"
                )
                found[word.text] = None
            else:
                kind = of.parameters[word.text]
                found[word.text] = None if value.broken else self._value(kind, word.text, value)
        missing = [name for name in of.parameters if name not in {key.text for key in entries}]
        for name in missing:
            message = f"machine '{key.text}' gives no value to the parameter '{name}' of its type"
            message = f"{message}; add with: {{{name}: ...}} or the column {name}"
            self.faults.add_alike(f"no parameter {of.name} {name}", key.place, message)
            found[name] = None
        return found

    def _value(self, kind: str, name: str, scalar: Scalar) -> float | str | None:
        try:
            if kind == "integer":
                return float(to_integer(scalar))
            if kind == "number" or (kind == "any" and scalar.text.isdigit()):
                return float(to_number(scalar))
            if kind == "file" and not scalar.absent:
                return self._file(name, scalar)
        except ValueError as error:
            self.faults.add(scalar.place, f"{name}: {error}")
            return None
        return scalar.text

    def _file(self, name: str, scalar: Scalar) -> str | None:
        """The path, where there is such a file; told once for all machines that name it."""
        with contextlib.suppress(OSError):
            if (self.world.folder / scalar.text).is_file():
                return scalar.text
        message = f"{name}: there is no file {scalar.shown}; mend the path, or put the file there"
        self.faults.add_alike(f"file {scalar.text}", scalar.place, message)
        return None


def read_types(tree: Tree | None, world: World, faults: Faults, *, unsure: bool) -> Types:
    """The types of a config, as written; their parts are checked with each machine that uses them."""
    types: dict[str, Type] = {}
    if tree is not None and not (isinstance(tree, Mapping) and tree.keys):
        faults.add(tree.place, "'types' wants named entries, each 'name: {parameters: ..., signals: ...}'")
        return Types(types, world, faults, unsure=True)
    for key, body in tree.items() if tree is not None else ():
        if not (isinstance(body, Mapping) and body.keys):
            faults.add(
                body.place, f"type '{key.text}' wants a mapping with parameters, tags, signals; write one"
            )
            unsure = True
            continue
        parts = {name.text: (name, value) for name, value in body.items()}
        strange = not key.text.strip()
        if strange:
            faults.add(key.place, "a type has no name; write one, as machines name it")
            unsure = True
        for name in set(parts) - {"parameters", "alive", "device", *_MERGED}:
            known = ("parameters", "alive", "device", *_MERGED)
            message = f"unknown key '{name}' in type '{key.text}'; {did_you_mean(name, known)}"
            scalar, value = parts.pop(name)
            faults.add(scalar.place, message)
            near = closest(name, [each for each in known if each not in parts])
            strange |= near is None
            if near is not None:
                parts[near] = (replace(scalar, text=near), value)
        parameters = _declared(parts.pop("parameters", None), faults)
        strange |= parameters is None
        types[key.text] = Type(key.text, key.place, parameters or {}, parts, strange)
    return Types(types, world, faults, unsure=unsure)


def _declared(part: tuple[Scalar, Tree] | None, faults: Faults) -> dict[str, str] | None:
    """Name to kind of the parameters; None, with the mistake told, where not all of them are known."""
    if part is None:
        return {}
    if not (isinstance(part[1], Mapping) and part[1].keys):
        faults.add(
            part[1].place,
            "'parameters' wants names with their kinds, such as {base: integer}; write a mapping",
        )
        return None
    found = {}
    nameless = False
    for key, kind in part[1].items():
        text = kind.text if isinstance(kind, Scalar) else ""
        if text not in KINDS:
            faults.add(
                kind.place, f"parameter '{key.text}': '{text}' is no kind; {did_you_mean(text, KINDS)}"
            )
        if key.text in _OWN or not key.text.isidentifier():
            faults.add(key.place, f"parameter '{key.text}' cannot have this name; choose another word")
            nameless |= not key.text.strip()
        found[key.text] = text if text in KINDS else "any"
    return None if nameless else found


def _origins(parts: Words[str, tuple[Scalar, Tree]], given: Tree | None) -> dict[str, Place]:
    """Where the values of the parameters were written."""
    own = {name: parts[name][1].place for name in _OWN[1:] if name in parts}
    return own | {
        word.text: value.place for word, value in (given.items() if isinstance(given, Mapping) else ())
    }


def _over(base: Mapping, own: Tree) -> Mapping:
    """A machine's own entries on top of its type's."""
    if not isinstance(own, Mapping):
        return base
    merged = {key.text: (key, value) for key, value in base.items()}
    merged |= {key.text: (key, value) for key, value in own.items()}
    return _of_parts(base.place, merged)


def _of_parts(place: Place, parts: Words[str, tuple[Scalar, Tree]]) -> Mapping:
    return Mapping(place, tuple(key for key, _ in parts.values()), tuple(tree for _, tree in parts.values()))


def _mapping(place: Place, entries: Iterable[tuple[str, Tree]]) -> Mapping:
    keys = tuple(Scalar(tree.place, name, True) for name, tree in entries)
    return Mapping(place, keys, tuple(tree for _, tree in entries))
