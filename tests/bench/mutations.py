"""Every slip of the hand in every shipped config of the agent: is it told, in its line, and without an echo?

Each key and each value is misspelt, given a wrong type, dropped and doubled, one at a time. What is still a
valid config counts as accepted; of the rest the table says how many are told on the line of the slip, and how
many mistakes follow that are none.
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tests.unit.edge_config.files import CONFIGS, loaded

FOLLOWING = 2
ROWS = 3
"""Rows of a sheet that are kept: three hundred machines of one type have the same mistakes."""


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


def slips(text: str) -> Iterator[Slip]:
    """Every mutation of a config."""
    for key, value in scalars(YAML(typ="rt", pure=True).compose(text)):
        if key is not None:
            name = key.value + "qx"
            yield Slip("key misspelt", _put(text, key, name), key.start_mark.line + 1, name)
            yield from _dropped(text, key, value)
            yield from _doubled(text, key, value)
        if isinstance(value, ScalarNode):
            line = value.start_mark.line + 1
            yield Slip("value misspelt", _put(text, value, f'"q{value.value}"'), line)
            yield Slip("value of a wrong type", _put(text, value, "[[1], {a: b}]"), line)


def _put(text: str, node: Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def _dropped(text: str, key: Node, value: Node) -> Iterator[Slip]:
    start, end = key.start_mark.index, value.end_mark.index
    after = text[end:].lstrip(" ")
    end = len(text) - len(after) + 1 if after.startswith(",") else end
    yield Slip("key dropped", text[:start] + text[end:].lstrip(" "), 0)


def _doubled(text: str, key: Node, value: Node) -> Iterator[Slip]:
    start, end = key.start_mark, value.end_mark
    if value.start_mark.line != end.line or not end.column:
        return
    own_line = not text[text.rfind("\n", 0, start.index) + 1 : start.index].strip()
    between = "\n" + " " * start.column if own_line else ", "
    piece = text[start.index : end.index]
    doubled = text[: end.index] + between + piece + text[end.index :]
    yield Slip("key doubled", doubled, start.line + 1 + own_line)


def judged(path: Path, slip: Slip) -> tuple[str, list[str]]:
    """(verdict, lines of the mistakes)."""
    path.write_text(slip.text, "utf-8")
    try:
        lines = loaded(path).faults.lines()
    except Exception as fault:
        return "TRACEBACK", [repr(fault)]
    if not lines:
        return "accepted", lines
    there = [
        line
        for line in lines
        if slip.line == 0
        or line.startswith(f"{path}:{slip.line}:")
        or (slip.name and f"'{slip.name}'" in line)
    ]
    if not there:
        return "ELSEWHERE", lines
    return "echoes" if len(lines) - len(there) > FOLLOWING else "told", lines


def copied(folder: Path) -> list[Path]:
    """The shipped configs with what they include, their sheets shortened."""
    shutil.copytree(CONFIGS[0].parent, folder / "edge")
    for sheet in (folder / "edge").rglob("*.csv"):
        rows = sheet.read_text("utf-8").splitlines(keepends=True)
        if next(csv.reader(rows[:1]))[0] == "machine":
            sheet.write_text("".join(rows[: ROWS + 1]), "utf-8")
    return [folder / "edge" / path.name for path in CONFIGS]


def main() -> int:
    counts: Counter[tuple[str, str]] = Counter()
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for config in copied(Path(folder)):
            text = config.read_text("utf-8")
            for slip in slips(text):
                verdict, lines = judged(config, slip)
                counts[slip.what, verdict] += 1
                if verdict.isupper() or verdict == "echoes":
                    shown = "; ".join(line.removeprefix(f"{folder}/") for line in lines[:4])
                    sys.stdout.write(f"{verdict} {slip.what} {config.name}:{slip.line}: {shown}\n")
            config.write_text(text, "utf-8")
    return told(counts, time.perf_counter() - began_s)


def told(counts: Counter[tuple[str, str]], seconds: float) -> int:
    """The table; 1 where the bar is missed."""
    for what in sorted({what for what, _ in counts}):
        row = ", ".join(f"{verdict} {n}" for (w, verdict), n in sorted(counts.items()) if w == what)
        sys.stdout.write(f"{what:<24} {row}\n")
    refused = sum(n for (_, verdict), n in counts.items() if verdict != "accepted")
    good = sum(n for (_, verdict), n in counts.items() if verdict == "told")
    share = good / refused
    sys.stdout.write(f"{counts.total()} slips, {refused} refused, {100 * share:.2f} % told as they should be")
    sys.stdout.write(f" ({seconds:.0f} s)\n")
    return 0 if share >= 0.99 else 1


if __name__ == "__main__":
    sys.exit(main())
