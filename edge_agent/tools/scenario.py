"""A test of a config: what the devices held, and what is to be sent of it; each row with its place.

A YAML file of three keys: ``config`` names the config; ``recording`` and ``expect`` each name a CSV file, or
hold their rows. Rows of a recording: time, tag (machine.signal, or a source), raw, quality; of an
expectation: time, signal, value, quality. A row in the file itself is ``{at: 2 s, press-1.run: 1}``. Times
are instants, or spans from the start: ``2``, ``2 s``, ``1 min``.

raw: of a register ``0x4148 0x0000`` (its words as they come), or the number or text that they hold, before
mask, bit, scale and map. quality: good, uncertain, bad, or lost for a source from this time on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.config.document import Mapping, Scalar, Sequence, Tree, parse_document
from edge_agent.config.faults import Faults, did_you_mean
from edge_agent.config.load import InvalidConfig, load
from edge_agent.config.model import Config, Place
from edge_agent.config.sheet import read_sheet
from edge_agent.core.durations import parse_duration
from edge_agent.errors import AgentError
from shared.sample import Quality

START_US = 1_767_225_600_000_000
"""2026-01-01 UTC: what spans of time count from."""
LOST = "lost"
_KEYS = ("config", "recording", "expect")
_NUMBER = re.compile(r"^[0-9]+(?:\.[0-9]+)?$")
_QUALITIES = {quality.name.lower(): quality for quality in Quality}


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one row: of a recording a raw value, of an expectation a sample. value None: none."""

    place: Place
    time_us: int
    name: str
    value: str | None
    quality: Quality = Quality.GOOD
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """expect_file: where the expectation is a file of its own."""

    config: Config
    recording: list[Cell]
    expected: list[Cell]
    expect_file: Path | None = None


class InvalidScenario(AgentError):
    """A test file was refused; one line for each mistake."""

    def __init__(self, file: str, faults: Faults) -> None:
        super().__init__("the test has mistakes", file, "mend them")
        self._faults = faults

    def __str__(self) -> str:
        return "\n".join(self._faults.lines())


def read_scenario(file: Path) -> Scenario:
    """Read a test file and what it names. Raises InvalidScenario, InvalidConfig."""
    faults = Faults()
    try:
        text = file.read_text("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no UTF-8 text"
        raise AgentError(f"the test cannot be read ({why})", str(file), "check path and encoding") from None
    tree = parse_document(text, str(file), faults)
    parts = _parts(tree, faults) if tree is not None else {}
    config = _config(file, parts.get("config"), faults)
    if config is None:
        raise InvalidScenario(str(file), faults)
    recording = list(_cells(file, parts.get("recording"), "raw", faults))
    wanted = parts.get("expect")
    expect_file = file.parent / wanted.text if isinstance(wanted, Scalar) else None
    missing = expect_file is not None and not expect_file.exists()
    expected = [] if missing else list(_cells(file, wanted, "value", faults))
    _check_names(config, recording, expected, faults)
    if faults:
        raise InvalidScenario(str(file), faults)
    return Scenario(config, sorted(recording, key=lambda cell: cell.time_us), expected, expect_file)


def _parts(tree: Tree, faults: Faults) -> dict[str, Tree]:
    if not isinstance(tree, Mapping):
        faults.add(tree.place, f"a test has the keys {', '.join(_KEYS)}")
        return {}
    found = {}
    for key, value in tree.items():
        if key.text in _KEYS:
            found[key.text] = value
        else:
            faults.add(key.place, f"unknown key '{key.text}'; {did_you_mean(key.text, _KEYS)}")
    for name in _KEYS:
        if name not in found:
            faults.add(tree.place, f"{name} is missing; write {name}: FILE")
    return found


def _config(file: Path, named: Tree | None, faults: Faults) -> Config | None:
    if named is None:
        return None
    if not isinstance(named, Scalar):
        faults.add(named.place, "config: give the path of the config")
        return None
    path = file.parent / named.text
    loaded = load(path, files_needed=False)
    if loaded.config is None:
        raise InvalidConfig(str(path), loaded.faults)
    return loaded.config


def _cells(file: Path, tree: Tree | None, column: str, faults: Faults) -> Iterator[Cell]:
    """The rows of one part: of a CSV that it names, or of itself."""
    if isinstance(tree, Scalar):
        for row in read_sheet(file.parent, tree, faults):
            yield from _sheet_row(row, column, faults)
    elif isinstance(tree, Sequence):
        for item in tree.items:
            yield from _inline_row(item, faults)
    elif tree is not None:
        faults.add(tree.place, "give the path of a CSV, or rows such as {at: 2 s, press-1.run: 1}")


def _sheet_row(row: dict[str, Scalar], column: str, faults: Faults) -> Iterator[Cell]:
    place = next(iter(row.values())).place
    name = row.get("tag") or row.get("signal")
    if "time" not in row or name is None:
        faults.add(place, f"the row needs time, {'tag' if column == 'raw' else 'signal'} and {column}")
        return
    time_us = _time(row["time"], faults)
    quality = _quality(row.get("quality"), faults)
    value = row.get(column)
    if time_us is not None and quality is not None:
        text = None if value is None else value.text
        yield Cell(place, time_us, name.text, text, quality[0], quality[1])


def _inline_row(item: Tree, faults: Faults) -> Iterator[Cell]:
    if not isinstance(item, Mapping):
        faults.add(item.place, "write a row such as {at: 2 s, press-1.run: 1}")
        return
    fields = {key.text: (key, value) for key, value in item.items()}
    at = fields.pop("at", None)
    if at is None or not isinstance(at[1], Scalar):
        faults.add(item.place, "at is missing; write for example at: 2 s")
        return
    time_us = _time(at[1], faults)
    for name, (key, value) in fields.items():
        if not isinstance(value, Scalar):
            faults.add(value.place, "give one value; several, or a quality, stand in a CSV")
        elif time_us is not None:
            quality, lost = Quality.GOOD, value.plain and value.text == LOST
            if value.plain and value.text in ("bad", LOST):
                quality = Quality.BAD
            told = quality is Quality.GOOD and not value.absent
            yield Cell(key.place, time_us, name, value.text if told else None, quality, lost)


def _time(cell: Scalar, faults: Faults) -> int | None:
    text = cell.text.strip()
    try:
        if _NUMBER.match(text):
            return START_US + round(float(text) * 1_000_000)
        if text[:1].isdigit() and "-" not in text:
            return START_US + parse_duration(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        faults.add(cell.place, f"'{text}' is no time; write 2 s, 0.5, or 2026-11-22T06:00:00Z")
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _quality(cell: Scalar | None, faults: Faults) -> tuple[Quality, bool] | None:
    text = "good" if cell is None else cell.text.strip().lower()
    if text == LOST:
        return Quality.BAD, True
    if text not in _QUALITIES and cell is not None:
        faults.add(cell.place, f"'{text}' is no quality; {did_you_mean(text, (*_QUALITIES, LOST))}")
        return None
    return _QUALITIES[text], False


def _check_names(config: Config, recording: list[Cell], expected: list[Cell], faults: Faults) -> None:
    read = {value.key for value in (*config.signals, *config.tags) if value.address is not None}
    sent = {signal.key for signal in config.signals}
    sources = {source.name for source in config.sources}
    for cell in recording:
        known = sources if cell.lost else read
        if cell.name not in known:
            what = "source" if cell.lost else "tag that is read"
            faults.add(cell.place, f"'{cell.name}' is no {what}; {did_you_mean(cell.name, known)}")
    for cell in expected:
        if cell.name not in sent:
            faults.add(cell.place, f"'{cell.name}' is not sent; {did_you_mean(cell.name, sent)}")
