"""Hand-computed cases of counters and of samples that contradict each other."""

from fractions import Fraction as F

import pytest

from tests.reference.workshop import Workshop


def good(shop: Workshop) -> F:
    return shop.result().output()[()]["good"]


def counted(shop: Workshop, *values: object, role: str = "good_count") -> None:
    """Running from 08:00 to 09:00 with one sample a minute from 08:00 on."""
    shop.say("08:00", "product", "P")
    shop.say("08:00", "state", "running")
    for minute, value in enumerate(values):
        shop.say(f"08:{minute:02}", role, value)
    shop.say("09:00", "state", "idle")


def test_first_trusted_value_is_a_baseline(shop: Workshop) -> None:
    counted(shop, 500, 510)
    assert good(shop) == 10


def test_increase_belongs_to_the_segment_that_begins_when_it_is_seen(shop: Workshop) -> None:
    shop.run("08:00", "09:00", then="down")
    shop.say("09:00", "good_count", 7)
    shop.say("10:00", "state", "running")
    assert [segment.good for segment in shop.result().segments] == [0, 7]


def test_increase_at_the_end_of_data_belongs_to_the_last_segment(shop: Workshop) -> None:
    shop.run("08:00", "09:00", then="down")
    shop.say("10:00", "good_count", 7)
    assert [segment.good for segment in shop.result().segments] == [0, 7]


def test_increase_across_a_gap_belongs_to_the_first_good_sample_after_it(shop: Workshop) -> None:
    shop.run("08:00", "09:00", then="down")
    shop.say("08:10", "good_count", "", quality="bad")
    shop.say("08:20", "good_count", 99999, quality="bad")
    shop.say("09:30", "good_count", 40)
    shop.say("10:00", "state", "running")
    assert [segment.good for segment in shop.result().segments] == [0, 40]


def test_empty_value_of_a_counter_is_none_not_zero(shop: Workshop) -> None:
    counted(shop, 100, "", 130)
    assert good(shop) == 30


@pytest.mark.parametrize(
    ("declared", "values", "expected"),
    [
        ({"fall": "rollover", "rollover": 1000}, (990, 20), 30),
        ({"fall": "rollover", "rollover": 1000}, (500, 400), 900),
        ({"fall": "reset"}, (500, 400), 400),
        ({"fall": "correction"}, (500, 3), 0),
        (None, (60_000, 6_000), 6_000 + 65_536 - 60_000),
        (None, (60_000, 7_000), 0),  # above a tenth of 2^16, above a tenth of the old value
        (None, (58_000, 10), 10),  # below nine tenths of 2^16: a reset
        (None, (4_294_967_290, 4), 10),
        (None, (500, 50), 50),
        (None, (500, 51), 0),
        (None, (500, 0), 0),
        (None, (32_760, -32_760), 16),  # a signed counter of 16 bits goes on
        (None, (-100, -90), 10),
        (None, (-90, -100), 0),
        (None, (5, -3), 0),
    ],
)
def test_falls_are_what_the_machine_declares_or_what_the_values_say(
    shop: Workshop, declared: dict | None, values: tuple, expected: int
) -> None:
    if declared:
        shop.machine["counters"] = {"good_count": declared}
    counted(shop, *values)
    assert good(shop) == expected


def test_after_a_correction_counting_goes_on_from_the_new_value(shop: Workshop) -> None:
    counted(shop, 500, 495, 498)
    assert good(shop) == 3


@pytest.mark.parametrize("role", ["product", "order"])
def test_undeclared_fall_with_a_new_product_or_order_is_a_reset(shop: Workshop, role: str) -> None:
    shop.standard(product="Q")
    shop.say("07:59", role, "P")
    counted(shop, 500, 400)
    shop.say("08:01", role, "Q")
    assert good(shop) == 400


def test_undeclared_fall_is_no_reset_when_product_comes_back_the_same(shop: Workshop) -> None:
    counted(shop, 500, 400)
    shop.say("08:00:20", "product", "", quality="bad")
    shop.say("08:00:40", "product", "P")
    assert good(shop) == 0


def test_total_count_less_scrap_is_good_and_never_floored(shop: Workshop) -> None:
    counted(shop, 0, 10, 20, role="total_count")
    shop.say("08:00", "scrap_count", 0)
    shop.say("08:30", "scrap_count", 23)
    output = shop.result().output()[()]
    assert (output["good"], output["scrap"]) == (-3, 23)


def test_declared_fall_of_a_material_counter_stands_under_its_role(shop: Workshop) -> None:
    shop.machine["counters"] = {"material:resin": {"fall": "reset"}}
    counted(shop, 80, 60, role="material:resin")
    assert shop.result().costs(("resource", "cause"))["material", "usage"] == 300


def test_uncertain_values_are_used(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    shop.say("08:30", "good_count", 7, quality="uncertain")
    assert good(shop) == 7


def test_same_time_better_quality_wins_then_the_greater_text(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    for value, quality in ((90, "good"), (800, "uncertain"), (90, "good"), (100, "good")):
        shop.say("08:30", "good_count", value, quality=quality)
    result = shop.result()
    assert result.output()[()]["good"] == 90  # '90' is greater text than '100'
    assert result.histories["m1"].contradictions == 1


def test_bad_state_is_unknown_until_the_next_that_is_not_bad(shop: Workshop) -> None:
    shop.run("08:00", "09:00")
    shop.say("08:20", "state", "running", quality="bad")
    shop.say("08:40", "state", "running", quality="uncertain")
    assert [(s.state, (s.end - s.start) // 60_000_000) for s in shop.result().segments] == [
        ("running", 20),
        ("unknown", 20),
        ("running", 20),
    ]


def test_bad_product_order_and_reason_become_none(shop: Workshop) -> None:
    shop.say("08:00", "order", "O1")
    shop.run("08:00", "09:00")
    shop.say("08:30", "product", "", quality="bad")
    shop.say("08:30", "order", "", quality="bad")
    assert [(s.product, s.order) for s in shop.result().segments] == [("P", "O1"), (None, None)]


def test_files_without_offset_are_in_the_sites_zone_first_occurrence(shop: Workshop) -> None:
    shop.site["time_zone"] = "America/New_York"
    shop.say("2025-11-02T01:30:00", "state", "idle")
    shop.say("2025-11-02T06:30:00+00:00", "state", "running")
    segments = shop.result("2025-11-01", "2025-11-03").segments
    assert [s.state for s in segments] == ["idle"]
    assert segments[0].end - segments[0].start == 3600 * 10**6


def test_files_without_offset_in_a_skipped_hour_are_an_error(shop: Workshop) -> None:
    shop.site["time_zone"] = "America/New_York"
    shop.say("2026-03-08T02:30:00", "state", "idle")
    with pytest.raises(ValueError, match="skipped time"):
        shop.result()
