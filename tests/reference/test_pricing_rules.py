"""Hand-computed cases of the pricing rules. Cells are {(resource, cause): amount}."""

from fractions import Fraction as F

from tests.reference.result import Result
from tests.reference.workshop import Workshop


def cells(result: Result, **only: str | None) -> dict[tuple, F]:
    return {key: amount for key, amount in result.costs(("resource", "cause"), **only).items() if amount}


def test_running_splits_time_into_production_and_speed_loss(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    shop.say("08:59", "good_count", 80)
    shop.say("08:59", "scrap_count", 0)
    assert cells(shop.result(end="2026-03-02T09:00")) == {
        ("machine", "production"): F(48),  # 80 x 0.01 h x 60
        ("machine", "speed_loss"): F(12),  # (1 - 0.8) h x 60
        ("labour", "production"): F(48),  # 80 x 0.01 h x 2 x 30
        ("labour", "speed_loss"): F(12),
        ("energy", "production"): F(4),  # assumed: 80 x 0.5 kWh x 0.10
        ("material", "production"): F(80),  # assumed: 80 x 0.2 x 5
    }


def test_scrap_and_rework_take_time_and_energy_and_scrap_takes_material(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    for role in ("scrap_count", "rework_count"):
        shop.say("08:00", role, 5)
    shop.say("08:30", "good_count", 110)
    shop.say("08:30", "scrap_count", 15)
    shop.say("08:30", "rework_count", 25)
    found = cells(shop.result())
    assert found["machine", "scrap"] == 6
    assert found["machine", "rework"] == 12
    assert found["machine", "speed_loss"] == -24  # 1 h - 140 x 0.01 h: a gain is negative and stays
    assert found["energy", "scrap"] == F("0.5")
    assert found["energy", "rework"] == 1
    assert found["material", "scrap"] == 10
    assert ("material", "rework") not in found


def test_actual_rates_above_standard_go_to_price(shop: Workshop) -> None:
    shop.machine["rate"][0]["actual"] = 66
    shop.site["labour"][0]["actual"] = 31
    shop.site["energy"][0]["actual"] = 0.12
    shop.tables["prices.csv"][0] = ("resin", "2026-01-01", "5", "5.5")
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 100)
    found = cells(shop.result(end="2026-03-02T09:00"))
    assert found["machine", "price"] == 6
    assert found["labour", "price"] == 2
    assert found["energy", "price"] == 1
    assert found["material", "price"] == 10


def test_actual_rate_not_recorded_equals_standard(shop: Workshop) -> None:
    shop.machine["rate"][0]["actual"] = None
    shop.run("08:00", "09:00")
    assert ("machine", "price") not in cells(shop.result())


def test_crew_above_standard_goes_to_crew(shop: Workshop) -> None:
    shop.say("08:00", "crew", 3)
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 100)
    found = cells(shop.result(end="2026-03-02T09:00"))
    assert found["labour", "production"] == 60
    assert found["labour", "crew"] == 30


def test_crew_zero_is_zero_people(shop: Workshop) -> None:
    shop.say("08:00", "crew", 0)
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 100)
    found = cells(shop.result(end="2026-03-02T09:00"))
    assert found["labour", "production"] == 60
    assert found["labour", "crew"] == -60


def test_idle_labour_is_all_of_the_actual_crew(shop: Workshop) -> None:
    shop.say("08:00", "crew", 5)
    shop.run("08:00", "09:00")
    shop.say("10:00", "state", "idle")
    found = cells(shop.result(), product=None)
    assert found["machine", "idle"] == 60
    assert found["labour", "idle"] == 150
    assert ("labour", "crew") not in found


def test_idle_without_crew_signal_takes_crew_of_last_trusted_product(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    shop.say("08:50", "product", "")
    shop.say("10:00", "state", "idle")
    assert cells(shop.result())["labour", "idle"] == 60


def test_crew_keeps_its_last_trusted_value_through_bad_samples(shop: Workshop) -> None:
    shop.say("08:00", "crew", 3)
    shop.run("08:00", "09:00")
    shop.say("08:10", "crew", "", quality="bad")
    assert cells(shop.result())["labour", "crew"] == 30


def test_other_states_go_to_their_cause_with_product_of_the_segment(shop: Workshop) -> None:
    shop.say("08:00", "crew", 3)
    shop.run("08:00", "09:00", then="down")
    shop.say("10:00", "state", "waiting")
    shop.say("11:00", "state", "planned_stop")
    shop.say("12:00", "state", "idle")
    found = cells(shop.result())
    assert found["machine", "downtime"] == found["machine", "waiting"] == 60
    assert found["machine", "planned_stop"] == 60
    assert found["labour", "downtime"] == found["labour", "waiting"] == 60
    assert found["labour", "planned_stop"] == 90
    assert found["labour", "crew"] == 90
    by_product = shop.result().costs(("product", "resource", "cause"))
    assert by_product["P", "machine", "downtime"] == 60
    assert by_product[None, "machine", "planned_stop"] == 60


def test_off_costs_only_running_and_changing_over_at_the_multiplier(shop: Workshop) -> None:
    shop.run("15:00", "16:00", then="down")
    shop.say("15:30", "good_count", 100)
    shop.say("17:00", "state", "changeover")
    shop.say("18:00", "state", "running")
    shop.say("18:00:00.000001", "state", "idle")
    found = cells(shop.result(end="2026-03-02T18:00"))
    assert found["labour", "overtime"] == 60  # 1 h running and 1 h changeover x 2 x 30 x 0.5
    assert found["machine", "changeover"] == 60
    assert ("machine", "downtime") not in found
    assert ("labour", "downtime") not in found


def test_overtime_shift_is_at_the_multiplier_and_its_break_at_normal_rates(shop: Workshop) -> None:
    shop.calendar["shifts"][0] |= {"overtime": True, "breaks": [{"start": "09:00", "minutes": 60}]}
    shop.run("08:00", "10:00")
    shop.say("08:30", "good_count", 100)
    shop.say("09:30", "good_count", 200)
    shop.say("11:00", "state", "idle")
    found = cells(shop.result())
    assert found["labour", "production"] == 120
    assert found["labour", "overtime"] == 30 + 30  # an hour running, an hour idle; none in the break
    assert found["machine", "idle"] == 60


def test_unpaid_break_costs_only_running(shop: Workshop) -> None:
    shop.calendar["shifts"][0]["breaks"] = [{"start": "09:00", "minutes": 30}]
    shop.run("08:00", "09:15")
    shop.say("10:00", "state", "idle")
    found = cells(shop.result())
    assert found["machine", "speed_loss"] == 75
    assert found["machine", "idle"] == 30


def test_paid_break_costs_labour_to_planned_stop_without_product(shop: Workshop) -> None:
    shop.calendar["shifts"][0]["breaks"] = [{"start": "09:00", "minutes": 30, "paid": True}]
    shop.say("08:00", "crew", 3)
    shop.run("08:00", "09:00", then="down")
    shop.say("10:00", "state", "running")
    result = shop.result()
    found = result.costs(("resource", "cause", "product"))
    assert found["labour", "planned_stop", None] == 45
    assert found["machine", "downtime", "P"] == 30
    assert found["labour", "crew", "P"] == 30 + 15  # not in the break


def test_measured_energy_beyond_the_units_is_usage_and_in_other_states_their_cause(shop: Workshop) -> None:
    shop.say("08:00", "energy", 1000)
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 100)
    shop.say("08:59", "energy", 1060)
    shop.say("09:30", "energy", 1064)
    found = cells(shop.result())
    assert found["energy", "production"] == 5
    assert found["energy", "usage"] == 1
    assert found["energy", "idle"] == F("0.4")


def test_energy_and_material_are_costed_outside_all_shifts(shop: Workshop) -> None:
    shop.say("18:00", "state", "idle")
    shop.say("18:00", "energy", 0)
    shop.say("18:00", "material:resin", 0)
    shop.say("19:00", "energy", 10)
    shop.say("19:00", "material:resin", 1)
    assert cells(shop.result()) == {("energy", "idle"): 1, ("material", "idle"): 5}


def test_material_beyond_the_bill_is_usage_and_so_is_an_item_outside_it(shop: Workshop) -> None:
    shop.tables["prices.csv"].append(("oil", "2026-01-01", "2", "3"))
    shop.run("08:00", "09:00")
    for role in ("material:resin", "material:oil"):
        shop.say("08:00", role, 0)
    shop.say("08:30", "good_count", 100)
    shop.say("08:30", "material:resin", 23)
    shop.say("08:30", "material:oil", 4)
    found = cells(shop.result())
    assert found["material", "production"] == 100
    assert found["material", "usage"] == 15 + 8
    assert found["material", "price"] == 4


def test_material_alone_names_the_only_item_of_the_bills(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    shop.say("08:00", "material", 0)
    shop.say("08:30", "material", 2)
    assert cells(shop.result())["material", "usage"] == 10


def test_units_seen_outside_running_earn_material_but_no_time_or_energy(shop: Workshop) -> None:
    shop.run("08:00", "09:00", then="down")
    shop.say("09:10", "good_count", 10)
    shop.say("10:00", "state", "running")
    result = shop.result()
    found = cells(result)
    assert found["machine", "speed_loss"] == 60
    assert found["machine", "downtime"] == 60
    assert found["material", "production"] == 10
    assert ("energy", "production") not in found
    assert result.variances(("resource", "cause"))["machine", "production"].allowance == 6


def test_units_seen_in_idle_belong_to_the_last_running_product_and_order(shop: Workshop) -> None:
    shop.say("08:00", "order", "O1")
    shop.run("08:00", "09:00")
    shop.say("09:00", "product", "Q")
    shop.say("09:00", "order", "O2")
    shop.say("09:10", "good_count", 10)
    result = shop.result()
    assert result.costs(("product", "order", "resource"))["P", "O1", "material"] == 10
    assert result.output(("product", "order"))["P", "O1"]["good"] == 10
    assert result.costs(("product", "order", "cause"))[None, None, "idle"] == 10


def test_running_without_a_standard_is_unexplained_at_standard_prices(shop: Workshop) -> None:
    shop.machine["rate"][0]["actual"] = 66
    shop.say("08:00", "crew", 3)
    shop.say("08:00", "energy", 0)
    shop.run("08:00", "09:00", product="X")
    shop.bill("X", "resin", "1")
    shop.say("08:30", "energy", 10)
    shop.say("08:30", "good_count", 4)
    result = shop.result(end="2026-03-02T09:00")
    assert cells(result) == {
        ("machine", "unexplained"): 60,
        ("machine", "price"): 6,
        ("labour", "unexplained"): 90,
        ("energy", "unexplained"): 1,
        ("material", "unexplained"): 20,
    }
    assert result.confidence().missing_standards == [("X", "m1")]
    assert result.variances()[()].allowance == 0


def test_running_without_a_product_is_unexplained(shop: Workshop) -> None:
    shop.say("08:00", "state", "running")
    shop.say("09:00", "state", "idle")
    result = shop.result()
    assert cells(result) == {("machine", "unexplained"): 60}
    assert result.confidence().missing_standards == [(None, "m1")]


def test_unknown_costs_time_only_when_scheduled(shop: Workshop) -> None:
    shop.say("13:00", "product", "P")
    shop.say("13:00", "state", "Fault 17")
    shop.say("15:00", "state", "idle")
    result = shop.result()
    assert cells(result) == {("machine", "unexplained"): 60, ("labour", "unexplained"): 60}
    assert result.histories["m1"].strange_states == {"Fault 17": 1}


def test_labour_row_of_line_and_shift_wins_over_line_over_shift_over_neither(shop: Workshop) -> None:
    row = {"from": "2026-01-01", "overtime_multiplier": 1}
    shop.run("08:00", "09:00")
    for extra, wage in (({"shift": "D"}, 40), ({"line": "L1"}, 50), ({"line": "L1", "shift": "D"}, 60)):
        shop.site["labour"].append({**row, **extra, "standard": wage, "actual": wage})
        assert cells(shop.result())["labour", "speed_loss"] == 2 * wage


def test_labour_later_row_wins_among_equals_from_its_date_on(shop: Workshop) -> None:
    for day, wage in (("2026-02-01", 31), ("2026-03-03", 32)):
        shop.site["labour"].append({"from": day, "standard": wage, "actual": wage})
    shop.run("08:00", "09:00")
    assert cells(shop.result())["labour", "speed_loss"] == 62


def test_charges_count_at_their_time_whatever_the_calendar_says(shop: Workshop) -> None:
    shop.tables["charges.csv"] += [
        ("2026-03-02T23:00", "m1", "P", "O1", "downtime", "12.50", "hired pump"),
        ("2026-03-02T05:00", "", "", "", "price", "7", "freight"),
        ("2026-03-09T05:00", "m1", "", "", "price", "7", "outside the window"),
    ]
    result = shop.result()
    assert result.costs(("machine", "product", "order", "cause")) == {
        ("m1", "P", "O1", "downtime"): F("12.5"),
        (None, None, None, "price"): F(7),
    }


def test_maintenance_outside_the_rate_goes_by_kind_at_its_start(shop: Workshop) -> None:
    shop.tables["maintenance.csv"] += [
        ("2026-03-02T08:00", "2026-03-02T09:00", "m1", "planned", "100", "false", ""),
        ("2026-03-02T10:00", "2026-03-02T11:00", "m1", "breakdown", "30", "false", ""),
        ("2026-03-02T12:00", "2026-03-02T13:00", "m1", "breakdown", "55", "true", ""),
    ]
    assert cells(shop.result()) == {("other", "planned_stop"): 100, ("other", "downtime"): 30}
