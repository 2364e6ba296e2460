"""Whatever a slip of the hand does to a shipped config: it is told in its line, and never a traceback."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from edge_agent.config.kinds import NAME, PATH, TEXT, ScalarKind
from edge_agent.config.section import Choice, Either, Kind, ListOf, Named, Table
from edge_agent.config.tables import ROOT
from tests.bench.mutations import copied, judged, slips
from tests.bench.strange_slips import Slip, cell_slips, strange_slips
from tests.unit.edge_config.files import CONFIGS, loaded

PLAIN = [path for path in CONFIGS if "types:" not in path.read_text("utf-8")]
"""Configs whose parts stand where their tables expect them: a type is read only where a machine uses it."""
LINE = re.compile(r"^.+:[1-9][0-9]*:[1-9][0-9]*: \S[^\n]*$")


@dataclass(frozen=True)
class Entry:
    """One field of a table in a text: where key and value stand, and what the table wants."""

    key: ScalarNode
    value: Node
    kind: Kind


def entries(kind: Kind, node: Node) -> Iterator[Entry]:
    """Every field of every table in a document."""
    if isinstance(kind, Choice) and isinstance(node, MappingNode):
        told = next(value.value for key, value in node.value if key.value == kind.by)
        yield from entries(kind.tables[told], node)
    elif isinstance(kind, Either):
        yield from entries(kind.table, node)
    elif isinstance(kind, Named) and isinstance(node, MappingNode):
        for _, value in node.value:
            yield from entries(kind.table, value)
    elif isinstance(kind, Table) and isinstance(node, MappingNode):
        fields = {field.name: field.kind for field in kind.fields}
        for key, value in node.value:
            yield Entry(key, value, fields[key.value])
            yield from entries(fields[key.value], value)


def faults_of(folder: Path, text: str) -> list[tuple[int, str]]:
    """(line, text) of every mistake; each is one line with its place."""
    path = folder / "mutated.yaml"
    path.write_text(text, "utf-8")
    lines = loaded(path).faults.lines()
    assert all(LINE.match(line) for line in lines), lines
    return [(int(line.removeprefix(f"{path}:").split(":")[0]), line) for line in lines]


def replaced(text: str, node: Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def all_entries(path: Path) -> tuple[str, list[Entry]]:
    """The text, and its fields: of those with one name the first two, since they are read by one table."""
    text = path.read_text("utf-8")
    names: Counter[str] = Counter()
    found = []
    for entry in entries(ROOT, YAML(typ="rt", pure=True).compose(text)):
        names[entry.key.value] += 1
        if names[entry.key.value] <= 2:
            found.append(entry)
    return text, found


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_misspelt_key_is_told_in_its_line(path: Path, tmp_path: Path) -> None:
    text, found = all_entries(path)
    assert len(found) > 10
    for entry in found:
        word = entry.key.value
        line = entry.key.start_mark.line + 1
        wrong = word + "x" if line % 2 else word[:-1] + "q" + word[-1]
        faults = faults_of(tmp_path, replaced(text, entry.key, wrong))
        assert any(at == line and wrong in told for at, told in faults), (wrong, faults)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_value_of_a_wrong_type_is_told_in_its_line(path: Path, tmp_path: Path) -> None:
    text, found = all_entries(path)
    for index, entry in enumerate(found):
        wrong = ["[[1], {a: b}]"] if isinstance(entry.kind, ListOf) else ["[1, 2]"]
        if isinstance(entry.kind, ScalarKind):
            wrong += ["{a: 1}", "~"]
        if not isinstance(entry.value, ScalarNode) and entry.value.flow_style is not True:
            continue
        value = wrong[index % len(wrong)]
        faults = faults_of(tmp_path, replaced(text, entry.value, value))
        line = entry.value.start_mark.line + 1
        assert any(at == line for at, _ in faults), (entry.key.value, value, faults)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_misspelt_value_is_told_in_its_line(path: Path, tmp_path: Path) -> None:
    """Words of closed lists, numbers, durations, sizes, types, node ids and registers."""
    text, found = all_entries(path)
    free = (TEXT, PATH, NAME)
    closed = [e for e in found if isinstance(e.kind, ScalarKind) and e.kind not in free]
    assert len(closed) > 5
    for entry in closed:
        wrong = "q" + entry.value.value
        faults = faults_of(tmp_path, replaced(text, entry.value, f'"{wrong}"'))
        assert any(at == entry.value.start_mark.line + 1 for at, _ in faults), (
            entry.key.value,
            wrong,
            faults,
        )


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_key_that_stands_twice_is_told_in_its_line(path: Path, tmp_path: Path) -> None:
    text, found = all_entries(path)
    for entry in found:
        if entry.value.start_mark.line != entry.value.end_mark.line or not entry.value.end_mark.column:
            continue
        start, end = entry.key.start_mark, entry.value.end_mark
        piece = text[start.index : end.index]
        line_start = text.rfind("\n", 0, start.index) + 1
        own_line = not text[line_start : start.index].strip()
        between = "\n" + " " * start.column if own_line else ", "
        faults = faults_of(tmp_path, text[: end.index] + between + piece + text[end.index :])
        line = start.line + 1 + own_line
        assert any(at == line and "stands twice" in told for at, told in faults), (piece, faults)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_dropped_field_that_is_needed_is_told(path: Path, tmp_path: Path) -> None:
    text, found = all_entries(path)
    required = {
        "id",
        "site",
        "url",
        "endpoint",
        "security",
        "host",
        "policy",
        "certificate",
        "key",
        "trusted",
        "line",
    }
    for entry in found:
        if entry.key.value not in required or entry.value.end_mark.line != entry.key.start_mark.line:
            continue
        if (
            entry.key.value in ("certificate", "key")
            and "security" not in text.splitlines()[entry.key.start_mark.line]
        ):
            continue
        start, end = entry.key.start_mark.index, entry.value.end_mark.index
        after = text[end:].lstrip(" ")
        end = len(text) - len(after) + 1 if after.startswith(",") else end
        faults = faults_of(tmp_path, text[:start] + text[end:].lstrip(" "))
        assert any(f"no '{entry.key.value}'" in told for _, told in faults), (entry.key.value, faults)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(3))
def test_blind_mutilation_never_ends_in_a_traceback(path: Path, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    text = path.read_text("utf-8")
    for _ in range(30):
        at = chance.randrange(len(text))
        what = chance.choice(["drop", "insert", "line", "twice"])
        if what == "drop":
            mutated = text[:at] + text[at + chance.randrange(1, 6) :]
        elif what == "insert":
            mutated = text[:at] + chance.choice("{}[]:,\"'#&*!|>%@`-?~\t\x00\u2028 0x7") + text[at:]
        else:
            rows = text.splitlines(keepends=True)
            row = chance.randrange(len(rows))
            rows[row : row + 1] = [] if what == "line" else [rows[row], rows[row]]
            mutated = "".join(rows)
        faults_of(tmp_path, mutated)


def test_slips_drawn_from_all_shipped_configs_are_told_without_an_echo(tmp_path: Path) -> None:
    """A sample; ``make bench`` makes every slip that there is."""
    chance, missed = random.Random(11), []
    for path in copied(tmp_path):
        text = path.read_text("utf-8")
        drawn = [*chance.sample(list(slips(text)), 4), *chance.sample(list(strange_slips(text)), 12)]
        missed += [(path.name, slip, seen) for slip in drawn if (seen := _missed(path, slip, path))]
        path.write_text(text, "utf-8")
    sheet = tmp_path / "edge" / "three-hundred-presses" / "presses.csv"
    for slip in chance.sample(list(cell_slips(sheet.read_text("utf-8"))), 8):
        if seen := _missed(sheet, slip, tmp_path / "edge" / "three-hundred-presses.yaml"):
            missed.append((sheet.name, slip, seen))
    assert len(missed) <= 1, "99 of 100 are told in their line"


def _missed(path: Path, slip: Slip, config: Path) -> list[str]:
    """What is told of a slip, where it is not told as it should be."""
    verdict, found = judged(path, slip, config)
    assert verdict != "TRACEBACK", (slip.what, slip.line, found)
    return [] if verdict in ("told", "accepted") else [verdict, *found]
