"""Reading a mapping of a config by its table: every unknown, missing or unreadable field is told, the rest
goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from edge_agent.config.document import Mapping, Scalar, Sequence, Tree
from edge_agent.config.faults import Faults, closest, did_you_mean
from edge_agent.config.kinds import FILLED, Json, ScalarKind
from edge_agent.config.model import Place

INVALID: Any = object()
"""What reading gives for a value that was told as a mistake."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table. ``default`` is used where the key is absent; ``text`` is shown by editors."""

    name: str
    kind: Kind
    text: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Table:
    """The keys of one kind of mapping. ``title`` names it in messages; ``meant`` maps wrong keys to their
    mend.
    """

    title: str
    fields: tuple[Field, ...]
    meant: dict[str, str] = field(default_factory=dict)

    def schema(self) -> Json:
        return {
            "type": "object",
            "properties": {f.name: {**f.kind.schema(), "description": f.text} for f in self.fields},
            "required": [f.name for f in self.fields if f.required],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class ListOf:
    """A sequence of values; a single one may stand without brackets."""

    item: ScalarKind

    @property
    def wants(self) -> str:
        return f"a list, each item {self.item.wants}"

    def schema(self) -> Json:
        item = self.item.schema()
        return {"anyOf": [{"type": "array", "items": item}, item]}


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping of raw values to words."""

    words: tuple[str, ...] | None = None
    wants: str = "a map such as {0: idle, 1: running}"

    def schema(self) -> Json:
        return {"type": "object", "additionalProperties": {"type": ["string", "number"]}, "minProperties": 1}


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping of free names to sections."""

    table: Table | Choice
    wants: str = "named entries, each 'name: {...}'"

    def schema(self) -> Json:
        return {"type": "object", "additionalProperties": self.table.schema(), "minProperties": 1}


@dataclass(frozen=True, slots=True)
class Many:
    """A sequence of sections."""

    table: Table

    @property
    def wants(self) -> str:
        return f"a list of mappings with {', '.join(f.name for f in self.table.fields)}"

    def schema(self) -> Json:
        return {"type": "array", "items": self.table.schema(), "minItems": 1}


@dataclass(frozen=True, slots=True)
class Free:
    """Anything, read elsewhere before the tables are (types, with)."""

    json: Json

    def schema(self) -> Json:
        return self.json


@dataclass(frozen=True, slots=True)
class Choice:
    """A section whose table is told by its field ``by``."""

    by: str
    tables: dict[str, Table]
    title: str

    def schema(self) -> Json:
        return {
            "type": "object",
            "required": [self.by],
            "properties": {self.by: {"enum": list(self.tables)}},
            "allOf": [
                {
                    "if": {"required": [self.by], "properties": {self.by: {"const": name}}},
                    "then": table.schema(),
                }
                for name, table in self.tables.items()
            ],
        }


@dataclass(frozen=True, slots=True)
class Either:
    """A section, or one word in its place (``security: none``)."""

    word: str
    table: Table

    def schema(self) -> Json:
        return {"anyOf": [{"const": self.word}, FILLED, self.table.schema()]}


Kind = ScalarKind | ListOf | Pairs | Named | Table | Choice | Either | Many | Free


@dataclass(slots=True)
class Section:
    """What was read of one mapping. ``place``: where its name stands; broken fields were told as mistakes.

    unsure: it has a key that is none and resembles none: what seems to be missing may stand there.
    """

    table: Table
    place: Place
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    unsure: bool = False

    def get(self, name: str) -> Any:
        """The value, or the default of the table; None for a field that the table does not have."""
        if name in self.values:
            return self.values[name]
        return next((f.default for f in self.table.fields if f.name == name), None)

    def has(self, name: str) -> bool:
        """Written and readable."""
        return name in self.values

    def written(self, name: str) -> bool:
        """Written, readable or not."""
        return name in self.keys

    def at(self, name: str) -> Place:
        """Where the value stands; the section's own place where it is not written."""
        return self.places.get(name, self.place)

    @property
    def sound(self) -> bool:
        return not self.broken


def read(kind: Kind, tree: Tree, name: str, place: Place, faults: Faults) -> Any:
    """The value of a field, or INVALID with its mistakes told. ``place`` is where the field's key stands."""
    match kind:
        case ScalarKind():
            return _scalar(kind, tree, name, faults)
        case ListOf():
            return _list(kind, tree, name, faults)
        case Pairs():
            return _pairs(kind, tree, name, faults)
        case Table():
            return read_section(kind, tree, name, place, faults)
        case Named():
            return _named(kind, tree, name, faults)
        case Many():
            return _many(kind, tree, name, faults)
        case Free():
            return tree
        case Choice():
            return _choice(kind, tree, name, place, faults)
        case Either():
            if isinstance(tree, Scalar) and tree.text == kind.word:
                return kind.word
            return read_section(kind.table, tree, name, place, faults, f", or the word {kind.word}")


def read_section(table: Table, tree: Tree, name: str, place: Place, faults: Faults, other: str = "") -> Any:
    """A Section of the table, or INVALID where the tree is no mapping."""
    if isinstance(tree, Scalar) and tree.broken:
        return INVALID
    if not isinstance(tree, Mapping):
        known = ", ".join(f.name for f in table.fields[:3])
        faults.add(tree.place, f"'{name}' wants a mapping with {known}, ...{other}, not {_written(tree)}")
        return INVALID
    section = Section(table, place)
    fields = {f.name: f for f in table.fields}
    for key, value in tree.items():
        if (known_field := fields.get(key.text)) is None:
            message, meant = _unknown(key, table, name, tree)
            faults.add(key.place, message)
            section.broken.add(meant)
            section.unsure |= not meant and key.text not in table.meant
            continue
        section.keys[key.text] = key.place
        section.places[key.text] = value.place
        found = read(known_field.kind, value, key.text, key.place, faults)
        if found is INVALID:
            section.broken.add(key.text)
        else:
            section.values[key.text] = found
    _require(table, section, name, faults)
    return section


def _unknown(key: Scalar, table: Table, name: str, tree: Mapping) -> tuple[str, str]:
    """(message, the field that was probably meant): a misspelt field is not told as missing, too."""
    told = f"unknown key '{key.text}' in {table.title} '{name}'"
    if key.text in table.meant:
        return f"{told}; {table.meant[key.text]}", ""
    written = {k.text for k in tree.keys}
    names = [f.name for f in table.fields]
    missing = [n for n in names if n not in written] or names
    near = closest(key.text, missing)
    required = [f.name for f in table.fields if f.required and f.name not in written]
    if near is None and len(required) == 1:
        return f"{told}; '{required[0]}' is missing: did you mean that?", required[0]
    return f"{told}; {did_you_mean(key.text, missing)}", near or ""


def _require(table: Table, section: Section, name: str, faults: Faults) -> None:
    for wanted in table.fields:
        if wanted.required and wanted.name not in section.keys and wanted.name not in section.broken:
            section.broken.add(wanted.name)
            told = f"{table.title} '{name}' has no '{wanted.name}'; add it"
            faults.add(section.place, f"{told} ({wanted.text.removesuffix('.')})")


def _written(tree: Tree) -> str:
    if isinstance(tree, Scalar):
        return "nothing" if tree.absent else f"'{tree.shown}'"
    if isinstance(tree, Sequence):
        return "a list"
    return "a mapping" if tree.keys else "an empty mapping"


def _scalar(kind: ScalarKind, tree: Tree, name: str, faults: Faults) -> Any:
    if isinstance(tree, Scalar) and tree.broken:
        return INVALID
    if not isinstance(tree, Scalar) or tree.absent:
        faults.add(tree.place, f"'{name}' wants {kind.wants}, not {_written(tree)}")
        return INVALID
    try:
        return kind.parse(tree)
    except ValueError as error:
        faults.add(tree.place, f"{name}: {error}")
        return INVALID


def _list(kind: ListOf, tree: Tree, name: str, faults: Faults) -> Any:
    items = tree.items if isinstance(tree, Sequence) else (tree,)
    found = [(_scalar(kind.item, item, name, faults), item.place) for item in items]
    return INVALID if any(value is INVALID for value, _ in found) else found


def _pairs(kind: Pairs, tree: Tree, name: str, faults: Faults) -> Any:
    """[(raw scalar, word scalar)]"""
    if isinstance(tree, Scalar) and tree.broken:
        return INVALID
    if not isinstance(tree, Mapping) or not tree.keys:
        faults.add(tree.place, f"'{name}' wants {kind.wants}, not {_written(tree)}")
        return INVALID
    found = []
    for key, value in tree.items():
        if not isinstance(value, Scalar):
            faults.add(
                value.place, f"the word of {key.shown} in '{name}' wants a text, not {_written(value)}"
            )
            continue
        found.append((key, value))
    return found if len(found) == len(tree.keys) else INVALID


def _many(kind: Many, tree: Tree, name: str, faults: Faults) -> Any:
    """[Section]"""
    if not isinstance(tree, Sequence) or not tree.items:
        faults.add(tree.place, f"'{name}' wants {kind.wants}, not {_written(tree)}")
        return INVALID
    found = [read(kind.table, item, name, item.place, faults) for item in tree.items]
    return INVALID if INVALID in found else found


def _named(kind: Named, tree: Tree, name: str, faults: Faults) -> Any:
    """{name: (Section or INVALID, place of the name)}"""
    if not isinstance(tree, Mapping) or not tree.keys:
        faults.add(tree.place, f"'{name}' wants {kind.wants}, not {_written(tree)}")
        return INVALID
    return {
        entry: (read(kind.table, value, entry, at, faults), at) for entry, at, value in _entries(tree, faults)
    }


def _entries(tree: Mapping, faults: Faults) -> Iterator[tuple[str, Place, Tree]]:
    for key, value in tree.items():
        text = key.text
        if not text.strip() or len(text) > 100 or any(not c.isprintable() for c in text):
            faults.add(key.place, "a name is 1 to 100 printable characters; rename this entry")
        else:
            yield text, key.place, value


def _choice(kind: Choice, tree: Tree, name: str, place: Place, faults: Faults) -> Any:
    if not isinstance(tree, Mapping):
        faults.add(tree.place, f"'{name}' wants a mapping with {kind.by}, ..., not {_written(tree)}")
        return INVALID
    told = next(((key, value) for key, value in tree.items() if key.text == kind.by), None)
    if told is None and (told := _misspelt(kind, tree)) is not None:
        message = f"unknown key '{told[0].text}' in {kind.title} '{name}'; did you mean '{kind.by}'?"
        faults.add(told[0].place, message)
    elif told is None:
        faults.add(place, f"{kind.title} '{name}' has no '{kind.by}'; use {', '.join(kind.tables)}")
    word = told[1] if told is not None else None
    if isinstance(word, Scalar) and word.text in kind.tables:
        table = kind.tables[word.text]
        if told is None or told[0].text == kind.by:
            return read_section(table, tree, name, place, faults)
    elif word is not None:
        text = word.shown if isinstance(word, Scalar) else ""
        mend = did_you_mean(text, kind.tables)
        faults.add(word.place, f"{kind.by}: '{text}' is not a kind of {kind.title}; {mend}")
        table = _likeliest(kind, tree)
    else:
        table = _likeliest(kind, tree)
    _rest(kind, table, tree, told[0] if told is not None else None, name, place, faults)
    return INVALID


def _misspelt(kind: Choice, tree: Mapping) -> tuple[Scalar, Tree] | None:
    """The entry that was probably meant as ``by``."""
    known = {f.name for table in kind.tables.values() for f in table.fields}
    for key, value in tree.items():
        if key.text not in known and closest(key.text, [*known]) == kind.by:
            return key, value
    return None


def _likeliest(kind: Choice, tree: Mapping) -> Table:
    """The table that shares most keys with the tree."""
    keys = {key.text for key in tree.keys}
    return max(kind.tables.values(), key=lambda table: len(keys & {f.name for f in table.fields}))


def _rest(
    kind: Choice, table: Table, tree: Mapping, told: Scalar | None, name: str, place: Place, faults: Faults
) -> None:
    """Tell the mistakes in the other fields, too."""
    fields = tuple(f for f in table.fields if f.name != kind.by)
    kept = [(key, value) for key, value in tree.items() if key is not told]
    other = Mapping(tree.place, tuple(key for key, _ in kept), tuple(value for _, value in kept))
    read_section(Table(table.title, fields, table.meant), other, name, place, faults)
