"""Hand-computed cases of allowances, variances, revised standards, line cells and confidence."""

from datetime import date
from fractions import Fraction as F
from pathlib import Path

from tests.reference.clock import SiteClock
from tests.reference.workshop import Workshop


def test_allowance_of_a_good_unit_by_cause(shop: Workshop) -> None:
    shop.standard(scrap_rate="0.2", rework_rate="0.1", availability="0.8", idle_kw="4")
    shop.standards[0] |= {"planned_stop": "0.05", "waiting": "0.1"}
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 80)
    cells = {key: cell.allowance for key, cell in shop.result().variances(("resource", "cause")).items()}
    run = F("0.8") + F("0.2") + F("0.1")  # 80 units x 0.01 h; scrap .2/.8 of it; rework .1/.8 of it
    assert cells["machine", "production"] == 48
    assert cells["machine", "scrap"] == 12
    assert cells["machine", "rework"] == 6
    assert cells["machine", "downtime"] == run / 4 * 60
    assert cells["machine", "planned_stop"] == run / 20 * 60
    assert cells["machine", "waiting"] == run / 10 * 60
    assert cells["machine", "changeover"] == F(80, 100) / 2 * 60
    assert cells["labour", "scrap"] == F("0.2") * 2 * 30
    assert cells["energy", "production"] == 4
    assert cells["energy", "scrap"] == 1
    assert cells["energy", "rework"] == F("0.5")
    assert cells["energy", "downtime"] == 4 * run / 4 * F("0.1")
    assert cells["energy", "changeover"] == 4 * F("0.4") * F("0.1")
    assert cells["material", "production"] == 80
    assert cells["material", "scrap"] == 20
    assert ("material", "rework") not in cells


def test_variance_is_actual_less_allowance_and_all_operational_without_a_revision(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 80)
    cell = shop.result(end="2026-03-02T09:00").variances(("resource", "cause"))["machine", "speed_loss"]
    assert (cell.actual, cell.allowance, cell.variance, cell.planning, cell.operational) == (12, 0, 12, 0, 12)


def revised(shop: Workshop, tmp_path: Path, recorded: str) -> tuple[Path, int]:
    """The plant as it stands, recorded before; the caller then changes it and asks for results."""
    return shop.write(tmp_path / "earlier"), SiteClock("UTC").instant(recorded)


def test_later_standard_is_ex_post_and_splits_planning_from_operational(
    shop: Workshop, tmp_path: Path
) -> None:
    earlier = revised(shop, tmp_path, "2026-01-01")
    shop.standard(ideal_cycle_s="45")
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 80)
    result = shop.result(end="2026-03-02T09:00", earlier=earlier)
    cells = result.variances(("resource", "cause"))
    speed = cells["machine", "speed_loss"]
    assert (speed.variance, speed.operational, speed.planning) == (12, 0, 12)  # 80 x 45 s = 1 h
    production = cells["machine", "production"]
    assert (production.actual, production.allowance, production.planning) == (48, 48, 0)
    total = result.variances()[()]
    assert total.planning == 80 * (F("0.0125") - F("0.01")) * (60 + 2 * 30)
    assert total.actual == total.actual_anew


def test_row_recorded_after_its_date_is_ex_ante_from_then_on(shop: Workshop, tmp_path: Path) -> None:
    earlier = revised(shop, tmp_path, "2026-01-01")
    shop.standard(**{"from": "2026-03-02"}, ideal_cycle_s="45")
    for day in ("2026-03-03", "2026-03-04"):
        for at, role, value in (
            ("08:00", "good_count", 0),
            ("08:00", "product", "P"),
            ("08:00", "state", "running"),
            ("08:30", "good_count", 80),
            ("09:00", "state", "idle"),
        ):
            shop.say(f"{day}T{at}", role, value if (day, value) != ("2026-03-04", 80) else 160)
    result = shop.result("2026-03-01", "2026-03-05", earlier=earlier, recorded="2026-03-04T12:00")
    cells = result.variances(("day", "resource", "cause"))
    late, after = (cells[f"2026-03-0{day}", "machine", "production"] for day in (3, 4))
    assert (late.actual, late.allowance, late.allowance_anew) == (48, 48, 60)
    assert (after.allowance, after.allowance_anew) == (96 + 24, 96 + 24)


def test_actual_rates_are_replaced_and_standard_ones_are_ex_post(shop: Workshop, tmp_path: Path) -> None:
    earlier = revised(shop, tmp_path, "2026-01-01")
    shop.machine["rate"] = [{"from": date(2026, 1, 1), "standard": 70, "actual": 66}]
    shop.run("08:00", "09:00")
    result = shop.result(end="2026-03-02T09:00", earlier=earlier)
    cells = result.variances(("resource", "cause"))
    assert cells["machine", "price"].actual == 6
    assert cells["machine", "price"].operational == -4
    assert cells["machine", "speed_loss"].operational == 70


def test_assumed_use_stays_as_booked_when_cut_anew(shop: Workshop, tmp_path: Path) -> None:
    earlier = revised(shop, tmp_path, "2026-01-01")
    shop.standard(energy_kwh="0.75", crew="3")
    shop.tables["bill.csv"][0] = ("P", "m1", "resin", "2026-01-01", "0.3")
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 100)
    cells = shop.result(end="2026-03-02T09:00", earlier=earlier).variances(("resource", "cause"))
    assert cells["energy", "usage"].operational == -F("2.5")
    assert cells["material", "usage"].operational == -50
    assert cells["labour", "crew"].operational == -30
    assert cells["labour", "crew"].planning == 30


def two_machines(shop: Workshop) -> None:
    """m1 makes 100 good, m2 behind it 90 good and 4 scrap: 6 stand between them."""
    shop.second_machine(crew="0", energy_kwh="0", changeover_min="0")
    shop.standard(crew="0", energy_kwh="0", changeover_min="0")
    for machine, good in (("m1", 100), ("m2", 90)):
        shop.run("08:00", "09:00", machine=machine)
        shop.say("08:30", "good_count", good, machine)
    shop.say("08:00", "scrap_count", 0, "m2")
    shop.say("08:30", "scrap_count", 4, "m2")


def test_line_cells_value_scrap_and_stock_at_the_machines_before(shop: Workshop) -> None:
    two_machines(shop)
    result = shop.result()
    unit = F("0.01") * 60 + F("0.2") * 5
    line = result.variances(("machine", "resource", "cause"))
    scrap, stock = line["m2", "line", "scrap_upstream"], line["m2", "line", "wip_change"]
    assert (scrap.actual, scrap.allowance, scrap.variance, scrap.planning) == (0, -4 * unit, 4 * unit, 0)
    assert stock.variance == 6 * unit
    total = result.variances()[()]
    assert total.variance == total.actual - 90 * (unit + F("0.01") * 40)
    assert result.output()[()]["counted"] == 90


def test_one_machine_alone_has_no_line_cells(shop: Workshop) -> None:
    two_machines(shop)
    only = shop.result().variances(("resource",), machine="m2")
    assert ("line",) not in only


def test_output_is_counted_at_the_last_machine_with_a_standard(shop: Workshop) -> None:
    two_machines(shop)
    shop.standards = [row for row in shop.standards if row["machine"] == "m1"]
    result = shop.result()
    assert result.output()[()]["counted"] == 100
    assert {key: cell.variance for key, cell in result.variances(("resource",)).items()}.get(
        ("line",), 0
    ) == 0


def test_coverage_counts_scheduled_time_after_the_watermark_as_not_covered(shop: Workshop) -> None:
    shop.run("08:00", "10:00")
    shop.say("09:00", "state", "", quality="bad")
    shop.say("09:30", "state", "running", quality="uncertain")
    assert shop.result(end="2026-03-02T12:00").confidence().coverage == F(3, 8)


def test_shares_of_unexplained_cost_and_of_reasoned_stops(shop: Workshop) -> None:
    shop.standard(crew="0", energy_kwh="0")
    shop.run("08:00", "09:00", then="down")
    shop.say("09:15", "state", "unknown")
    shop.say("09:30", "state", "down")
    shop.say("09:35", "reason", "jam")
    shop.say("10:15", "state", "idle")
    confidence = shop.result(end="2026-03-02T10:15").confidence()
    assert confidence.unexplained_share == F(15, 135)
    assert confidence.reason_coverage == F(45, 60)


def test_grade_is_the_worst_of_its_measures(shop: Workshop) -> None:
    shop.run("08:00", "09:00", then="running")
    assert shop.result(end="2026-03-02T09:00").confidence().grade == "A"
    shop.tables["confirmations.csv"].append(("2026-03-02T09:00", "O1", "m1", "101", "0"))
    shop.say("08:00", "order", "O1")
    shop.say("08:30", "good_count", 100)
    assert shop.result(end="2026-03-02T09:00").confidence().grade == "B"


def test_missing_standard_costs_the_grade_a_only(shop: Workshop) -> None:
    shop.standard(product="Q")
    shop.run("08:00", "08:59", then="running")
    shop.say("08:59:30", "product", "X")
    shop.say("09:00", "state", "idle")
    assert shop.result(end="2026-03-02T09:00").confidence().grade == "B"
