"""Every slip of the hand in every shipped config of the agent: is it told, in its line, and without an echo?

Each key and each value is misspelt, given a wrong type, dropped and doubled, one at a time; and a share of
the slips that strangers make (SLIPS=1 for all of them), also in sheets and included files. What is still a
valid config counts as accepted; of the rest the table says how many are told on the line of the slip, and how
many mistakes follow that are none.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node, ScalarNode

from tests.bench.strange_slips import Slip, cell_slips, put, scalars, strange_slips
from tests.unit.edge_config.files import CONFIGS, loaded

FOLLOWING = 2
SHARE = float(os.environ.get("SLIPS") or 0.1)
ROWS = 3
"""Rows of a sheet that are kept: three hundred machines of one type have the same mistakes."""


def slips(text: str) -> Iterator[Slip]:
    """Every mutation of a config."""
    for key, value in scalars(YAML(typ="rt", pure=True).compose(text)):
        if key is not None:
            name = key.value + "qx"
            yield Slip("key misspelt", put(text, key, name), key.start_mark.line + 1, name)
            yield from _dropped(text, key, value)
            yield from _doubled(text, key, value)
        if isinstance(value, ScalarNode):
            line = value.start_mark.line + 1
            yield Slip("value misspelt", put(text, value, f'"q{value.value}"'), line)
            yield Slip("value of a wrong type", put(text, value, "[[1], {a: b}]"), line)


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


def judged(path: Path, slip: Slip, config: Path | None = None) -> tuple[str, list[str]]:
    """(verdict, lines of the mistakes). config: the one that the file at path is a part of."""
    path.write_text(slip.text, "utf-8")
    try:
        lines = loaded(config or path).faults.lines()
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


def parts(configs: list[Path]) -> Iterator[tuple[Path, Path, Callable[[str], Iterable[Slip]]]]:
    """(config, file of it, how slips of it are made) of everything that is shipped."""
    draw = random.Random(5)

    def some(make: Callable[[str], Iterable[Slip]]) -> Callable[[str], Iterable[Slip]]:
        return lambda text: (slip for slip in make(text) if draw.random() < SHARE)

    for config in configs:
        yield config, config, slips
        yield config, config, some(strange_slips)
        for part in sorted((config.parent / config.stem).glob("*.*")):
            yield config, part, some(cell_slips if part.suffix == ".csv" else strange_slips)


def main() -> int:
    counts: Counter[tuple[str, str]] = Counter()
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for config, part, make in parts(copied(Path(folder))):
            text = part.read_text("utf-8")
            for slip in make(text):
                verdict, lines = judged(part, slip, config)
                counts[slip.what, verdict] += 1
                if verdict.isupper() or verdict == "echoes":
                    shown = "; ".join(line.removeprefix(f"{folder}/") for line in lines[:4])
                    sys.stdout.write(f"{verdict} {slip.what} {part.name}:{slip.line}: {shown}\n")
            part.write_text(text, "utf-8")
    return told(counts, time.perf_counter() - began_s)


def told(counts: Counter[tuple[str, str]], seconds: float) -> int:
    """The table; 1 where the bar is missed."""
    for what in sorted({what for what, _ in counts}):
        row = ", ".join(f"{verdict} {n}" for (w, verdict), n in sorted(counts.items()) if w == what)
        sys.stdout.write(f"{what:<32} {row}\n")
    refused = sum(n for (_, verdict), n in counts.items() if verdict != "accepted")
    good = sum(n for (_, verdict), n in counts.items() if verdict == "told")
    share = good / refused
    sys.stdout.write(f"{counts.total()} slips, {refused} refused, {100 * share:.2f} % told as they should be")
    sys.stdout.write(f" ({seconds:.0f} s)\n")
    return 0 if share >= 0.99 else 1


if __name__ == "__main__":
    sys.exit(main())
