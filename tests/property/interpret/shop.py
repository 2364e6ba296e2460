"""A store in memory: what ingest would keep of a machine, its marks, and what the interpretation leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import json

from cloud_api.interpret.interpretation import interpret
from cloud_api.interpret.model import Boundary, Evidence, HourResult, Loss, Sample, Signal, Span
from cloud_api.interpret.standards import Book
from cloud_api.work.passes import advance
from shared.units import HOUR_US

SOURCE = "gw/plc"


def hour_of(time_us: int) -> int:
    return time_us - time_us % HOUR_US


class Shop:
    """One machine. `deliver` takes data in any order, `work` serves the marks as the worker does."""

    def __init__(self, book: Book, signals: Mapping[int, Signal]) -> None:
        self.book, self.signals = book, signals
        self.samples: list[Sample] = []
        self.coverage: list[Span] = []
        self.losses: list[Loss] = []
        self.marks: set[int] = set()
        self.hours: dict[int, HourResult] = {}
        self._boundaries: dict[int, bytes] = {}
        self.computed = 0

    @property
    def first_us(self) -> int:
        return min(sample.time_us for sample in self.samples)

    @property
    def watermark_us(self) -> int:
        return max([s.time_us for s in self.samples] + [span.to_us for span in self.coverage])

    def deliver(self, pieces: Iterable[Sample | Span | Loss]) -> None:
        for piece in pieces:
            if isinstance(piece, Sample):
                self.samples.append(piece)
                self.marks.add(hour_of(piece.time_us))
                continue
            self.marks.update(range(hour_of(piece.from_us), piece.to_us + 1, HOUR_US))
            if isinstance(piece, Span):
                self.coverage.append(piece)
            else:
                self.losses.append(piece)

    def work(self, chunk_hours: int) -> None:
        while self.marks and self.samples and self.first_us < self.watermark_us:
            hours = sorted(self.marks)
            begin = self.boundary_before(min(hours[0], hour_of(self.watermark_us - 1)))
            start = hour_of(self.first_us) if begin is None else begin.hour_us
            end = max(hours[0], start) + chunk_hours * HOUR_US
            done = advance(self, "m1", self.book, self.first_us, begin, hours[0], end)
            if done.to_us is None:
                self.marks.clear()
            else:
                self.marks = {hour for hour in self.marks if not hour < done.to_us}
                if not done.settled:
                    self.marks.add(done.to_us)

    # what a pass asks for

    def evidence(self, from_us: int, to_us: int) -> Evidence:
        return Evidence(
            from_us=from_us,
            to_us=to_us,
            first_us=self.first_us,
            watermark_us=self.watermark_us,
            signals=self.signals,
            samples=[sample for sample in self.samples if from_us <= sample.time_us <= to_us],
            coverage={SOURCE: [s for s in self.coverage if s.to_us >= from_us and s.from_us <= to_us]},
            losses=[loss for loss in self.losses if loss.to_us > from_us and loss.from_us <= to_us],
        )

    def boundary_before(self, hour_us: int) -> Boundary | None:
        known = [hour for hour in self._boundaries if hour <= hour_us]
        return self._boundary(max(known)) if known else None

    def boundaries(self, from_us: int, to_us: int) -> Mapping[int, Boundary]:
        return {hour: self._boundary(hour) for hour in self._boundaries if from_us <= hour <= to_us}

    def _boundary(self, hour_us: int) -> Boundary:
        return json.decode(self._boundaries[hour_us], type=Boundary)

    def keep(self, from_us: int, last_hour_us: int, hours: Sequence[HourResult], ends: bool) -> None:
        self.computed += len(hours)
        for hour in [h for h in self.hours if from_us <= h <= last_hour_us or (ends and h > last_hour_us)]:
            del self.hours[hour]
        for result in hours:
            self.hours[result.hour_us] = result
            self.keep_boundary(result.begin)
        if ends:
            for hour in [h for h in self._boundaries if h > last_hour_us]:
                del self._boundaries[hour]

    def keep_boundary(self, boundary: Boundary) -> None:
        self._boundaries[boundary.hour_us] = json.encode(boundary)

    def from_scratch(self) -> dict[int, HourResult]:
        """All hours in one go, from everything delivered."""
        evidence = self.evidence(self.first_us, self.watermark_us + 1)
        return {hour.hour_us: hour for hour in interpret("m1", self.book, evidence).hours}
