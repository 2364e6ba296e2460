"""Random plants and histories of one machine: every signal, falls, bad samples, losses, files."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random

from hypothesis import strategies as st
from msgspec import Struct

from cloud_api.interpret.calendar import micros
from cloud_api.interpret.model import STATES, Loss, Sample, Signal, Span
from cloud_api.interpret.plant import Break, ChangeoverPair, Plant, Shift
from shared.units import HOUR_US, MINUTE_US
from tests.unit.interpret.scenes import (
    WEEK,
    bill,
    calendar,
    dated,
    machine,
    plant,
    price,
    rate,
    standard,
    tariff,
    wage,
)

from .shop import SOURCE

START = micros(dt.datetime(2026, 3, 8, 0, tzinfo=dt.UTC))
HOURS = 10
LATE = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
SUNDAY = dt.date(2026, 3, 8)

NAMES = (
    "state", "state", "state", "state", "product", "product", "order", "reason", "reason", "crew",
    "good_count", "good_count", "scrap_count", "rework_count", "energy", "material:steel", "material:rag",
)  # fmt: skip
SLOTS = tuple(dict.fromkeys(NAMES))


class History(Struct, frozen=True):
    """Signals and everything that arrives of a machine."""

    signals: dict[int, Signal]
    pieces: list[Sample | Span | Loss]


def signals(total: bool) -> dict[int, Signal]:
    """Live series 1.. and series of files 101.. of the same signals."""
    found: dict[int, Signal] = {}
    for at, name in enumerate(SLOTS, start=1):
        role, _, item = name.partition(":")
        role = "total_count" if total and role == "good_count" else role
        fall = {"scrap_count": "reset", "energy": "rollover"}.get(role)
        for series, source in ((at, SOURCE), (at + 100, None)):
            found[series] = Signal(
                role=role,
                item=item or None,
                source=source,
                fall=fall,
                rollover=Decimal(50) if fall == "rollover" else None,
            )
    return found


def instant(random: Random) -> int:
    """Minutes mostly, so that signals meet; hours' starts often; any microsecond at times."""
    kind = random.random()
    if kind < 0.15:
        return START + random.randint(0, HOURS) * HOUR_US
    if kind < 0.85:
        return START + random.randint(0, HOURS * 60) * MINUTE_US
    return START + random.randint(0, HOURS * HOUR_US)


def sample(random: Random) -> Sample:
    name = random.choice(NAMES)
    text: str | None = None
    value: float | None = None
    if name == "state":
        text = random.choice(("running", "running", "changeover", "down", *STATES, "Running", ""))
    elif name in ("product", "order", "reason"):
        text = random.choice(("P", "P", "P", "Q", "Q", "X", ""))
    elif name == "crew":
        value = random.choice((1.0, 2.0, 3.0, 0.0, 2.5, -1.0))
    else:
        value = random.choice((float(random.randint(0, 60)), 0.1, 7.25, 33.3, 65530.0, float("nan")))
    history = random.random() < 0.2
    return Sample(
        time_us=instant(random),
        series=SLOTS.index(name) + 1 + (100 if history else 0),
        value=value,
        text=text,
        quality=random.choice((0, 0, 0, 0, 0, 0, 1, 2)),
        history=history,
    )


def span(random: Random) -> Span:
    begin = instant(random)
    return Span(begin, begin + random.choice((1, 7, 60, 90, 240, 400)) * MINUTE_US)


def loss(random: Random) -> Loss:
    lost = span(random)
    return Loss(
        from_us=lost.from_us,
        to_us=lost.to_us,
        kind=random.choice(("gap", "pending")),  # type: ignore[arg-type]
        reason="full",
        series=random.choice((None, frozenset({1}), frozenset({2, 7}))),
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Few things or many, drawn from a seed: a small history rarely leaves anything open over an hour."""
    random = Random(draw(st.integers(0, 2**32)))
    pieces: list[Sample | Span | Loss] = [
        sample(random) for _ in range(draw(st.sampled_from((2, 9, 25, 60, 140))))
    ]
    pieces += [span(random) for _ in range(draw(st.sampled_from((0, 0, 2, 5, 9))))]
    pieces += [loss(random) for _ in range(draw(st.sampled_from((0, 0, 0, 1, 3))))]
    return History(signals(draw(st.booleans())), pieces)


def the_plant(time_zone: str = "America/New_York") -> Plant:
    """Two products, standards of two recordings, breaks, overtime; new rates when clocks change."""
    pair = ChangeoverPair(machine="m1", from_product="P", to_product="Q", minutes=Decimal(9), **dated())  # type: ignore[arg-type]
    shifts = [
        Shift("A", 330, 1080, WEEK, (Break(930, 45, paid=True), Break(1020, 20))),
        Shift("B", 1140, 1320, WEEK, (Break(1200, 15),), overtime=True),
        Shift("N", 1350, 300, WEEK, (Break(105, 45, paid=True), Break(240, 10))),
    ]
    return plant(
        time_zone=time_zone,
        calendar=calendar(shifts, day_start_min=255),
        machines=[machine(rates=[rate("60", "63"), rate("75.5", "71", from_=SUNDAY)])],
        labour=[wage("30", "31"), wage("33", "32", line="L", shift="B"), wage("41", line="L", from_=SUNDAY)],
        energy=[tariff("0.12", "0.13"), tariff("0.17", recorded=LATE)],
        standards=[
            standard("P", cycle="61.7", crew=2, scrap_rate="0.03", rework_rate="0.01", changeover_min=7,
                     lot_size=70, availability="0.9", energy_kwh="0.37", planned_stop="0.02", waiting="0.01",
                     idle_kw="1.3"),
            standard("P", cycle="55", crew=3, energy_kwh="0.4", scrap_rate="0.01", recorded=LATE, version=2),
            standard("Q", cycle="7.3", crew="1.5", changeover_min=11, lot_size=500, energy_kwh="0.01"),
        ],
        bill=(
            bill("steel", "1.3"), bill("oil", "0.07"), bill("steel", "0.11", product="Q"),
            bill("oil", "0.08", recorded=LATE),
        ),
        prices=(
            price("steel", "2.17", "2.5"), price("oil", "19"), price("rag", "1", "0.9"),
            price("oil", "21", recorded=LATE),
        ),
        changeovers=(pair,),
    )  # fmt: skip
