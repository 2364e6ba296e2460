"""A YAML document as a tree that knows where each part stands.

YAML 1.2: ``off``, ``no`` and ``06:00`` stay text. Scalars are kept as written; what they mean is asked
field by field, so that every mistake has a line and a column. A byte-order mark and CRLF are accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from cloud_api.plant.places import Faults, Place

_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Scalar:
    place: Place
    text: str
    plain: bool

    @property
    def absent(self) -> bool:
        """Nothing was written, or a plain null."""
        return self.plain and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Sequence:
    place: Place
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    place: Place
    fields: dict[str, Tree]
    keys: dict[str, Place]


Tree = Scalar | Sequence | Mapping


def parse_document(text: str, file: str, faults: Faults) -> Tree | None:
    """The tree of one YAML document; None (with a fault) where it cannot be read at all."""
    try:
        node = YAML(typ="rt", pure=True).compose(text.removeprefix("\ufeff"))
    except MarkedYAMLError as error:
        faults.add(_marked(error, file), _problem(error), "mend the YAML here, or in the lines above")
        return None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        faults.add(Place(file, line), f"character #x{error.character:04x} is not allowed", "delete it")
        return None
    except YAMLError as error:
        faults.add(Place(file, 1, 1), f"this is not YAML ({error})", "mend the file")
        return None
    if node is None:
        faults.add(
            Place(file, 1, 1), "the file is empty", "write at least site, time_zone, currency and lines"
        )
        return None
    return _Builder(file, faults).tree(node)


class _Builder:
    """Builds the tree of one document; a part used twice through an alias is built once."""

    def __init__(self, file: str, faults: Faults) -> None:
        self.file = file
        self.faults = faults
        self.built: dict[int, Tree] = {}
        self.open: set[int] = set()

    def tree(self, node: Node) -> Tree:
        known = self.built.get(id(node))
        if known is not None:
            return known
        place = _place(node, self.file)
        if id(node) in self.open:
            self.faults.add(place, "this part contains itself", "write it out instead of using an alias")
            return Scalar(place, "", True)
        self.open.add(id(node))
        built = self._built(node, place)
        self.open.discard(id(node))
        self.built[id(node)] = built
        return built

    def _built(self, node: Node, place: Place) -> Tree:
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        if isinstance(node, SequenceNode):
            return Sequence(place, tuple(self.tree(child) for child in node.value))
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        raise TypeError(f"a YAML node of an unknown kind: {node!r}")

    def _scalar(self, node: ScalarNode, place: Place) -> Scalar:
        plain = node.style is None
        if plain and _LEADING_ZERO.fullmatch(node.value):
            message = f"{node.value} begins with a zero, so number and text differ"
            self.faults.add(place, message, f'quote it ("{node.value}") if it is text, else drop the zero')
        return Scalar(place, node.value, plain)

    def _mapping(self, node: MappingNode, place: Place) -> Mapping:
        fields: dict[str, Tree] = {}
        keys: dict[str, Place] = {}
        for key, value in node.value:
            at = _place(key, self.file)
            if not isinstance(key, ScalarNode):
                self.faults.add(at, "a key must be a word", "write 'key: value'")
            elif key.value in fields:
                message = f"'{key.value}' stands twice here, first in line {keys[key.value].line}"
                self.faults.add(at, message, "keep one of them")
            else:
                keys[key.value] = at
                fields[key.value] = self.tree(value)
        return Mapping(place, fields, keys)


def _place(node: Node, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


def _marked(error: MarkedYAMLError, file: str) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(file, 1, 1) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def _problem(error: MarkedYAMLError) -> str:
    parts = [str(part).strip() for part in (error.context, error.problem) if part]
    return "not valid YAML, " + ", ".join(parts)
