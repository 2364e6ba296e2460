"""The table of cost entries and the settled readings on pricing, each on a story small enough to follow."""

from __future__ import annotations

import datetime as dt

import pytest

from cloud_api.interpret.ledger import charge_entries
from cloud_api.interpret.ledger import price as priced
from cloud_api.interpret.plant import Break, Charge, Maintenance, Plant, Shift
from cloud_api.interpret.standards import Book

from .scenes import (
    LOADED,
    WEEK,
    D,
    Story,
    amounts,
    at,
    bill,
    entries,
    ledger,
    machine,
    plant,
    price,
    rate,
    run,
    segments,
    standard,
    tariff,
    wage,
)  # fmt: skip

DAY = Shift("A", 360, 1080, WEEK)


def hour_of(state: str, **more: object) -> Story:
    """One hour of a state in the morning."""
    return Story()("08:00", state=state, product="P", good_count=0)("09:00", good_count=0, **more)


def missing(story: Story, model: Plant) -> set[tuple[str, str]]:
    return {(m.kind, m.subject) for hour in run(story, model).hours for m in hour.missing}


def test_running_splits_time_into_production_scrap_rework_and_speed_loss() -> None:
    story = Story()("08:00", state="running", product="P", good_count=0, scrap_count=0, rework_count=0)
    story("09:00", good_count=30, scrap_count=6, rework_count=3)
    model = plant(machines=[machine(rates=[rate("60", "66")])], labour=[wage("30", "33")])
    assert ledger(run(story, model)) == amounts(
        machine_production="30", machine_scrap="6", machine_rework="3", machine_speed_loss="21",
        machine_price="6", labour_production="30", labour_scrap="6", labour_rework="3",
        labour_speed_loss="21", labour_price="6",
    )  # fmt: skip


def test_a_gain_in_speed_is_negative_and_stays() -> None:
    story = Story()("08:00", state="running", product="P", good_count=0)("09:00", good_count=70)
    found = ledger(run(story))
    assert found["machine", "speed_loss"] == -10
    assert found["machine", "production"] == 70


def test_crew_other_than_standard_goes_to_crew() -> None:
    story = Story()("08:00", state="running", product="P", crew=3, good_count=0)("09:00", good_count=60)
    found = ledger(run(story, plant(labour=[wage("30", "40")])))
    assert found["labour", "production"] == 60
    assert found["labour", "crew"] == 30
    assert found["labour", "price"] == 30


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("down", "downtime"), ("changeover", "changeover"), ("waiting", "waiting"), ("idle", "idle"),
        ("planned_stop", "planned_stop"), ("unknown", "unexplained"),
    ],
)  # fmt: skip
def test_other_states_go_to_their_cause(state: str, cause: str) -> None:
    found = ledger(run(hour_of(state)))
    assert found == {("machine", cause): D(60), ("labour", cause): D(60)}


def test_all_labour_of_idle_and_planned_stop_is_theirs() -> None:
    story = Story()("08:00", state="idle", product="P", crew=5)("09:00", crew=5)
    assert ledger(run(story)) == amounts(machine_idle="60", labour_idle="150")


def test_off_time_costs_only_while_running_or_changing_over_labour_at_the_multiplier() -> None:
    model = plant(shifts=[Shift("A", 600, 660, WEEK)])
    assert ledger(run(hour_of("down"), model)) == {}
    assert ledger(run(hour_of("unknown"), model)) == {}
    found = ledger(run(hour_of("changeover"), model))
    assert found == amounts(machine_changeover="60", labour_changeover="60", labour_overtime="30")
    assert ("labour", "overtime") in ledger(run(hour_of("running"), model))


def test_a_break_costs_only_while_running_or_changing_over_at_normal_rates() -> None:
    model = plant(shifts=[Shift("A", 480, 600, WEEK, (Break(480, 60),), overtime=True)])
    assert ledger(run(hour_of("down"), model)) == {}
    assert ledger(run(hour_of("running"), model)) == amounts(machine_speed_loss="60", labour_speed_loss="60")


def test_a_paid_break_costs_labour_to_planned_stop_without_a_product() -> None:
    model = plant(shifts=[Shift("A", 480, 600, WEEK, (Break(480, 60, paid=True),))])
    result = run(hour_of("down"), model)
    assert ledger(result) == amounts(labour_planned_stop="60")
    assert {entry.product for entry in entries(result)} == {None}
    assert ledger(run(hour_of("running"), model)) == amounts(machine_speed_loss="60", labour_speed_loss="60")


def test_all_labour_of_a_paid_break_is_its_own_whatever_the_standard_crew() -> None:
    model = plant(shifts=[Shift("A", 480, 600, WEEK, (Break(480, 60, paid=True),))])
    story = Story()("08:00", state="down", product="P", crew=3)("09:00", good_count=0)
    assert ledger(run(story, model)) == amounts(labour_planned_stop="90")


def test_a_shift_of_overtime_is_scheduled_time_at_the_multiplier() -> None:
    model = plant(shifts=[Shift("S", 480, 600, WEEK, overtime=True)], labour=[wage("30", "40", "2")])
    assert ledger(run(hour_of("idle"), model)) == amounts(
        machine_idle="60", labour_idle="60", labour_price="20", labour_overtime="80"
    )


def test_measured_energy_at_standard_to_its_causes_and_the_rest_to_usage() -> None:
    model = plant(standards=[standard(crew=2, energy_kwh="0.5")], energy=[tariff("0.1", "0.12")])
    story = Story()("08:00", state="running", product="P", good_count=0, scrap_count=0, energy=100)
    story("08:30", good_count=20, scrap_count=2, energy=114)("08:40", state="idle")("08:50", energy=115)
    found = {
        cause: amount
        for (resource, cause), amount in ledger(run(story, model)).items()
        if resource == "energy"
    }
    assert found == {
        "production": D("1"), "scrap": D("0.1"), "usage": D("0.3"), "idle": D("0.1"), "price": D("0.3"),
    }  # fmt: skip


def test_energy_is_assumed_while_running_without_a_counter_and_marked() -> None:
    model = plant(standards=[standard(crew=2, energy_kwh="0.5")])
    story = Story()("08:00", state="running", product="P", good_count=0, rework_count=0)
    story("08:30", good_count=20, rework_count=4)("08:40", state="down", good_count=22)(
        "08:50", good_count=22
    )
    rows = [entry for entry in entries(run(story, model)) if entry.resource == "energy"]
    assert {(e.cause, e.amount, e.assumed) for e in rows} == {
        ("production", D(1), True),
        ("rework", D("0.2"), True),
    }


def test_material_item_by_item() -> None:
    model = plant(
        bill=(bill("steel", "2"), bill("oil", "0.5")),
        prices=(price("steel", "3", "4"), price("oil", "10"), price("rag", "1")),
    )
    story = Story()(
        "08:00", state="running", product="P", good_count=0, scrap_count=0, material_steel=0, material_rag=0
    )
    story("09:00", good_count=10, scrap_count=2, material_steel=25, material_rag=7)
    found = {
        (e.item, e.cause): (e.amount, e.assumed)
        for e in entries(run(story, model))
        if e.resource == "material"
    }
    assert found == {
        ("steel", "production"): (D(60), False), ("steel", "scrap"): (D(12), False),
        ("steel", "usage"): (D(3), False), ("steel", "price"): (D(25), False),
        ("oil", "production"): (D(50), True), ("oil", "scrap"): (D(10), True),
        ("rag", "usage"): (D(7), False),
    }  # fmt: skip


def test_units_outside_running_earn_material_while_time_and_energy_go_to_the_state() -> None:
    model = plant(
        standards=[standard(crew=2, energy_kwh="1")],
        bill=(bill("steel", "2"),),
        prices=(price("steel", "3"),),
    )
    story = Story()("08:00", state="down", product="P", good_count=0, energy=0, material_steel=0)
    story("08:30", good_count=5, energy=4, material_steel=11)("09:00", good_count=5)
    assert ledger(run(story, model)) == amounts(
        machine_downtime="60", labour_downtime="60", energy_downtime="0.4",
        material_production="30", material_downtime="3",
    )  # fmt: skip


def test_units_seen_in_idle_carry_the_last_running_product_into_material_but_not_into_time() -> None:
    model = plant(bill=(bill("steel", "2"),), prices=(price("steel", "3"),))
    story = Story()("08:00", state="running", product="P", good_count=0)
    story("08:30", state="idle", good_count=4)
    story("09:00", good_count=4)
    found = {
        (e.resource, e.cause): e.product
        for e in entries(run(story, model))
        if e.cause in ("idle", "production")
    }
    assert found == {("machine", "idle"): None, ("labour", "idle"): None, ("material", "production"): "P"}


def test_running_without_a_standard_is_unexplained_at_standard_prices_price_and_overtime_apart() -> None:
    model = plant(
        machines=[machine(rates=[rate("60", "66")])], energy=[tariff("0.1", "0.2")],
        shifts=[Shift("A", 0, 60, WEEK)], prices=(price("steel", "3", "5"),),
    )  # fmt: skip
    story = Story()("08:00", state="running", product="X", crew=3, good_count=0, energy=0, material_steel=0)
    story("09:00", good_count=5, energy=10, material_steel=2)
    assert ledger(run(story, model)) == amounts(
        machine_unexplained="60", machine_price="6", labour_unexplained="90", labour_overtime="45",
        energy_unexplained="1", energy_price="1", material_unexplained="6", material_price="4",
    )  # fmt: skip
    assert ("standard", "X") in missing(story, model)


def test_without_a_standard_a_bill_explains_nothing() -> None:
    model = plant(bill=(bill("steel", "2", product="X"),), prices=(price("steel", "3"),), standards=[])
    story = Story()("08:00", state="running", product="X", crew=0, good_count=0)("09:00", good_count=5)
    rows = [entry for entry in entries(run(story, model)) if entry.resource == "material"]
    assert [(e.cause, e.amount, e.assumed) for e in rows] == [("unexplained", D(30), True)]


def test_running_without_a_product_is_unexplained_and_named() -> None:
    story = Story()("08:00", state="running", crew=1)("09:00", crew=1)
    assert ledger(run(story)) == amounts(machine_unexplained="60", labour_unexplained="30")
    assert missing(story, plant()) == {("product", "m1")}


def test_without_a_standard_crew_the_actual_one_stands_in() -> None:
    model = plant(standards=[standard(crew=None)])
    story = Story()("08:00", state="running", product="P", crew=1, good_count=0)(
        "08:30", good_count=15, crew=3
    )
    story("09:00", good_count=60)
    found = ledger(run(story, model))
    assert ("labour", "crew") not in found
    assert found["labour", "production"] == 90  # all of it seen in the second half, by three


def test_missing_rates_wages_and_tariffs_are_named_and_never_guessed() -> None:
    model = plant(machines=[machine(rates=[])], labour=[], energy=[], prices=())
    story = Story()("08:00", state="running", product="P", good_count=0, energy=0, material_steel=0)
    story("09:00", good_count=60, energy=10, material_steel=1)
    assert ledger(run(story, model)) == {}
    assert missing(story, model) == {("rate", "m1"), ("wage", "L"), ("tariff", "energy"), ("price", "steel")}
    assert sum(e.quantity or 0 for e in entries(run(story, model)) if e.resource == "machine") == 1


def test_quantities_of_a_resource_add_up_to_its_use() -> None:
    model = plant(labour=[wage("30", "33")], machines=[machine(rates=[rate("60", "61")])])
    story = Story()("08:00", state="running", product="P", crew=3, good_count=0)(
        "09:30", good_count=61, state="down"
    )
    story("10:00", good_count=61)
    rows = entries(run(story, model))
    assert sum(e.quantity or 0 for e in rows if e.resource == "machine") == 2
    assert sum(e.quantity or 0 for e in rows if e.resource == "labour") == 6
    assert {e.unit for e in rows} == {"h"}


def test_a_segment_is_priced_on_demand_by_the_same_function() -> None:
    model = plant(bill=(bill("steel", "2"),), prices=(price("steel", "3"),))
    story = Story()("08:00", state="running", product="P", good_count=0)
    story("08:20", state="down", good_count=17)
    story("08:50", state="running", good_count=18)("09:40", good_count=60)
    result = run(story, model)
    book = Book(model)
    one_by_one = [entry for segment in segments(result) for entry in priced([segment], "m1", book)]
    assert ledger(one_by_one) == ledger(result)


def test_charges_and_maintenance_outside_the_rate_are_other_whatever_the_calendar_says() -> None:
    moment = dt.datetime(2026, 3, 1, 3, 30, tzinfo=dt.UTC)
    head = {"version": 1, "recorded_at": LOADED}

    def charge(where: str | None, cause: str, amount: str) -> Charge:
        return Charge(
            time=moment,
            machine=where,
            product=None,
            order=None,
            cause=cause,
            amount=D(amount),
            **head,  # type: ignore[arg-type]
        )

    def repair(kind: str, cost: str, in_rate: bool) -> Maintenance:
        return Maintenance(
            start=moment,
            end=None,
            machine="m1",
            kind=kind,
            cost=D(cost),
            in_rate=in_rate,
            **head,  # type: ignore[arg-type]
        )

    model = plant(
        shifts=[DAY],
        charges=(charge(None, "waiting", "100"), charge("m1", "scrap", "20")),
        maintenance=(
            repair("planned", "7", False),
            repair("repair", "11", False),
            repair("repair", "99", True),
        ),
    )
    found = charge_entries(Book(model))
    assert [(e.machine, e.cause, e.amount) for e in found] == [
        (None, "waiting", D(100)), ("m1", "scrap", D(20)),
        ("m1", "planned_stop", D(7)), ("m1", "downtime", D(11)),
    ]  # fmt: skip
    assert {(e.resource, e.hour_us, e.production_day, e.shift) for e in found} == {
        ("other", at("03:00", "2026-03-01"), dt.date(2026, 3, 1), None)
    }
