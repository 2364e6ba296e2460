"""The sweep over one machine's samples: raw pieces of its time line, and what each hour hands on to the
next.

A piece is a span in which all words (state, product, order, reason, crew) are constant, inside one cell of
the calendar grid, with what the counters showed in it. Words that change at an instant change before
counters of that instant are read: an increase seen at t belongs to the piece with from <= t < to."""

from __future__ import annotations

from collections.abc import Mapping

from cloud_api.interpret.calendar import GridCell
from cloud_api.interpret.model import Boundary, Carry, Evidence, Finding, OpenStop, Resolution, Sample
from cloud_api.interpret.plant import CounterRule
from cloud_api.interpret.readings import chosen, differs
from cloud_api.interpret.tally import ROLES, Tally
from cloud_api.interpret.trust import Trust, slot
from cloud_api.interpret.words import NAMES, ORDER, PRODUCT, Now, Words
from shared.units import HOUR_US, MINUTE_US


class Stop:
    """A span of `down`, and the reasons given during it or within the minute after it."""

    __slots__ = ("from_us", "given", "to_us")

    def __init__(self, from_us: int, to_us: int | None = None, reason: str | None = None) -> None:
        self.from_us = from_us
        self.to_us = to_us
        self.given: list[tuple[int, str]] = [] if reason is None else [(from_us, reason)]


class Piece:
    """A raw piece of the time line; quantities and crew are integers in units of 1e-12 (crew None: no
    signal). `turn`: a changeover begins here; `ran_*`: of the last running piece."""

    __slots__ = (
        "cell", "crew", "crew_trusted", "energy", "from_us", "good", "last_product", "late", "materials",
        "metered", "order", "product", "ran_order", "ran_product", "reason", "rework", "scrap", "state",
        "stop", "to_us", "turn", "uncertain",
    )  # fmt: skip

    def __init__(self, cell: GridCell, from_us: int, words: Now) -> None:
        self.cell = cell
        self.from_us = self.to_us = from_us
        self.state, self.product, self.order, self.reason, self.crew, self.crew_trusted, self.uncertain = (
            words
        )
        self.last_product: str | None = None
        self.ran_product: str | None = None
        self.ran_order: str | None = None
        self.metered: frozenset[str] = frozenset()
        self.stop: Stop | None = None
        self.turn = self.late = False
        self.good = self.scrap = self.rework = self.energy = 0
        self.materials: dict[str, int] = {}


class Sweep:
    """One pass over a machine's evidence, hour by hour, from a boundary on.

    After `run`: `pieces` in order, `stops` by start, `carries` by hour, `resolutions` by start of the
    changeover, `settled_us` where an hour's carry equals the stored one (None: nowhere)."""

    def __init__(self, evidence: Evidence, rules: Mapping[str, CounterRule], begin: Boundary) -> None:
        carry = begin.carry
        self.pieces: list[Piece] = []
        self.carries: dict[int, Carry] = {begin.hour_us: carry}
        self.resolutions: dict[int, Resolution] = {}
        self.settled_us: int | None = None
        self.stops: dict[int, Stop] = {}
        self._evidence = evidence
        self._trust = Trust(evidence)
        self._slots = {series: slot(signal) for series, signal in evidence.signals.items()}
        self._sources = {series: signal.source for series, signal in evidence.signals.items()}
        self._word_at = {
            series: NAMES.index(signal.role)
            for series, signal in evidence.signals.items()
            if signal.role in NAMES
        }
        self._counting = {series for series, signal in evidence.signals.items() if signal.role in ROLES}
        self._findings: dict[tuple[int, str, str, str], list[int]] = {}
        self._covered = carry.covered
        self._words = Words(carry.held)
        self._tally = Tally(evidence.signals, rules, carry.bases)
        self._last_product = carry.last_product
        self._ran, self._ran_product, self._ran_order = carry.ran, carry.ran_product, carry.ran_order
        self.changeover_us = carry.changeover_us
        self.changing: list[Piece] = []
        self._recent = [Stop(s.from_us, s.to_us, s.reason) for s in carry.stops]
        self._stop = next((stop for stop in self._recent if stop.to_us is None), None)
        self.stops.update((stop.from_us, stop) for stop in self._recent)
        self._reason = self._words.reason()
        self._untold: str | None = None
        self._now = self._words.now(None)

    def run(self, grid: list[GridCell], stored: Mapping[int, Boundary], settle_after_us: int) -> None:
        """Sweep the grid; stop early at an hour after `settle_after_us` whose carry equals the stored one."""
        from_us, to_us = grid[0].from_us, grid[-1].to_us
        closing = to_us == self._evidence.watermark_us
        self._grid, self._at = grid, 0
        self._stored, self._settle_after_us = stored, settle_after_us
        samples, shadowed = self._trust.usable(from_us, to_us)
        for sample in set(shadowed):
            self._find("shadowed", self._slots[sample.series], "", sample.time_us)
        self._open(from_us)
        if not self._sweep(from_us, to_us, samples) and not self._cross(to_us - 1):
            if closing:
                self._last(to_us, [sample for sample in samples if sample.time_us == to_us])
            self._close(to_us)
            if to_us % HOUR_US == 0 and not closing:
                self._settle(to_us)

    def _sweep(self, from_us: int, to_us: int, samples: list[Sample]) -> bool:
        """All instants in [from_us, to_us); True where the rest is as stored."""
        self._interrupted: dict[int, list[tuple[str | None, frozenset[str]]]] = {}
        for end in self._trust.interruptions(from_us, to_us, self._covered):
            self._interrupted.setdefault(end.time_us, []).append((end.source, end.slots))
        self._told = dict(self._trust.reason_changes(from_us, to_us))
        times = {sample.time_us for sample in samples}.union(self._interrupted, self._told)
        at, count = 0, len(samples)
        for time_us in sorted(times):
            if time_us >= to_us:
                break
            first = at
            while at < count and samples[at].time_us == time_us:
                at += 1
            if time_us >= self.piece.cell.to_us and self._cross(time_us):
                return True
            self._instant(time_us, samples[first:at])
        return False

    def _cross(self, time_us: int) -> bool:
        """Go on to the cell that holds the instant; True where the rest is as stored."""
        while time_us >= self.piece.cell.to_us:
            edge = self.piece.cell.to_us
            self._close(edge)
            if edge % HOUR_US == 0 and self._settle(edge):
                return True
            self._at += 1
            self._open(edge)
        return False

    def _settle(self, hour_us: int) -> bool:
        carry = self.carries[hour_us] = self._carry(hour_us)
        known = self._stored.get(hour_us)
        if hour_us > self._settle_after_us and known is not None and known.carry == carry:
            self.settled_us = hour_us
        return self.settled_us is not None

    def _carry(self, hour_us: int) -> Carry:
        held, bases = self._words.held(), self._tally.bases()
        sources = {h.source for h in held if h.trusted} | {b.source for b in bases if not b.lost}
        self._forget_stops(hour_us)
        return Carry(
            begun=True,
            held=held,
            bases=bases,
            covered=tuple(sorted(s for s in sources if s is not None and self._trust.reaches(s, hour_us))),
            last_product=self._last_product,
            ran=self._ran,
            ran_product=self._ran_product,
            ran_order=self._ran_order,
            changeover_us=self.changeover_us,
            stops=tuple(
                OpenStop(stop.from_us, stop.to_us, stop.given[-1][1] if stop.given else None)
                for stop in self._recent
                if stop.to_us is None or not stop.given
            ),
        )

    def _close(self, time_us: int) -> None:
        self.piece.to_us = time_us
        if time_us > self.piece.from_us:
            self.pieces.append(self.piece)

    def _open(self, time_us: int) -> None:
        piece = self.piece = Piece(self._grid[self._at], time_us, self._now)
        piece.last_product = self._last_product
        piece.ran_product, piece.ran_order = self._ran_product, self._ran_order
        piece.metered = self._tally.metered
        piece.stop = self._stop
        if piece.state == "changeover":
            self.changing.append(piece)

    def _instant(self, time_us: int, samples: list[Sample]) -> None:
        stirred = False
        if time_us in self._told:
            self._untold, stirred = self._told[time_us], True
        for source, slots in self._interrupted.get(time_us, ()):
            self._words.interrupt(source, slots)
            self._tally.interrupt(source, slots)
            stirred = True
        counts = self._take(time_us, samples)
        if stirred or len(counts) < len(samples):
            now = self._words.now(self._untold)
            if now != self._now:
                self._turn_over(time_us, now)
            self._hear_reason(time_us)
        for sample in counts:
            if self._tally.start(self._slots[sample.series], sample):
                self._count(time_us, sample)
                self._meter(time_us)
        for sample in counts:
            self._count(time_us, sample)

    def _last(self, time_us: int, samples: list[Sample]) -> None:
        """The end of data: there is no piece to come, what is seen belongs to the last one."""
        for sample in self._take(time_us, samples):
            self._count(time_us, sample)

    def _take(self, time_us: int, samples: list[Sample]) -> list[Sample]:
        """Take the words of an instant; returns its counter samples."""
        if len(samples) > 1:
            samples = self._one_each(time_us, samples)
        counts = []
        for sample in samples:
            at = self._word_at.get(sample.series)
            if at is not None:
                self._word(time_us, at, sample)
            elif sample.series in self._counting:
                counts.append(sample)
        return counts

    def _one_each(self, time_us: int, samples: list[Sample]) -> list[Sample]:
        groups: dict[str, list[Sample]] = {}
        for sample in samples:
            if sample.series in self._slots:
                groups.setdefault(self._slots[sample.series], []).append(sample)
        if len(groups) == len(samples):
            return [groups[name][0] for name in sorted(groups)]
        for name, group in groups.items():
            if any(differs(group[0], other) for other in group[1:]):
                self._find("conflict", name, "", time_us)
        return [chosen(groups[name]) for name in sorted(groups)]

    def _word(self, time_us: int, at: int, sample: Sample) -> None:
        words = self._words
        before, was_known = words.values[at], words.known[at]
        finding = words.take(at, sample, None if sample.history else self._sources[sample.series])
        if finding is not None:
            self._find(finding[0], NAMES[at], finding[1], time_us)
        if at in (PRODUCT, ORDER) and words.trusted[at]:
            if was_known and words.values[at] != before:
                self._tally.turn()
            if at == PRODUCT and words.values[at] is not None:
                self._last_product = words.values[at]

    def _turn_over(self, time_us: int, now: Now) -> None:
        """Close the piece and open the one that the new words make."""
        before, self._now = self._now[0], now
        state = now[0]
        self._close(time_us)
        if self._stop is not None and state != "down":
            self._stop.to_us = time_us
            self._stop = None
        if state == "down" and self._stop is None:
            self._stop = self.stops[time_us] = Stop(time_us)
            self._recent.append(self._stop)
        begins = state == "changeover" and before != state and self.changeover_us is None
        if begins:
            self.changeover_us = time_us
        if state == "running":
            self._ran, self._ran_product, self._ran_order = True, now[PRODUCT], now[ORDER]
            if self.changeover_us is not None:
                self._resolve(self.changeover_us)
        self._open(time_us)
        self.piece.turn = begins

    def _resolve(self, from_us: int) -> None:
        found = self.resolutions[from_us] = Resolution(from_us, self._ran_product, self._ran_order)
        for piece in self.changing:
            piece.product, piece.order = found.product, found.order
        self.changing = []
        self.changeover_us = None

    def _hear_reason(self, time_us: int) -> None:
        """A reason is given where the trusted reason becomes another one."""
        reason = self._words.reason()
        if reason == self._reason:
            return
        self._reason = reason
        if reason is not None:
            self._forget_stops(time_us)
            for stop in self._recent:
                stop.given.append((time_us, reason))

    def _forget_stops(self, time_us: int) -> None:
        self._recent = [s for s in self._recent if s.to_us is None or time_us <= s.to_us + MINUTE_US]

    def _count(self, time_us: int, sample: Sample) -> None:
        name = self._slots[sample.series]
        source = None if sample.history else self._sources[sample.series]
        finding = self._tally.count(name, sample, source, self.piece)
        if finding is not None:
            self._find(finding[0], name, finding[1], time_us)

    def _meter(self, time_us: int) -> None:
        """What was assumed so far is measured from now on."""
        if self.piece.metered == self._tally.metered:
            return
        if self.piece.from_us < time_us:
            self._close(time_us)
            self._open(time_us)
        self.piece.metered = self._tally.metered

    def _find(self, kind: str, subject: str, detail: str, time_us: int) -> None:
        key = (time_us - time_us % HOUR_US, kind, subject, detail)
        found = self._findings.setdefault(key, [time_us, 0])
        found[0] = min(found[0], time_us)
        found[1] += 1

    def found(self) -> dict[int, tuple[Finding, ...]]:
        """The findings by hour, in order."""
        hours: dict[int, list[Finding]] = {}
        for (hour, kind, subject, detail), (first, count) in self._findings.items():
            hours.setdefault(hour, []).append(Finding(kind, subject, detail, first, count))
        return {hour: tuple(sorted(found)) for hour, found in hours.items()}
