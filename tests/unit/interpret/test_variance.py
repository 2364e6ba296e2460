"""Allowances, variances, changeover parts, planning against operational, and the cells that close a line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from cloud_api.interpret.allowance import allowance, run_hours, unit_cost
from cloud_api.interpret.ledger import price as priced
from cloud_api.interpret.model import Interpretation, Output, Turn
from cloud_api.interpret.plant import ChangeoverPair, Plant
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import Sheet, Variance, cells, good_units, line_cells, total

from .scenes import (
    NEW_YEAR,
    D,
    Story,
    bill,
    dated,
    entries,
    machine,
    outputs,
    plant,
    price,
    rate,
    run,
    standard,
    tariff,
)  # fmt: skip
from .test_openstax import output

LATE = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def sheet(result: Interpretation, model: Plant) -> Sheet:
    actuals = [("all", e.resource, e.cause, e.amount) for e in entries(result)]
    return cells(actuals, [("all", each) for each in outputs(result)], Book(model))["all"]


def near(one: Decimal, other: Decimal | int | str) -> bool:
    return abs(one - D(other)) < D("1e-9")


def test_the_allowance_of_a_good_unit() -> None:
    card = standard(
        cycle="36", crew=2, scrap_rate="0.2", rework_rate="0.1", changeover_min=30, lot_size=100,
        availability="0.8", energy_kwh="0.5", planned_stop="0.1", waiting="0.2", idle_kw="4",
    )  # fmt: skip
    model = plant(standards=[card], bill=(bill("steel", "3"),), prices=(price("steel", "2"),))
    found = allowance(Book(model), "m1", "P", "A", NEW_YEAR)
    hours = {
        "production": D("0.01"), "scrap": D("0.0025"), "rework": D("0.00125"), "downtime": D("0.0034375"),
        "planned_stop": D("0.001375"), "waiting": D("0.00275"), "changeover": D("0.005"),
    }  # fmt: skip
    assert run_hours(card) == D("0.01375")
    for cause, each in hours.items():
        assert found["machine", cause] == each * 60
        assert found["labour", cause] == each * 2 * 30
    assert found["energy", "production"] == D("0.05")
    assert found["energy", "scrap"] == D("0.0125")
    assert found["energy", "rework"] == D("0.00625")
    for cause in ("downtime", "planned_stop", "waiting", "changeover"):
        assert found["energy", cause] == hours[cause] * 4 / 10
    assert found["material", "production"] == 6
    assert found["material", "scrap"] == D("1.5")
    assert len(found) == 2 * 7 + 7 + 2


def test_without_a_standard_there_is_no_allowance() -> None:
    assert allowance(Book(plant()), "m1", "X", "A", NEW_YEAR) == {}
    assert allowance(Book(plant()), "m1", None, "A", NEW_YEAR) == {}


def test_variance_is_entries_less_good_units_x_allowance() -> None:
    model = plant(standards=[standard(crew=2, availability="0.75")])
    story = Story()("08:00", state="running", product="P", good_count=0)
    story("08:29", good_count=24)("08:30", state="down")
    story("08:50", state="running")("09:00", good_count=30)
    found = sheet(run(story, model), model)
    assert found["machine", "production"].variance == 0
    assert found["machine", "speed_loss"].variance == 10
    assert near(found["machine", "downtime"].variance, 20 - 10)


def pairs(minutes: str) -> tuple[ChangeoverPair, ...]:
    return (
        ChangeoverPair(machine="m1", from_product="P", to_product="Q", minutes=D(minutes), **dated()),  # type: ignore[arg-type]
    )


def changeover_story() -> Story:
    story = Story()("08:00", state="running", product="P", good_count=0)("08:10", state="changeover")
    return story("08:40", state="running", product="Q")("09:40", good_count=50)


def test_changeover_splits_into_lot_size_duration_and_sequence() -> None:
    cards = [standard("P"), standard("Q", crew=2, changeover_min=12, lot_size=100)]
    model = plant(standards=cards, changeovers=pairs("21"))
    cell = sheet(run(changeover_story(), model), model)["machine", "changeover"]
    assert cell.actual == 30
    assert cell.allowance == 6  # 50 units of a lot of 100 at 12 minutes and 60 an hour
    assert cell.parts() == {"lot_size": D(6), "sequence": D(9), "duration": D(9)}
    assert sum(cell.parts().values()) == cell.variance == 24
    labour = sheet(run(changeover_story(), model), model)["labour", "changeover"]
    assert labour.parts() == {"lot_size": D(6), "sequence": D(9), "duration": D(9)}


def test_without_a_pair_there_is_no_sequence() -> None:
    cards = [standard("P"), standard("Q", crew=2, changeover_min=12, lot_size=100)]
    model = plant(standards=cards)
    cell = sheet(run(changeover_story(), model), model)["machine", "changeover"]
    assert cell.parts() == {"lot_size": D(6), "sequence": D(0), "duration": D(18)}


def test_energy_of_changeovers_has_no_parts() -> None:
    model = plant(standards=[standard("Q", changeover_min=12)])
    facts = replace(
        output("1", "0"), state="changeover", product="Q", made_product="Q", changeovers=(Turn("P", 1),)
    )
    found = cells([], [("all", replace(facts, energy_kwh=D(3)))], Book(model))["all"]
    assert set(found) == {("machine", "changeover"), ("labour", "changeover")}


def test_planning_is_what_the_wrong_standard_explains() -> None:
    cards = [standard(cycle="60", crew=2), standard(cycle="45", crew=2, recorded=LATE, version=2)]
    model = plant(standards=cards, machines=[machine(rates=[rate("60", "63")])])
    story = Story()("08:00", state="running", product="P", good_count=0)("09:00", good_count=40)
    found = sheet(run(story, model), model)
    production, loss = found["machine", "production"], found["machine", "speed_loss"]
    assert (production.variance, production.operational, production.planning) == (0, 0, 0)
    assert (loss.variance, loss.operational, loss.planning) == (20, 30, -10)
    assert found["machine", "price"].planning == 0
    whole = total([found])
    planning = sum(cell.planning for cell in whole.values())
    assert planning == 40 * (D(45) - D(60)) / 60 * (1 + 1)


def test_cut_anew_what_was_assumed_stays_as_booked() -> None:
    cards = [
        standard(crew=2, energy_kwh="1"),
        standard(crew=3, energy_kwh="2", recorded=LATE, version=2),
    ]
    model = plant(standards=cards, energy=[tariff("1")])
    story = Story()("08:00", state="running", product="P", good_count=0)("09:00", good_count=60)
    found = sheet(run(story, model), model)
    usage = found["energy", "usage"]
    assert (usage.actual, usage.operational, usage.planning) == (0, -60, 60)
    assert found["energy", "production"].operational == 0
    assert found["labour", "crew"].operational == -30


def test_a_correction_replaces_both() -> None:
    corrected = standard(cycle="45", crew=2, version=2)  # recorded as the row that it replaces was
    model = plant(standards=[corrected])
    story = Story()("08:00", state="running", product="P", good_count=0)("09:00", good_count=40)
    assert all(cell.planning == 0 for cell in sheet(run(story, model), model).values())


THREE = [machine("m1"), machine("m2"), machine("m3")]


def of(name: str, good: str, scrap: str = "0", product: str = "P") -> Output:
    facts = replace(output("1", good), machine=name, product=product, made_product=product)
    return replace(facts, scrap=D(scrap))


def line_total(model: Plant, facts: Sequence[Output]) -> tuple[Sheet, Decimal]:
    """All cells of the line, and actual less output at its end x the line's standard unit cost."""
    book = Book(model)
    actuals: list[tuple[Hashable, str, str, Decimal]] = []
    for each in facts:
        actuals += [("all", e.resource, e.cause, e.amount) for e in priced([each], each.machine, book)]
    own = cells(actuals, [("all", each) for each in facts], book)["all"]
    closing = line_cells([(lambda machine: "all", each) for each in facts], book)
    units, _ = good_units(facts, book)
    cost = sum((unit_cost(allowance(book, m.id, "P", "A", NEW_YEAR)) for m in THREE), D(0))
    whole = total([own, *closing.values()])
    return whole, sum(actual for *_, actual in actuals) - units * cost


def test_two_cells_close_a_line() -> None:
    cards = [
        standard("P", name, cycle=cycle, crew=1) for name, cycle in (("m1", "60"), ("m2", "30"), ("m3", "90"))
    ]
    model = plant(machines=THREE, standards=cards)
    facts = [of("m1", "50", "2"), of("m2", "45", "3"), of("m3", "40", "1")]
    whole, expected = line_total(model, facts)
    assert sum(cell.variance for cell in whole.values()) == expected
    scrap, stock = whole["line", "scrap_upstream"], whole["line", "wip_change"]
    first, second = D("1.5"), D("0.75")  # unit cost of m1, of m2: machine at 60 an hour and one wage of 30
    assert scrap.variance == 3 * first + 1 * (first + second)
    assert stock.variance == (50 - 45 - 3) * first + (45 - 40 - 1) * (first + second)
    assert (scrap.actual, scrap.planning) == (0, 0)


def test_the_cells_of_a_line_stand_at_the_machine_where_units_went() -> None:
    cards = [standard("P", name, crew=1) for name in ("m1", "m2", "m3")]
    book = Book(plant(machines=THREE, standards=cards))
    facts = [of("m1", "50"), of("m2", "45", "3"), of("m3", "45")]
    found = line_cells([(lambda machine: machine, each) for each in facts], book)
    assert found["m2"]["line", "scrap_upstream"].variance == D("4.5")
    assert found["m2"]["line", "wip_change"].variance == 3
    assert found["m3"]["line", "wip_change"].variance == 0


def test_a_machine_without_a_standard_for_the_product_is_passed_over() -> None:
    cards = [standard("P", name, crew=1) for name in ("m1", "m2")]
    book = Book(plant(machines=THREE, standards=cards))
    facts = [of("m1", "50"), of("m2", "45"), of("m3", "44")]
    assert good_units(facts, book) == (D(45), {"m2": D(45)})
    found = line_cells([(lambda machine: machine, each) for each in facts], book)
    assert set(found) == {"m1", "m2"}


def test_sums_of_outputs_give_the_same_cells() -> None:
    cards = [standard(crew=2), standard(cycle="45", crew=3, recorded=LATE, version=2)]
    model = plant(standards=cards)
    story = Story()("08:00", state="running", product="P", good_count=0)
    story("08:30", good_count=11, state="down")
    story("09:20", state="running")("10:00", good_count=53)
    result = run(story, model)
    running = [each for each in outputs(result) if each.state == "running"]
    others = [each for each in outputs(result) if each.state != "running"]
    summed = replace(
        running[0],
        duration_us=sum(each.duration_us for each in running),
        good=sum((each.good for each in running), D(0)),
    )
    book = Book(model)

    def variances(facts: Iterable[Output]) -> dict[tuple[str, str], Variance]:
        return cells([], [("all", each) for each in facts], book)["all"]

    one, other = variances(outputs(result)), variances([summed, *others])
    assert set(one) == set(other)
    for key, cell in one.items():
        assert near(cell.allowance, other[key].allowance)
        assert near(cell.operational, other[key].operational)
