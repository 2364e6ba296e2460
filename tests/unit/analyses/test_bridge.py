"""Bridges between two periods."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction as F

import pytest

from tests.unit.analyses.bridges import Bar, Made, cost_bridge, rounded, unit_cost_bridge

RUN = ("machine", "production")
STOP = ("machine", "downtime")
IDLE = ("labour", "idle")


def kind(bar: Bar) -> str:
    return bar.kind


def test_mix_and_rate_in_closed_form() -> None:
    """Shares .5/.5 to .25/.75; unit costs 2 to 3 and 4 stays: mix -.25 x 2.5 + .25 x 4, rate .375 x 1."""
    start = Made(units={"p": D(50), "q": D(50)}, cost={("p", RUN): D(100), ("q", RUN): D(200)})
    end = Made(units={"p": D(50), "q": D(150)}, cost={("p", RUN): D(150), ("q", RUN): D(600)})
    bridge = unit_cost_bridge(start, end)
    assert (bridge.start, bridge.end) == (3, F(15, 4))
    assert bridge.by(kind) == {"mix": F(3, 8), "rate": F(3, 8)}


def test_more_of_the_same_is_volume_alone() -> None:
    start = Made(units={"p": D(10)}, cost={("p", RUN): D(30), ("p", STOP): D(5)})
    end = Made(units={"p": D(14)}, cost={("p", RUN): D(42), ("p", STOP): D(7)})
    bridge = cost_bridge(start, end)
    assert bridge.by(lambda bar: (bar.kind, bar.cause)) == {("volume", RUN): 12, ("volume", STOP): 2}


def test_a_worse_unit_cost_is_the_bar_of_its_cause() -> None:
    start = Made(units={"p": D(10)}, cost={("p", RUN): D(30), ("p", STOP): D(5)})
    end = Made(units={"p": D(10)}, cost={("p", RUN): D(30), ("p", STOP): D(9)})
    assert cost_bridge(start, end).bars == (Bar(kind="rate", product="p", cause=STOP, amount=F(4)),)


def test_a_new_product_is_volume_and_mix_not_rate() -> None:
    start = Made(units={"p": D(10)}, cost={("p", RUN): D(30)})
    end = Made(units={"p": D(10), "new": D(10)}, cost={("p", RUN): D(30), ("new", RUN): D(70)})
    bridge = cost_bridge(start, end)
    assert set(bridge.by(kind)) == {"volume", "mix"}
    assert bridge.start + sum(bar.amount for bar in bridge.bars) == bridge.end == 100


def test_cost_without_units_is_the_bar_of_its_cause() -> None:
    start = Made(units={"p": D(10)}, cost={("p", RUN): D(30), (None, IDLE): D(5), ("q", STOP): D(1)})
    end = Made(units={"p": D(20)}, cost={("p", RUN): D(60), (None, IDLE): D(4)})
    per_unit = unit_cost_bridge(start, end)
    assert per_unit.by(lambda bar: (bar.product, bar.cause)) == {
        (None, IDLE): F(-3, 10),
        ("q", STOP): F(-1, 10),
    }
    assert cost_bridge(start, end).by(kind) == {"volume": 30, "rate": -2}


def test_from_a_period_without_anything() -> None:
    nothing = Made(units={}, cost={})
    end = Made(units={"p": D(4)}, cost={("p", RUN): D(12)})
    bridge = cost_bridge(nothing, end)
    assert bridge.start + sum(bar.amount for bar in bridge.bars) == bridge.end == 12
    assert cost_bridge(nothing, nothing).bars == ()
    with pytest.raises(ValueError, match="no good unit"):
        unit_cost_bridge(nothing, end)


def test_rounded_bars_still_add_up() -> None:
    start = Made(units={"p": D(3), "q": D(7)}, cost={("p", RUN): D(1), ("q", RUN): D(2), ("q", STOP): D(1)})
    end = Made(units={"p": D(7), "q": D(6)}, cost={("p", RUN): D(2), ("q", RUN): D(1), ("q", STOP): D(3)})
    first, bars, last = rounded(unit_cost_bridge(start, end), D("0.01"))
    assert (first, last) == (D("0.40"), D("0.46"))
    assert first + sum(bars) == last
    assert rounded(cost_bridge(start, start)) == (D(4), (), D(4))
