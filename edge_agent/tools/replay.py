"""A recording through the agent's own pipeline: decoding, meaning, rules, counting, integration, report.

Between two rows time passes as it does in the agent: each source is scanned every interval, so that what is
to settle settles, and a heartbeat that stands still is noticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import cast

from edge_agent.config.model import Config, Signal
from edge_agent.core.address import Register
from edge_agent.core.decode import bit_decoder, decoder
from edge_agent.core.derive import Rules
from edge_agent.core.mapping import Meant, RawValue
from edge_agent.loops.derive import Deriver, derives
from edge_agent.loops.integrate import Integrator
from edge_agent.loops.record import Recorder, recorded
from edge_agent.ports import Buffer, Clock, Reading, Sink, Written
from edge_agent.tools.scenario import Cell
from shared.sample import Quality, Sample

_WORDS = re.compile(r"^(?:0x[0-9A-Fa-f]{1,4})(?:[ ,]+0x[0-9A-Fa-f]{1,4})*$")
_MOST_TICKS = 1_000


class BadRaw(ValueError):
    """A raw value cannot be what a tag holds; place and reason."""


def replayed(config: Config, recording: list[Cell]) -> list[tuple[Signal, Sample]]:
    """What is sent, in order. Raises BadRaw."""
    pipeline = _Pipeline(config)
    for time_us, cells in groupby(recording, key=lambda cell: cell.time_us):
        pipeline.pass_time(time_us)
        pipeline.take(time_us, list(cells))
    pipeline.pass_time(None)
    return [(config.signals[sample.signal], sample) for sample in pipeline.sent]


class _Kept:
    """What a recorder needs of a buffer and of a clock, and no more: it keeps every sample."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.stream = bytes(16)
        self.now = 0

    def state(self) -> _Kept:
        return self

    def in_use(self) -> bytes | None:
        return None

    def put(self, written: Written) -> bool:
        self.samples += written.samples
        return True

    def now_us(self) -> int:
        return self.now

    def monotonic_s(self) -> float:
        return self.now / 1e6

    def trusted(self) -> bool:
        return True


class _Pipeline:
    """What stands behind the sources, for one config."""

    def __init__(self, config: Config) -> None:
        self._kept = _Kept()
        indexes = {source.name: source.index for source in config.sources}
        buffer, clock = cast(Buffer, self._kept), cast(Clock, self._kept)
        self._recorder = Recorder(buffer, clock, indexes, recorded(config))
        powers = [signal for signal in config.signals if signal.integrate]
        sink: Sink = Integrator(self._recorder, powers) if powers else self._recorder
        self._sink: Sink = Deriver(sink, config) if derives(config) else sink
        self._by_key = {value.key: value for value in (*config.signals, *config.tags)}
        self._intervals = {source.name: source.interval_us for source in config.sources}
        self._seen: dict[str, int] = {}
        self._settle_us, self._patience_us = _waits_us(config)

    @property
    def sent(self) -> list[Sample]:
        """Every sample so far."""
        self._recorder.flush(all_marks=True)
        return self._kept.samples

    def take(self, time_us: int, cells: list[Cell]) -> None:
        """What was read at one instant, source by source."""
        self._kept.now = time_us
        for source in [cell.name for cell in cells if cell.lost]:
            self._seen.pop(source, None)
            self._sink.lost(source, time_us, "lost in the recording")
        by_source: dict[str, list[Reading]] = {}
        for cell in cells:
            if not cell.lost:
                tag = self._by_key[cell.name]
                by_source.setdefault(tag.source, []).append(reading_of(tag, cell))
        for source, readings in by_source.items():
            self._sink.readings(source, readings)
            self._seen.setdefault(source, time_us)
        self._recorder.flush()

    def pass_time(self, until_us: int | None) -> None:
        """Scans without a change, until an instant; None: until the last row has settled. A heartbeat that
        stands still is only told of where a later row shows that the recording went on.
        """
        for source, seen_us in self._seen.items():
            end_us = seen_us + self._settle_us if until_us is None else until_us
            for at_us in _ticks(seen_us, end_us, self._intervals[source], self._patience_us):
                self._kept.now = at_us
                self._sink.scanned(source, self._seen[source], at_us)
                self._seen[source] = at_us
        self._recorder.flush()


def reading_of(tag: Signal, cell: Cell) -> Reading:
    """A raw value as a source would deliver it. Raises BadRaw."""
    if cell.quality is Quality.BAD:
        return Reading(tag.index, cell.time_us, None, Quality.BAD, why="bad in the recording")
    if cell.value is None:
        raise BadRaw(f"{cell.place}: {cell.name} has no raw value; write it, or quality bad")
    meant = _meant(tag, cell, cell.value.strip())
    quality = max(meant.quality, cell.quality)
    return Reading(tag.index, cell.time_us, meant.value, quality, meant.raw, None, meant.why)


def _meant(tag: Signal, cell: Cell, text: str) -> Meant:
    if isinstance(tag.address, Register):
        if tag.address.space.is_bits:
            if text.lower() not in ("0", "1", "true", "false"):
                raise BadRaw(f"{cell.place}: {cell.name} is a bit; write 0 or 1")
            return bit_decoder(tag.meaning, 0)(bytes([text.lower() in ("1", "true")]))
        if _WORDS.match(text):
            return _decoded(tag, cell, text)
        if not tag.layout.type.is_text and isinstance(_scalar(text), str):
            raise BadRaw(f"{cell.place}: '{text}' is no {tag.layout.type}; write a number or 0x1234 0x5678")
        if tag.layout.type.is_text:
            return tag.meaning.apply(_quoted(text))
    return tag.meaning.apply(_scalar(text))


def _decoded(tag: Signal, cell: Cell, text: str) -> Meant:
    words = [int(word, 16) for word in re.split(r"[ ,]+", text)]
    if len(words) != tag.layout.type.registers:
        wanted = tag.layout.type.registers
        raise BadRaw(f"{cell.place}: {cell.name} is {tag.layout.type}: {wanted} registers, not {len(words)}")
    data = b"".join(word.to_bytes(2, "big") for word in words)
    return decoder(tag.layout, tag.meaning, 0)(data)


def _scalar(text: str) -> RawValue:
    """A number, a truth value or a text in quotes as JSON writes them; anything else is a text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, bool | int | float | str) else text


def _quoted(text: str) -> str:
    found = _scalar(text) if text.startswith('"') else text
    return str(found)


def _waits_us(config: Config) -> tuple[int, int]:
    """(until everything has settled, until a heartbeat is missed, too), each with two scans more."""
    scans = 2 * max((source.interval_us for source in config.sources), default=1_000_000)
    settles = [s.derivation.settle_us for s in config.signals if isinstance(s.derivation, Rules)]
    hearts = [machine.alive.within_us for machine in config.machines if machine.alive is not None]
    settled = max(settles, default=0) + scans
    return settled, max(settled, max(hearts, default=0) + scans)


def _ticks(from_us: int, to_us: int, interval_us: int, patience_us: int) -> Iterator[int]:
    """Scans between two instants: every interval as long as something may happen, then one at the end."""
    step_us = max(interval_us, patience_us // _MOST_TICKS)
    at_us = from_us + step_us
    while at_us < min(to_us, from_us + patience_us):
        yield at_us
        at_us += step_us
    if to_us > from_us:
        yield to_us
