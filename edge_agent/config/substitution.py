"""``${env:NAME}``, ``${file:PATH}`` and ``${hostname}`` in any value; ``$${`` stands for a plain ``${``.

What a substitution brings in is never repeated in a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Words
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_agent.config.document import Mapping, Scalar, Sequence, Tree
from edge_agent.config.faults import Faults, closest, did_you_mean
from edge_agent.config.model import Place
from edge_agent.core.expression import UnknownValue, evaluate, names_in, parse_expression

_PART = re.compile(r"\$?\$\{([^{}]*)\}")
_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class World:
    """Where substitutions look: environment, the config's folder, the gateway's name, and inside a type the
    parameters of the machine at hand. sure: there are no others that could not be read. origins: where the
    values of the parameters were written.
    """

    environment: Words[str, str]
    folder: Path
    hostname: str
    parameters: Words[str, float | str | None] | None = None
    sure: bool = True
    origins: Words[str, Place] = field(default_factory=dict)


def fill(tree: Tree, world: World, faults: Faults) -> Tree:
    """The tree with every substitution done; one that cannot be done is a mistake, and its text stays."""
    if isinstance(tree, Scalar):
        return _filled(tree, world, faults)
    if isinstance(tree, Sequence):
        return replace(tree, items=tuple(fill(item, world, faults) for item in tree.items))
    return Mapping(tree.place, tree.keys, tuple(fill(value, world, faults) for value in tree.values))


def _filled(scalar: Scalar, world: World, faults: Faults) -> Scalar:
    if "${" not in scalar.text:
        return scalar

    broken = False
    origin: Place | None = None

    def part(found: re.Match[str]) -> str:
        nonlocal broken, origin
        if found.group().startswith("$$"):
            return found.group()[1:]
        try:
            value = _looked_up(found.group(1).strip(), world)
        except ValueError as error:
            if str(error):
                faults.add(scalar.place, f"{found.group()}: {error}")
            broken = True
            return found.group()
        origin = origin or _origin(found.group(1), world)
        if found.group(1).strip().startswith(("env:", "file:")):
            faults.hide(value, found.group())
        return value

    text = _PART.sub(part, scalar.text)
    if "${" in _PART.sub("", scalar.text):
        faults.add(
            scalar.place, "a ${ is not closed; add } behind it, or write $${ where it is meant as text"
        )
        broken = True
    place = replace(scalar.place, origin=origin)
    if origin is not None:
        faults.filled(place)
    return replace(scalar, place=place, text=text, source=scalar.text, broken=broken)


def _origin(text: str, world: World) -> Place | None:
    """Where the first parameter of a substitution was written."""
    return next(
        (place for name, place in world.origins.items() if re.search(rf"\b{re.escape(name)}\b", text)), None
    )


def _looked_up(name: str, world: World) -> str:
    kind, colon, rest = name.partition(":")
    if name == "hostname":
        return world.hostname
    if kind == "env" and colon:
        if rest not in world.environment:
            raise ValueError(f"the environment has no {rest}; set it for the service, or write the value")
        return world.environment[rest]
    if kind == "file" and colon:
        return _text_of(world.folder / rest, rest)
    if world.parameters is not None:
        return _worked_out(name, world.parameters, world.sure)
    known = ("env:NAME", "file:PATH", "hostname")
    raise ValueError(f"'{name}' cannot be filled in; {did_you_mean(name, known)}")


def _worked_out(text: str, parameters: Words[str, float | str | None], sure: bool) -> str:
    """A parameter, or an expression of parameters such as ``base + 10``; an empty ValueError for one without
    a value, which was told as a mistake where it is missing.
    """
    expression = parse_expression(text)
    for name in names_in(expression):
        if name not in parameters and not (sure or closest(name, parameters)):
            raise ValueError
        if name not in parameters:
            raise ValueError(f"'{name}' is no parameter of the type; {did_you_mean(name, parameters)}")
        if parameters[name] is None:
            raise ValueError
    try:
        value = evaluate(expression, parameters)
    except UnknownValue as error:
        raise ValueError(f"{error}; mend the expression or the parameter") from None
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() else repr(value)


def _text_of(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > _LIMIT:
            raise ValueError(f"{name} is larger than 64 KiB; name the file that holds only the value")
        return path.read_text("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({error.strerror}); check path and owner") from None
