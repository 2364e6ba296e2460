"""``test``: a recording replayed against what it should send; every difference with its place."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from edge_agent.config.model import Signal
from edge_agent.errors import AgentError
from edge_agent.tools import moments
from edge_agent.tools.replay import BadRaw, replayed
from edge_agent.tools.scenario import START_US, Cell, Scenario, read_scenario
from shared.sample import Quality, Sample, Value
from shared.units import DAY_US

Sent = tuple[Signal, Sample]


def test(files: list[Path], *, write: bool) -> int:
    """Replay each test; 1 where one differs. write: the samples become the expectation, where that is a
    file.
    """
    return max(_one(file, write=write) for file in files)


def _one(file: Path, *, write: bool) -> int:
    scenario = read_scenario(file)
    try:
        sent = replayed(scenario.config, scenario.recording)
    except BadRaw as fault:
        print(fault)
        return 1
    if write:
        return _written(file, scenario, sent)
    differences = list(differing(file, scenario, sent))
    print(*differences, sep="\n", end="\n" if differences else "")
    names = {cell.name for cell in scenario.expected}
    compared = sum(signal.key in names for signal, _ in sent)
    counted = f"{len(scenario.recording)} raw values, {compared} samples of {len(names)} signals"
    if differences:
        print(f"{file}: {len(differences)} differences; {counted}")
    elif not scenario.expected:
        print(f"{file}: nothing is expected: say what is sent, or --write it into a CSV; {counted}")
    else:
        print(f"{file}: OK: {counted}")
    return 1 if differences or not scenario.expected else 0


def differing(file: Path, scenario: Scenario, sent: list[Sent]) -> Iterator[str]:
    """Per signal that is expected, in the order of time: what is missing, different, or too much."""
    for name in dict.fromkeys(cell.name for cell in scenario.expected):
        wanted = {cell.time_us: cell for cell in scenario.expected if cell.name == name}
        found = {sample.time_us: sample for signal, sample in sent if signal.key == name}
        for time_us in sorted(wanted.keys() | found.keys()):
            cell, sample = wanted.get(time_us), found.get(time_us)
            at = f"{name} at {_time(time_us)}"
            if cell is None and sample is not None:
                yield f"{file}: {at}: sent {_told(sample.value, sample.quality)}, nothing is expected"
            elif cell is not None and sample is None:
                yield f"{cell.place}: {at}: expected {_wanted(cell)}, nothing was sent"
            elif cell is not None and sample is not None and not _same(cell, sample):
                told = _told(sample.value, sample.quality)
                yield f"{cell.place}: {at}: expected {_wanted(cell)}, sent {told}"


def _same(cell: Cell, sample: Sample) -> bool:
    if cell.quality is not sample.quality:
        return False
    if cell.value is None or sample.value is None:
        return cell.value is None and sample.value is None
    if isinstance(sample.value, str):
        return cell.value == sample.value
    try:
        return abs(float(cell.value) - sample.value) <= 1e-9 * max(1.0, abs(sample.value))
    except ValueError:
        return False


def _written(file: Path, scenario: Scenario, sent: list[Sent]) -> int:
    """The samples of the recorded machines as a CSV, for a person to read and keep."""
    path = scenario.expect_file
    if path is None:
        raise AgentError("the expectation stands in the test itself", str(file), "write expect: FILE.csv")
    names = {cell.name.rpartition(".")[0] for cell in scenario.recording}
    rows = [(signal, sample) for signal, sample in sent if signal.machine in names]
    try:
        with path.open("w", encoding="utf-8", newline="") as opened:
            table = csv.writer(opened, lineterminator="\n")
            table.writerow(("time", "signal", "value", "quality"))
            for signal, sample in rows:
                value = "" if sample.value is None else _value(sample.value)
                at = _time(sample.time_us).removesuffix(" s")
                table.writerow((at, signal.key, value, sample.quality.name.lower()))
    except OSError as error:
        raise AgentError(f"cannot be written ({error.strerror})", str(path), "check the folder") from None
    print(f"{path}: {len(rows)} samples: read them before you keep them")
    return 0


def _time(time_us: int) -> str:
    """A span from the start where the test counts in spans, else the instant."""
    since_us = time_us - START_US
    if not 0 <= since_us < 7 * DAY_US:
        return moments.shown(time_us)
    return f"{since_us / 1e6:.6f}".rstrip("0").rstrip(".") + " s"


def _wanted(cell: Cell) -> str:
    return _told(cell.value, cell.quality)


def _told(value: Value | None, quality: Quality) -> str:
    shown = "no value" if value is None else _value(value)
    return shown if quality is Quality.GOOD else f"{shown} ({quality.name.lower()})"


def _value(value: Value) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
