"""A YAML document as a tree that knows where each part stands.

YAML 1.2: ``off``, ``no`` and ``12:30`` stay text. A scalar is kept as it was written; what it means is
decided by the field that asks. A byte-order mark and CRLF are accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from edge_agent.config.faults import Faults
from edge_agent.config.model import Place
from edge_agent.config.yaml_place import slip_of

_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written; plain: without quotes. source: the text before ``${...}`` was filled in.

    broken: it was told as a mistake already, so that nobody need look at it again.
    """

    place: Place
    text: str
    plain: bool
    source: str | None = None
    broken: bool = False

    @property
    def absent(self) -> bool:
        return self.plain and self.text in _NULLS

    @property
    def shown(self) -> str:
        """For messages: never what a substitution brought in, which may be a secret."""
        return self.text if self.source is None else self.source


@dataclass(frozen=True, slots=True)
class Sequence:
    place: Place
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the order of the file; a key that stands twice is a mistake, and its first value counts."""

    place: Place
    keys: tuple[Scalar, ...]
    values: tuple[Tree, ...]

    def items(self) -> Iterator[tuple[Scalar, Tree]]:
        return zip(self.keys, self.values, strict=True)


Tree = Scalar | Sequence | Mapping


def parse_document(text: str, file: str, faults: Faults) -> Tree | None:
    """The tree of one YAML document; None, with a mistake, where it cannot be read at all."""
    try:
        node = YAML(typ="rt", pure=True).compose(text.removeprefix("\ufeff"))
    except ReaderError as error:
        faults.add(_position(text, error.position, file), "a control character stands here; delete it")
        return None
    except MarkedYAMLError as error:
        faults.add(*slip_of(error, text, file))
        return None
    except YAMLError as error:
        faults.add(Place(file, 1, 1), f"this is not YAML ({error}); mend the file")
        return None
    except RecursionError:
        faults.add(Place(file, 1, 1), "the file is nested too deeply; a config needs six levels")
        return None
    if node is None:
        faults.add(Place(file, 1, 1), "the file is empty; start with 'agent: {id: gw-1, site: columbus}'")
        return None
    return _Builder(file, faults).tree(node)


def content(tree: Tree) -> str:
    """What the tree says, without places, comments and quotes: equal for files that mean the same."""
    if isinstance(tree, Scalar):
        return repr(tree.text)
    if isinstance(tree, Sequence):
        return "[" + ",".join(content(item) for item in tree.items) + "]"
    return "{" + ",".join(f"{key.text!r}:{content(value)}" for key, value in tree.items()) + "}"


class _Builder:
    """Builds the tree; a part that is used twice through an alias is built once."""

    def __init__(self, file: str, faults: Faults) -> None:
        self.file = file
        self.faults = faults
        self.built: dict[int, Tree] = {}
        self.open: set[int] = set()

    def tree(self, node: Node) -> Tree:
        if (known := self.built.get(id(node))) is not None:
            return known
        place = self.place(node)
        if id(node) in self.open:
            self.faults.add(place, "this part contains itself; write it out instead of using an alias")
            return Scalar(place, "", True)
        self.open.add(id(node))
        built = self._built(node, place)
        self.open.discard(id(node))
        self.built[id(node)] = built
        return built

    def place(self, node: Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _built(self, node: Node, place: Place) -> Tree:
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return Sequence(place, tuple(self.tree(child) for child in node.value))
        if not isinstance(node, ScalarNode):
            raise TypeError(f"a YAML node of an unknown kind: {node!r}")
        return self._scalar(node, place)

    def _scalar(self, node: ScalarNode, place: Place) -> Scalar:
        plain = node.style is None
        if plain and _LEADING_ZERO.fullmatch(node.value):
            self.faults.add(
                place,
                f"{node.value} begins with a zero, so it may be a text or a number; "
                f'quote it ("{node.value}") if it is text, else drop the zero',
            )
        return Scalar(place, node.value, plain)

    def _value(self, key: ScalarNode, value: Node) -> Tree:
        """The value of a key; a missing one is missing behind its key, not where the next word stands."""
        if isinstance(value, ScalarNode) and value.style is None and not value.value:
            return Scalar(Place(self.file, key.end_mark.line + 1, key.end_mark.column + 1), "", True)
        return self.tree(value)

    def _mapping(self, node: MappingNode, place: Place) -> Mapping:
        keys: dict[str, Scalar] = {}
        values: list[Tree] = []
        for key, value in node.value:
            at = self.place(key)
            if not isinstance(key, ScalarNode):
                self.faults.add(at, "a key is a single word; write 'key: value'")
            elif key.value in keys:
                first = keys[key.value].place.line
                self.faults.add(
                    at, f"'{key.value}' stands twice here, first in line {first}; keep one of them"
                )
            else:
                keys[key.value] = self._scalar(key, at)
                values.append(self._value(key, value))
        return Mapping(place, tuple(keys.values()), tuple(values))


def _position(text: str, position: int, file: str) -> Place:
    before = text.removeprefix("\ufeff")[:position]
    return Place(file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
