"""Which samples count and where trust in a signal ends: silence is never read as 'nothing changed'.

A signal is trusted from a sample that is not bad until a bad one, until its source's scan marks end, or
until a reported loss. All instants are integer UTC microseconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from msgspec import Struct

from cloud_api.interpret.model import Evidence, Loss, Sample, Signal, Span

IN_TRANSIT = "in transit"


def slot(signal: Signal) -> str:
    """The name of a signal within its machine: its role, a material with its item."""
    return f"{signal.role}:{signal.item}" if signal.role == "material" and signal.item else signal.role


def joined(spans: Iterable[Span]) -> list[Span]:
    """The union of spans as disjoint spans that do not touch, in order."""
    union: list[Span] = []
    for span in sorted(spans):
        if span.from_us >= span.to_us:
            continue
        if union and span.from_us <= union[-1].to_us:
            if span.to_us > union[-1].to_us:
                union[-1] = Span(union[-1].from_us, span.to_us)
        else:
            union.append(span)
    return union


def without(span: Span, holes: Sequence[Span]) -> list[Span]:
    """What of the span is outside the holes (joined)."""
    rest, at = [], span.from_us
    for hole in holes:
        if hole.to_us <= at or hole.from_us >= span.to_us:
            continue
        if hole.from_us > at:
            rest.append(Span(at, hole.from_us))
        at = hole.to_us
    if at < span.to_us:
        rest.append(Span(at, span.to_us))
    return rest


def holds(spans: Sequence[Span], time_us: int) -> bool:
    """Whether one of the joined spans holds the instant."""
    at = bisect_right(spans, time_us, key=attrgetter("from_us")) - 1
    return at >= 0 and time_us < spans[at].to_us


class Interruption(Struct, frozen=True, order=True):
    """Trust ends at an instant: of everything from a source, or of the slots named."""

    time_us: int
    source: str | None
    slots: frozenset[str]


class Hole(Struct, frozen=True):
    """A span without trust in what an agent sends for the slots, and why."""

    span: Span
    slots: frozenset[str]
    reason: str


class Trust:
    """The trust that one machine's evidence gives to its signals."""

    def __init__(self, evidence: Evidence) -> None:
        self._signals = evidence.signals
        self._samples = evidence.samples
        self.coverage: Mapping[str, list[Span]] = {
            source: joined(spans) for source, spans in evidence.coverage.items()
        }
        self._live: dict[str, list[Signal]] = {}
        for signal in evidence.signals.values():
            if signal.source is not None:
                self._live.setdefault(slot(signal), []).append(signal)
        self.holes = [hole for loss in evidence.losses for hole in self._holes(loss)]

    def _holes(self, loss: Loss) -> list[Hole]:
        slots = frozenset(self._live)
        if loss.series is not None:
            slots = frozenset(slot(self._signals[s]) for s in loss.series if s in self._signals)
        span = Span(loss.from_us, loss.to_us)
        if loss.kind == "gap":
            return [Hole(span, slots, loss.reason or "gap")] if span.from_us < span.to_us else []
        sources = {signal.source for name in slots for signal in self._live.get(name, ())}
        here = [spans for source, spans in self.coverage.items() if source in sources]
        covered = joined(piece for spans in here for piece in spans)
        return [Hole(part, slots, IN_TRANSIT) for part in without(span, covered)]

    def reaches(self, source: str, time_us: int) -> bool:
        """Whether scan marks of the source reach up to the instant from before it."""
        return holds(self.coverage.get(source, ()), time_us - 1)

    def interruptions(self, from_us: int, to_us: int, covered: Sequence[str]) -> list[Interruption]:
        """Where trust ends in [from_us, to_us); `covered`: sources whose marks reached up to from_us."""
        found = {
            Interruption(span.to_us, source, frozenset())
            for source, spans in self.coverage.items()
            for span in spans
            if from_us <= span.to_us < to_us
        }
        for source in covered:
            if not holds(self.coverage.get(source, ()), from_us):
                found.add(Interruption(from_us, source, frozenset()))
        for hole in self.holes:
            if from_us <= hole.span.from_us < to_us:
                found.add(Interruption(hole.span.from_us, None, hole.slots))
        return sorted(found, key=lambda i: (i.time_us, i.source or "", sorted(i.slots)))

    def reason_changes(self, from_us: int, to_us: int) -> list[tuple[int, str | None]]:
        """Why the state is not known, as a step function over [from_us, to_us); a gap tells more than a
        backlog."""
        holes = [hole for hole in self.holes if "state" in hole.slots]
        edges = {edge for hole in holes for edge in (hole.span.from_us, hole.span.to_us)}
        steps: list[tuple[int, str | None]] = []
        for edge in sorted({from_us, *(edge for edge in edges if from_us < edge < to_us)}):
            reasons = {hole.reason for hole in holes if hole.span.from_us <= edge < hole.span.to_us}
            told = sorted(reasons, key=lambda reason: (reason == IN_TRANSIT, reason))
            steps.append((edge, told[0] if told else None))
        return steps

    def usable(self, from_us: int, to_us: int) -> tuple[list[Sample], list[Sample]]:
        """Samples of [from_us, to_us] in time order, without those inside a hole; and the history rows that
        live data covers."""
        shadowed: list[Sample] = []
        samples = [sample for sample in self._samples if from_us <= sample.time_us <= to_us]
        if self._live and any(sample.history for sample in samples):
            shadowed = [sample for sample in samples if sample.history and self._is_shadowed(sample)]
            covered = set(map(id, shadowed))
            samples = [sample for sample in samples if id(sample) not in covered]
        if self.holes:
            samples = [sample for sample in samples if not self._is_lost(sample)]
        samples.sort(key=attrgetter("time_us"))
        return samples, shadowed

    def _is_shadowed(self, sample: Sample) -> bool:
        signal = self._signals.get(sample.series)
        if signal is None:
            return False
        name = slot(signal)
        return not self._in_hole(name, sample.time_us) and any(
            live.source is not None
            and (live.since_us is None or live.since_us <= sample.time_us)
            and holds(self.coverage.get(live.source, ()), sample.time_us)
            for live in self._live.get(name, ())
        )

    def _is_lost(self, sample: Sample) -> bool:
        signal = self._signals.get(sample.series)
        return signal is not None and not sample.history and self._in_hole(slot(signal), sample.time_us)

    def _in_hole(self, name: str, time_us: int) -> bool:
        return any(
            hole.span.from_us <= time_us < hole.span.to_us and name in hole.slots for hole in self.holes
        )
