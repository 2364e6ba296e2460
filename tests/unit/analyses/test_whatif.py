"""What a change does to the costs of a run: what it moves, by how much, and what stays."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from cloud_api.interpret.whatif import Change, Run, busy_after, costs_after, ratios

RUN = Run(
    good=D(90),
    scrap=D(10),
    rework=D(0),
    hours={"running": D(10), "down": D(2), "changeover": D(1), "idle": D(3)},
    crew=D(2),
    cycle_s=D(36),
    changeovers=3,
    unit={"machine": D(1), "labour": D("0.5"), "material": D(4)},
)
COSTS = {
    ("machine", "production"): D(90),
    ("machine", "scrap"): D(10),
    ("machine", "speed_loss"): D(900),
    ("machine", "downtime"): D(200),
    ("machine", "changeover"): D(100),
    ("machine", "price"): D(160),
    ("labour", "production"): D(45),
    ("labour", "crew"): D(16),
    ("material", "production"): D(360),
    ("material", "scrap"): D(40),
    ("material", "price"): D(4),
    ("other", "expedite"): D(7),
}


def after(**change: D) -> dict[tuple[str, str], D]:
    return costs_after(COSTS, RUN, ratios(RUN, Change(**change)))


def test_nothing_changed_changes_nothing() -> None:
    assert after() == COSTS
    assert busy_after(RUN, ratios(RUN, Change())) == RUN.busy_h == 13


def test_a_cycle_moves_running_and_the_stops_that_come_with_it() -> None:
    moved = after(cycle_s=D(18))
    assert moved["machine", "production"] == 45
    assert moved["machine", "speed_loss"] == 450
    assert moved["machine", "downtime"] == 100
    assert moved["machine", "changeover"] == 100
    assert moved["machine", "price"] == 160 * (D(6) + 1 + 3) / 16
    assert moved["material", "production"] == 360
    assert busy_after(RUN, ratios(RUN, Change(cycle_s=D(18)))) == 7


def test_a_better_yield_scraps_less_and_runs_less() -> None:
    moved = after(yield_=D(1))
    assert moved["machine", "scrap"] == moved["material", "scrap"] == 0
    assert moved["machine", "speed_loss"] == 900 * D("0.9")
    assert moved["material", "price"] == 4 * D("0.9")
    assert moved["machine", "production"] == 90


def test_scrap_where_there_was_none_costs_what_the_standard_allows_a_unit() -> None:
    clean = Run(
        good=D(90), scrap=D(0), rework=D(0), hours={"running": D(9)}, crew=D(2), cycle_s=D(36), changeovers=0,
        unit=RUN.unit,
    )  # fmt: skip
    moved = costs_after({("machine", "production"): D(90)}, clean, ratios(clean, Change(yield_=D("0.9"))))
    assert moved["machine", "scrap"] == 10
    assert moved["material", "scrap"] == 40
    assert moved["labour", "scrap"] == 5


def test_a_lot_twice_as_large_halves_changeovers_alone() -> None:
    moved = after(lot_size=D(60))
    assert moved["machine", "changeover"] == 50
    assert {cell for cell in COSTS if moved[cell] != COSTS[cell]} == {
        ("machine", "changeover"),
        ("machine", "price"),
        ("labour", "crew"),
    }


def test_people_move_labour_alone() -> None:
    moved = after(crew=D(1))
    assert {cell for cell in COSTS if moved[cell] != COSTS[cell]} == {
        ("labour", "production"),
        ("labour", "crew"),
    }
    assert moved["labour", "production"] == D("22.5")


@pytest.mark.parametrize("lots", [0, 3])
def test_without_changeovers_a_lot_size_moves_nothing(lots: int) -> None:
    run = Run(good=D(9), scrap=D(1), rework=D(1), hours={}, crew=D(0), cycle_s=D(1), changeovers=lots)
    moved = ratios(run, Change(lot_size=D(3), crew=D(3)))
    assert (moved.changeovers, moved.crew) == (1, 1)
