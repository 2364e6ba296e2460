"""Small plants and histories, written as a few words, for tests of the interpretation."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from cloud_api.interpret.calendar import micros
from cloud_api.interpret.interpretation import interpret
from cloud_api.interpret.model import (
    Boundary,
    Entry,
    Evidence,
    HourResult,
    Interpretation,
    Loss,
    Output,
    Sample,
    Segment,
    Signal,
    Span,
)
from cloud_api.interpret.plant import (
    BillItem,
    Calendar,
    CounterRule,
    Labour,
    Line,
    Machine,
    Plant,
    Price,
    Rate,
    Shift,
    Standard,
    Tariff,
)
from cloud_api.interpret.standards import Book

D = Decimal
LOADED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NEW_YEAR = dt.date(2026, 1, 1)
WEEK = (0, 1, 2, 3, 4, 5, 6)
SECOND = 1_000_000
MINUTE = 60 * SECOND
ALL_DAY = Shift("A", 0, 0, WEEK)


def at(clock: str, day: str = "2026-03-02") -> int:
    """UTC microseconds of a clock time 'HH:MM[:SS]' on a day (a Monday by default)."""
    return micros(dt.datetime.fromisoformat(f"{day}T{clock}+00:00"))


def dated(from_: dt.date = NEW_YEAR, recorded: dt.datetime = LOADED, version: int = 1) -> dict[str, object]:
    return {"effective_from": from_, "recorded_at": recorded, "version": version, "source": "test:1"}


def standard(product: str = "P", machine: str = "m1", cycle: str = "60", **more: object) -> Standard:
    head = dated(
        more.pop("from_", NEW_YEAR),  # type: ignore[arg-type]
        more.pop("recorded", LOADED),  # type: ignore[arg-type]
        more.pop("version", 1),  # type: ignore[arg-type]
    )
    rest = {name: value if value is None else D(str(value)) for name, value in more.items()}
    return Standard(product=product, machine=machine, ideal_cycle_s=D(cycle), **{**head, **rest})  # type: ignore[arg-type]


def bill(material: str, quantity: str, product: str = "P", machine: str = "m1", **head: object) -> BillItem:
    return BillItem(
        product=product,
        machine=machine,
        material=material,
        quantity=D(quantity),
        **dated(**head),  # type: ignore[arg-type]
    )


def price(material: str, standard: str, actual: str | None = None, **head: object) -> Price:
    actual_price = None if actual is None else D(actual)
    return Price(material=material, standard=D(standard), actual=actual_price, **dated(**head))  # type: ignore[arg-type]


def rate(standard: str, actual: str | None = None, **head: object) -> Rate:
    return Rate(standard=D(standard), actual=None if actual is None else D(actual), **dated(**head))  # type: ignore[arg-type]


def wage(
    standard: str, actual: str | None = None, multiplier: str = "1.5", line: str | None = None,
    shift: str | None = None, **head: object,
) -> Labour:  # fmt: skip
    return Labour(
        standard=D(standard),
        actual=None if actual is None else D(actual),
        overtime_multiplier=D(multiplier),
        line=line,
        shift=shift,
        **dated(**head),  # type: ignore[arg-type]
    )


def tariff(standard: str, actual: str | None = None, **head: object) -> Tariff:
    return Tariff(standard=D(standard), actual=None if actual is None else D(actual), **dated(**head))  # type: ignore[arg-type]


def machine(
    name: str = "m1", line: str = "L", rates: Sequence[Rate] | None = None, **counters: CounterRule
) -> Machine:
    return Machine(
        id=name,
        line=line,
        cost_centre="CC-1",
        rates=tuple([rate("60")] if rates is None else rates),
        counters=counters,
    )


def calendar(shifts: Sequence[Shift] = (ALL_DAY,), day_start_min: int = 0, **more: object) -> Calendar:
    return Calendar(
        version=7,
        recorded_at=LOADED,
        shifts=tuple(shifts),
        day_start_min=day_start_min,
        **more,  # type: ignore[arg-type]
    )


def plant(
    standards: Sequence[Standard] | None = None,
    machines: Sequence[Machine] | None = None,
    shifts: Sequence[Shift] = (ALL_DAY,),
    labour: Sequence[Labour] | None = None,
    energy: Sequence[Tariff] | None = None,
    time_zone: str = "UTC",
    **more: object,
) -> Plant:
    """A site with one line of one machine at 60 an hour, a wage of 30, a kWh at 0.1; P takes 60 s and a
    crew of 2."""
    some_calendar = more.pop("calendar", None) or calendar(shifts)
    return Plant(
        site="s",
        time_zone=time_zone,
        currency="USD",
        calendar=some_calendar,  # type: ignore[arg-type]
        lines=(Line("L", tuple(machines or [machine()])),),
        labour=tuple([wage("30")] if labour is None else labour),
        energy=tuple([tariff("0.1")] if energy is None else energy),
        standards=tuple([standard(crew=2)] if standards is None else standards),
        **more,  # type: ignore[arg-type]
    )


class Story:
    """A machine's history: `story("08:00", state="running", good_count=0)`; None is an empty value."""

    def __init__(self, live: bool = False, day: str = "2026-03-02") -> None:
        self.day = day
        self.source = "gw/plc" if live else None
        self.live = live
        self.samples: list[Sample] = []
        self.signals: dict[int, Signal] = {}
        self._series: dict[str, int] = {}
        self.coverage: list[Span] = []
        self.losses: list[Loss] = []

    def signal(self, name: str, **more: object) -> int:
        """Declare a signal by name ('good_count', 'material:resin'); the number of its series."""
        if name not in self._series:
            role, _, item = name.partition(":")
            number = self._series[name] = len(self._series) + 1
            self.signals[number] = Signal(role=role, item=item or None, source=self.source, **more)  # type: ignore[arg-type]
        return self._series[name]

    def __call__(
        self,
        clock: str | int,
        quality: int = 0,
        raw: float | None = None,
        history: bool | None = None,
        **values: object,
    ) -> Story:
        time_us = clock if isinstance(clock, int) else at(clock, self.day)
        for name, value in values.items():
            series = self.signal(name.replace("material_", "material:"))
            number = isinstance(value, int | float)
            self.samples.append(
                Sample(
                    time_us=time_us,
                    series=series,
                    value=float(value) if number else None,  # type: ignore[arg-type]
                    text=None if number else value,  # type: ignore[arg-type]
                    quality=quality,
                    history=(not self.live) if history is None else history,
                    raw=raw,
                )
            )
        return self

    def covered(self, *spans: tuple[str, str]) -> Story:
        self.coverage += [Span(at(begin, self.day), at(end, self.day)) for begin, end in spans]
        return self

    def lost(self, begin: str, end: str, kind: str = "gap", reason: str | None = None) -> Story:
        span = (at(begin, self.day), at(end, self.day))
        self.losses.append(Loss(from_us=span[0], to_us=span[1], kind=kind, reason=reason))  # type: ignore[arg-type]
        return self

    def evidence(self, from_us: int | None = None, to_us: int | None = None) -> Evidence:
        """All of it, or what touches [from_us, to_us)."""
        first = min(sample.time_us for sample in self.samples)
        watermark = max([s.time_us for s in self.samples] + [span.to_us for span in self.coverage])
        begin = first if from_us is None else from_us
        end = watermark + 1 if to_us is None else to_us
        return Evidence(
            from_us=begin,
            to_us=end,
            first_us=first,
            watermark_us=watermark,
            signals=self.signals,
            samples=[s for s in self.samples if begin <= s.time_us <= end],
            coverage={self.source: list(self.coverage)} if self.source and self.coverage else {},
            losses=self.losses,
        )


def run(
    story: Story, model: Plant | None = None, cuts: Sequence[int] = (), name: str = "m1"
) -> Interpretation:
    """Interpret a whole story from nothing."""
    return interpret(name, Book(model or plant()), story.evidence(), cuts=cuts)


def segments(result: Interpretation | Iterable[HourResult]) -> list[Segment]:
    hours = result.hours if isinstance(result, Interpretation) else result
    return [segment for hour in hours for segment in hour.segments]


def entries(result: Interpretation | Iterable[HourResult]) -> list[Entry]:
    hours = result.hours if isinstance(result, Interpretation) else result
    return [entry for hour in hours for entry in hour.entries]


def outputs(result: Interpretation | Iterable[HourResult]) -> list[Output]:
    hours = result.hours if isinstance(result, Interpretation) else result
    return [output for hour in hours for output in hour.outputs]


def ledger(some: Interpretation | Iterable[Entry]) -> dict[tuple[str, str], Decimal]:
    """Amounts by resource and cause, rounded to 6 decimals, without zeros."""
    rows = entries(some) if isinstance(some, Interpretation) else some
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in rows:
        sums[entry.resource, entry.cause] += entry.amount
    rounded = {key: amount.quantize(D("1e-6")).normalize() for key, amount in sums.items()}
    return {key: amount + 0 for key, amount in rounded.items() if amount}


def spans(result: Interpretation) -> list[tuple[str, str, str]]:
    """(from, to, state) of the segments joined over hours, as clock times."""
    joined: list[list[object]] = []
    for segment in segments(result):
        if joined and joined[-1][2] == segment.state and joined[-1][1] == segment.from_us:
            joined[-1][1] = segment.to_us
        else:
            joined.append([segment.from_us, segment.to_us, segment.state])
    return [(clock(int(a)), clock(int(b)), str(state)) for a, b, state in joined]  # type: ignore[call-overload]


def clock(time_us: int) -> str:
    moment = dt.datetime.fromtimestamp(time_us / SECOND, dt.UTC)
    return moment.strftime("%H:%M" if moment.second == 0 else "%H:%M:%S")


def amounts(**cells: str) -> dict[tuple[str, str], Decimal]:
    """Expected ledger from `machine_production='1.5'`."""
    return {
        (name.split("_", 1)[0], name.split("_", 1)[1]): D(value).normalize() + 0
        for name, value in cells.items()
    }


def store(hours: Iterable[HourResult]) -> dict[int, Boundary]:
    """The boundaries that a store would keep."""
    return {hour.begin.hour_us: hour.begin for hour in hours}
