"""From readings to batches: what is worth reporting goes into the buffer, with what the scans prove.

A mark says that its source was well and seen all through a span; it travels with or after every sample that
it vouches for. What the buffer cannot take becomes one gap record, and the next batch that it takes carries
that record and a full read of the sources concerned. Nothing here grows without bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from edge_agent.config.model import Config
from edge_agent.core.report import ReportRule, is_worth
from edge_agent.ports import Buffer, Clock, Reading, Written
from shared.batch import Gap, Pending, ScanMark
from shared.sample import Quality, Sample, Value

_log = logging.getLogger(__name__)
_FURTHEST_US = 1 << 60
_NEVER = (1, 0)


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """batch_s: shortest time between two batches. mark_s: longest time between two marks of a source.

    batch_rows: a batch goes at once when it has so many rows. text_chars: a longer text is cut, and
    uncertain. retry_s: pause after the buffer was full.
    """

    batch_s: float = 0.1
    mark_s: float = 2.0
    batch_rows: int = 5_000
    text_chars: int = 1_000
    retry_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the recorder must know of a signal."""

    signal: int
    source: str
    rule: ReportRule


def recorded(config: Config) -> list[Recorded]:
    """All signals of a config."""
    return [Recorded(signal.index, signal.source, signal.report) for signal in config.signals]


@dataclass(slots=True)
class RecordCounters:
    """Since the start of this run. refused: rows that the buffer did not take; a gap record tells of them.

    mended: values that could not travel as they came (not finite, too long, out of range).
    """

    readings: int = 0
    rows: int = 0
    batches: int = 0
    refused: int = 0
    mended: int = 0


@dataclass(slots=True)
class _Source:
    """spans: proven and not yet sent. seen_us: end of the newest. lost_us: since when nothing is known."""

    index: int
    signals: list[int]
    spans: list[tuple[int, int]] = field(default_factory=list)
    seen_us: int | None = None
    sent_s: float = float("-inf")
    lost_us: int | None = None
    owes_full: bool = False


class Recorder:
    """Implements ports.Sink over a buffer. sources: name to index on the wire. Use it from one event loop.

    Its indexes mean the dictionary that the buffer had in use when it was made, also after another came.
    counters: to go on counting, of a recorder that this one replaces.
    """

    def __init__(
        self,
        buffer: Buffer,
        clock: Clock,
        sources: Mapping[str, int],
        signals: Iterable[Recorded],
        limits: RecordLimits | None = None,
        counters: RecordCounters | None = None,
    ) -> None:
        self._buffer = buffer
        self._clock = clock
        self._limits = limits or RecordLimits()
        self._stream = buffer.state().stream
        self._dictionary = buffer.in_use()
        self._sources = {name: _Source(index, []) for name, index in sources.items()}
        self._rules: dict[int, ReportRule] = {}
        for each in signals:
            self._rules[each.signal] = each.rule
            self._sources[each.source].signals.append(each.signal)
        self._sent: dict[int, Sample] = {}
        self._last: dict[int, Sample] = {}
        self._dated: dict[int, tuple[int, int]] = {}
        self._rows: list[Sample] = []
        self._touched: set[str] = set()
        self._gap: Gap | None = None
        self._pending: list[Pending] = []
        self._dirty = asyncio.Event()
        self._flushed_s = float("-inf")
        self._blocked_until_s = float("-inf")
        self.counters = counters or RecordCounters()
        self.turned_s = clock.monotonic_s()

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        """Values in the order in which they were seen; full: report unchanged ones too."""
        place = self._sources[source]
        place.lost_us = None
        self.counters.readings += len(readings)
        rows, rules, sent, last = self._rows, self._rules, self._sent, self._last
        before = len(rows)
        for reading in readings:
            signal = reading.signal
            rule = rules.get(signal)
            if rule is None:
                continue
            sample = self._sample(reading)
            if full or is_worth(rule, sent.get(signal), sample):
                sent[signal] = sample
                sample = self._apart(sample)
                rows.append(sample)
            last[signal] = sample
        if len(rows) > before:
            self._touched.add(source)
            self._dirty.set()
            if len(rows) >= self._limits.batch_rows:
                self.flush()

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        """The source was well all through [from_us, to_us]."""
        place = self._sources[source]
        place.lost_us = None
        if to_us < from_us or not -_FURTHEST_US < from_us <= to_us < _FURTHEST_US:
            return
        place.seen_us = to_us
        _extend(place.spans, from_us, to_us)

    def lost(self, source: str, since_us: int, reason: str) -> None:
        """Nothing is known of the source from since_us on: a bad sample of each of its signals says so."""
        place = self._sources[source]
        if place.lost_us is not None:
            return
        place.lost_us = place.seen_us = since_us
        place.spans = [(first, min(last, since_us)) for first, last in place.spans if first <= since_us]
        for signal in place.signals:
            self._sent[signal] = Sample(signal, since_us, None, Quality.BAD)
            sample = self._last[signal] = self._apart(self._sent[signal])
            self._rows.append(sample)
        _log.info("%s: %d signals are bad since the last good scan: %s", source, len(place.signals), reason)
        self._touched.add(source)
        self._dirty.set()

    def seen_us(self) -> dict[int, int]:
        """Signal to the time of the newest value that was seen of it, reported or not; microseconds UTC."""
        return {signal: sample.time_us for signal, sample in self._last.items()}

    def overtake(self, pending: Sequence[Pending]) -> None:
        """The next batch leaves a backlog behind: it tells so, and holds a full read of each source."""
        self._pending = list(pending)
        for place in self._sources.values():
            place.owes_full = True
        self._dirty.set()

    async def run(self) -> None:
        """Make batches until cancelled; a last one then."""
        limits = self._limits
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(limits.mark_s / 5):
                        await self._dirty.wait()
                now_s = self.turned_s = self._clock.monotonic_s()
                rest_s = max(self._flushed_s + limits.batch_s, self._blocked_until_s) - now_s
                if rest_s > 0:
                    await asyncio.sleep(rest_s)
                self.flush()
        finally:
            self._blocked_until_s = float("-inf")
            self.flush(all_marks=True)

    def flush(self, *, all_marks: bool = False) -> None:
        """Put what there is into the buffer as one batch; all_marks: also marks that are not due yet."""
        self._dirty.clear()
        now_s = self._flushed_s = self._clock.monotonic_s()
        if now_s < self._blocked_until_s:
            self._refuse("the buffer was full")
            return
        again = self._full_reads()
        due = self._due_for_marks(now_s, all_marks)
        marks = [ScanMark(place.index, *span) for place in due for span in place.spans]
        gaps = [self._gap_until(again)] if self._gap is not None else []
        written = Written([*self._rows, *again], marks, gaps, self._pending, self._dictionary)
        if not (written.samples or marks or gaps or written.pending):
            return
        if self._put(written):
            self._done(due, now_s)

    def _due_for_marks(self, now_s: float, all_marks: bool) -> list[_Source]:
        """Sources whose marks go now: with their samples, or all together once one has waited for long."""
        proven = {name: place for name, place in self._sources.items() if place.spans}
        if all_marks or any(now_s - place.sent_s >= self._limits.mark_s for place in proven.values()):
            return list(proven.values())
        return [place for name, place in proven.items() if name in self._touched]

    def _put(self, written: Written) -> bool:
        try:
            taken = self._buffer.put(written)
        except ValueError as error:
            _log.error("a batch cannot be encoded: %s", error)
            self._refuse(f"could not be encoded: {error}")
            return False
        if not taken:
            self._blocked_until_s = self._clock.monotonic_s() + self._limits.retry_s
            self._refuse("the buffer was full")
            return False
        self.counters.rows += len(written.samples)
        self.counters.batches += 1
        return True

    def _done(self, marked: Iterable[_Source], now_s: float) -> None:
        for place in marked:
            place.spans = []
            place.sent_s = now_s
        for place in self._sources.values():
            place.owes_full = False
        self._rows, self._pending, self._gap = [], [], None
        self._touched.clear()

    def _refuse(self, reason: str) -> None:
        """The rows at hand are lost: one gap record tells of all that were since the last batch taken."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        if self._gap is None:
            _log.error("%d rows are lost, %s", len(rows), reason)
        self.counters.refused += len(rows)
        old = self._gap
        signals = {row.signal for row in rows} | set(old.signals if old else ())
        times = [row.time_us for row in rows] + ([old.from_us, old.to_us - 1] if old else [])
        count = len(rows) + (old.count if old else 0)
        self._gap = Gap(self._stream, 0, 0, min(times), max(times) + 1, count, reason, sorted(signals))
        for name in self._touched:
            self._sources[name].owes_full = True
        self._touched.clear()

    def _gap_until(self, again: Sequence[Sample]) -> Gap:
        """The gap lasts until the full read that follows it; for very many signals it names all."""
        gap = self._gap
        assert gap is not None
        to_us = max([gap.to_us, *(sample.time_us for sample in again)])
        signals = gap.signals if len(gap.signals) <= 1_000 else []
        return Gap(gap.stream, 0, 0, gap.from_us, to_us, gap.count, gap.reason, signals)

    def _full_reads(self) -> list[Sample]:
        """Last values of the sources that owe a full read, dated at the last good scan of each."""
        found: list[Sample] = []
        reported = {id(row) for row in self._rows}
        for name, place in self._sources.items():
            if not place.owes_full:
                continue
            self._touched.add(name)
            for signal in place.signals:
                last = self._last.get(signal)
                if last is None or id(last) in reported:
                    continue
                time_us = max(last.time_us, place.seen_us or last.time_us)
                found.append(self._apart(replace(last, time_us=time_us)))
        return found

    def _apart(self, sample: Sample) -> Sample:
        """Two samples of a signal never share an instant: the later one is moved by a microsecond.

        A full read repeats a value of the same source time; a loss is dated at the last good scan.
        """
        raw_us, dated_us = self._dated.get(sample.signal, _NEVER)
        if not raw_us <= sample.time_us <= dated_us:
            self._dated[sample.signal] = (sample.time_us, sample.time_us)
            return sample
        self._dated[sample.signal] = (raw_us, dated_us + 1)
        return replace(sample, time_us=dated_us + 1)

    def _sample(self, reading: Reading) -> Sample:
        """A reading as it may travel: finite, bounded, in range."""
        value, raw, quality = reading.value, reading.raw, reading.quality
        time_us, source_us = reading.time_us, reading.source_time_us
        if (
            type(value) is float
            and math.isfinite(value)
            and raw is None
            and source_us is None
            and -_FURTHEST_US < time_us < _FURTHEST_US
        ):
            return Sample(reading.signal, time_us, value, quality)
        if type(value) is float and not math.isfinite(value):
            value, raw, quality = None, value if raw is None else raw, Quality.BAD
            self.counters.mended += 1
        elif type(value) is str and len(value) > self._limits.text_chars:
            value, quality = value[: self._limits.text_chars], max(quality, Quality.UNCERTAIN)
            self.counters.mended += 1
        if type(raw) is str:
            raw = raw[: self._limits.text_chars]
        if not -_FURTHEST_US < time_us < _FURTHEST_US:
            time_us, quality = self._clock.now_us(), max(quality, Quality.UNCERTAIN)
            self.counters.mended += 1
        if source_us is not None and not -_FURTHEST_US < source_us < _FURTHEST_US:
            source_us = None
        return Sample(reading.signal, time_us, _number(value), quality, _number(raw), source_us)


def _number(value: Value | None) -> Value | None:
    """Integers and truth values as float64, which is what the columns hold."""
    return float(value) if isinstance(value, int) else value


def _extend(spans: list[tuple[int, int]], from_us: int, to_us: int) -> None:
    """Add a span; one that touches the newest continues it. Beyond 100 spans the oldest is given up."""
    if spans and spans[-1][0] <= from_us <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(spans[-1][1], to_us))
        return
    spans.append((from_us, to_us))
    del spans[:-100]
