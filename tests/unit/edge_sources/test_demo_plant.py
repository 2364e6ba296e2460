"""The simulated plant: stable per seed, physically possible, and its stories are in the data."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from deploy.demo import history
from deploy.demo.catalogue import LINES, STATES
from deploy.demo.plant import SECOND, Plant, Stories, day_of, start_us
from deploy.demo.plc.clockwork import Clockwork, parse_script

ANCHOR = date(2026, 3, 13)
STORIES = Stories(ANCHOR)
COUNTERS = ("good_count", "scrap_count", "energy", "material")


def lots_and_events(line: str, day: date, seed: int = 7):
    run = Plant(STORIES, seed).day(line, day)
    return run.lots, run.events


@pytest.mark.parametrize("line", LINES)
def test_a_day_is_the_same_for_the_same_seed_and_another_for_another(line):
    assert lots_and_events(line, ANCHOR) == lots_and_events(line, ANCHOR)
    assert lots_and_events(line, ANCHOR) != lots_and_events(line, ANCHOR, 8)


@pytest.mark.parametrize("line", LINES)
def test_a_day_is_possible(line):
    run = Plant(STORIES).day(line, ANCHOR)
    held: dict[tuple[str, str], tuple[int, object]] = {}
    states = defaultdict(set)
    for event in run.events:
        key = event.machine, event.role
        if key in held:
            assert held[key][0] < event.time_us
            assert held[key][1] != event.value
            if event.role.partition(":")[0] in COUNTERS:
                assert event.value > held[key][1]
        if event.role == "state":
            states[event.machine].add(event.value)
        if event.role in ("good_count", "scrap_count") and event.value:
            assert held[event.machine, "state"][1] == "running"
        held[key] = event.time_us, event.value
    first, second = (machine.name for machine in LINES[line].machines)
    assert held[second, "good_count"][1] + held[second, "scrap_count"][1] == held[first, "good_count"][1]
    assert held[second, "good_count"][1] == sum(lot.good for lot in run.lots)
    assert all({"running", "idle", "changeover"} <= seen <= set(STATES) for seen in states.values())


def test_a_worn_die_scraps_three_times_as_much():
    def rate(day: date) -> float:
        good = scrap = 0
        for number in range(3):
            held: dict[tuple[str, str], object] = {}
            for event in Plant(STORIES).day("stamping", day - timedelta(days=number)).events:
                before = held.get((event.machine, event.role), 0)
                held[event.machine, event.role] = event.value
                if event.machine == "press-2" and held.get(("press-2", "product")) == "hinge-120":
                    good += event.role == "good_count" and event.value > before
                    scrap += event.role == "scrap_count" and event.value > before
        return scrap / (good + scrap)

    assert rate(STORIES.worn_die_from + timedelta(days=11)) > 2 * rate(
        STORIES.worn_die_from - timedelta(days=1)
    )


def test_the_other_stories():
    plant = Plant(STORIES)
    assert STORIES.overtime_saturday.weekday() == 5
    assert plant.lots("stamping", STORIES.overtime_saturday)
    assert not plant.lots("packing", STORIES.overtime_saturday)
    assert STORIES.slow_press_from.weekday() < 5
    small = ANCHOR - timedelta(days=24)
    assert len(plant.lots("stamping", small)) > 2 * len(plant.lots("stamping", small + timedelta(days=7)))


def test_history_is_small_tells_the_same_and_ends_where_live_data_begins(tmp_path):
    until = datetime(2026, 3, 13, 15, 30, tzinfo=UTC)
    rows = history.write(tmp_path / "h.csv", until - timedelta(days=1), until)
    table = list(csv.DictReader(io.StringIO((tmp_path / "h.csv").read_text())))
    assert len(table) == rows < 12_000
    assert table == sorted(table, key=lambda row: row["time"])
    assert table[-1]["time"] < "2026-03-13T15:30:00.000Z"
    last = {(row["machine"], row["role"]): row["value"] for row in table}
    until_us = round(until.timestamp() * SECOND)
    for line in LINES:
        clockwork = Clockwork(Plant(STORIES), line, until_us)
        for event in clockwork.as_it_stands():
            if not event.role.startswith("measure"):
                told = last[event.machine, event.role]
                assert told == event.value or float(told) == event.value


def test_out_of_shift_the_line_works_all_the_same_when_it_is_shown_live():
    sunday_us = start_us(date(2026, 3, 15)) + 9 * 3600 * SECOND
    clockwork = Clockwork(Plant(STORIES), "packing", sunday_us)
    states = {event.value for event in clockwork.as_it_stands() if event.role == "state"}
    assert states == {"running"}
    assert day_of(sunday_us) == date(2026, 3, 15)


def test_after_the_last_shift_another_order_begins_so_that_confirmed_ones_stay_as_they_are():
    plant = Plant(STORIES)
    confirmed = {lot.order: lot for lot in plant.lots("stamping", ANCHOR)}
    over_us = plant.windows(LINES["stamping"], ANCHOR)[-1][1]
    late = (over_us + 1800 * SECOND, over_us + 7200 * SECOND)
    lots = plant.day("stamping", ANCHOR, [late]).lots
    assert {lot.order: lot for lot in lots[: len(confirmed)]} == confirmed
    assert [lot.product for lot in lots[-2:]] == [lots[-1].product] * 2
    assert lots[-1].start_us >= late[0]
    assert lots[-1].good


def test_the_plant_model_fits(tmp_path):
    until = datetime(2026, 3, 13, 15, 30, tzinfo=UTC)
    folder = history.write_model(tmp_path / "model", until - timedelta(days=3), until)

    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((Path(folder) / name).read_text(encoding="utf-8"))))

    standards = {(row["product"], row["machine"]): row for row in rows("standards.csv")}
    for line in LINES.values():
        for product in line.products:
            for place, machine in enumerate(line.machines):
                row = standards.pop((product.name, machine.name))
                assert float(row["ideal_cycle_s"]) == product.cycle_s[place]
                assert float(row["scrap_rate"]) == product.scrap[place]
                assert (int(row["crew"]), int(row["lot_size"])) == (machine.crew, product.lot)
    assert not standards
    reasons = {row["reason"] for row in rows("reasons.csv")}
    assert reasons == {r for line in LINES.values() for machine in line.machines for r in machine.reasons}
    assert {row["product"] for row in rows("orders.csv")} <= {row["product"] for row in rows("products.csv")}


def test_scripts():
    (freeze, gone) = parse_script("40:gone:10, 20:freeze:5")
    assert (freeze.kind, freeze.at_s, freeze.lasts_s) == ("freeze", 20, 5)
    assert (gone.kind, gone.lasts_s) == ("gone", 10)
    with pytest.raises(ValueError, match="melt"):
        parse_script("1:melt")
