"""Slips as strangers make them: letters, case, quantities, addresses, YAML's own signs, cells of sheets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


@dataclass(frozen=True)
class Slip:
    """One mutation of a text. line: where it is; 0: nowhere, what was there is gone.

    name: the new name of something that others refer to: they are told to look for it there.
    """

    what: str
    text: str
    line: int
    name: str = ""


def scalars(node: Node) -> Iterator[tuple[ScalarNode | None, Node]]:
    """(key, value) of every entry, (None, item) of every item."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key, value
            yield from scalars(value)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield None, value
            yield from scalars(value)


def put(text: str, node: Node, new: str) -> str:
    """The text with another node in its place."""
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def _transposed(word: str) -> str:
    at = next((n for n in range(len(word) - 1) if word[n] != word[n + 1]), None)
    return word if at is None else word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _doubled(word: str) -> str:
    middle = len(word) // 2
    return word[:middle] + word[middle : middle + 1] + word[middle:]


LETTERS: dict[str, Callable[[str], str]] = {
    "other case": str.swapcase,
    "letters transposed": _transposed,
    "letter dropped": lambda word: word[:-1],
    "letter doubled": _doubled,
}
VALUES = {
    "number": "12345", "negative": "-5", "huge": "9" * 23, "float": "3.7", "not a number": ".nan",
    "list": "[1]", "mapping": "{x: y}", "truth value": "true", "empty text": '""',
    "spaces": '"   "', "leading zero": "0815",
    "long text": '"' + "x" * 600 + '"', "control sign": '"a\\x07b"', "substitution unknown": '"${nothing}"',
    "substitution open": '"${env:"', "null": "null",
}  # fmt: skip
COLLECTIONS = {
    "text": "abc",
    "number": "5",
    "empty map": "{}",
    "empty list": "[]",
    "list": "[1, 2]",
    "null": "null",
}


def strange_slips(text: str) -> Iterator[Slip]:
    """Every such mutation of a config."""
    for key, value in scalars(YAML(typ="rt", pure=True).compose(text)):
        if key is not None:
            yield from _of_key(text, key, value)
        if isinstance(value, ScalarNode):
            yield from _of_value(text, value)
            yield from _of_address(text, value)
        elif key is not None:
            for name, new in COLLECTIONS.items():
                yield Slip(f"collection: {name}", _instead(text, key, value, new), key.start_mark.line + 1)
    yield from _of_lines(text)


def _of_key(text: str, key: ScalarNode, value: Node) -> Iterator[Slip]:
    line = key.start_mark.line + 1
    for name, change in LETTERS.items():
        new = change(key.value)
        if new not in ("", key.value):
            yield Slip(f"key: {name}", put(text, key, _quoted(key, new)), line, new)
    yield Slip("key: empty", put(text, key, '""'), line)
    yield Slip("value: absent", _instead(text, key, value, ""), line)


def _of_value(text: str, value: ScalarNode) -> Iterator[Slip]:
    line = value.start_mark.line + 1
    for name, change in LETTERS.items():
        new = change(value.value)
        if new not in ("", value.value):
            yield Slip(f"value: {name}", put(text, value, _quoted(value, new)), line, new)
    for name, new in VALUES.items():
        yield Slip(f"value: {name}", put(text, value, new), line)
    if re.fullmatch(r"[0-9.]+ [a-zA-Z]+", value.value):
        number = value.value.split()[0]
        yield Slip("quantity: without unit", put(text, value, number), line)
        yield Slip("quantity: another unit", put(text, value, f"{number} parsecs"), line)
        yield Slip("quantity: negative", put(text, value, f'"-{value.value}"'), line)


def _of_address(text: str, value: ScalarNode) -> Iterator[Slip]:
    scheme, sign, rest = value.value.partition("://")
    if not sign or "=" in scheme:
        return
    wrong = {
        "one slash": f"{scheme}:/{rest}", "no scheme": rest, "another scheme": f"gopher://{rest}",
        "scheme twice": f"{scheme}://{scheme}://{rest}", "space": f"{scheme}:// {rest}",
        "port a word": re.sub(r":\d+", ":port", value.value),
        "port huge": re.sub(r":\d+", ":99999", value.value),
        "user": f"{scheme}://u:p@{rest}", "comma": re.sub(r":(\d+)", r",\1", value.value),
    }  # fmt: skip
    for name, new in wrong.items():
        if new != value.value:
            yield Slip(f"address: {name}", put(text, value, f'"{new}"'), value.start_mark.line + 1)


def _of_lines(text: str) -> Iterator[Slip]:
    rows = text.splitlines(keepends=True)
    for at, row in enumerate(rows):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        told = {
            "indented by one more": " " + row, "indented by one less": row[1:] if row[0] == " " else row,
            "tab": "\t" + row.lstrip(" "), "colon dropped": row.replace(": ", " ", 1),
            "space behind colon dropped": row.replace(": ", ":", 1), "comma dropped": row.replace(",", "", 1),
        } | {f"{sign} dropped": row.replace(sign, "", 1) for sign in "{}[]\"'"}  # fmt: skip
        for name, new in told.items():
            if new != row:
                yield Slip(f"line: {name}", "".join([*rows[:at], new, *rows[at + 1 :]]), at + 1)
        yield Slip("line: twice", "".join([*rows[:at], row, *rows[at:]]), at + 2)
        yield Slip("line: dropped", "".join([*rows[:at], *rows[at + 1 :]]), 0)


def cell_slips(text: str) -> Iterator[Slip]:
    """Every such mutation of a sheet."""
    rows = text.splitlines()
    for at, row in enumerate(rows):
        cells = row.split(",")
        for place, cell in enumerate(cells):
            told = {name: change(cell) for name, change in LETTERS.items()} | {
                "empty": "", "number": "12345", "negative": "-5", "huge": "9" * 23, "float": "1.5",
                "quote": '"' + cell, "semicolon": cell + ";", "comma": cell + ",",
            }  # fmt: skip
            for name, new in told.items():
                changed = ",".join([*cells[:place], new, *cells[place + 1 :]])
                if new != cell:
                    yield Slip(
                        f"cell: {name}", "\n".join([*rows[:at], changed, *rows[at + 1 :]]), at + 1, new
                    )
        yield Slip("row: twice", "\n".join([*rows[:at], row, *rows[at:]]), at + 2)


def _instead(text: str, key: Node, value: Node, new: str) -> str:
    """Another value of a key; of a block the whole block."""
    if isinstance(value, ScalarNode) or value.flow_style:
        return put(text, value, new)
    end = value.end_mark.index
    end = text.rfind("\n", 0, end) + 1 if end < len(text) else end
    return f"{text[: key.end_mark.index]}: {new}\n{text[end:]}"


def _quoted(node: ScalarNode, new: str) -> str:
    """As it was quoted before."""
    return new if node.style is None else '"' + new.replace("\\", "\\\\").replace('"', '\\"') + '"'
