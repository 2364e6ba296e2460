"""What holds for every history: segments tile, entries sum to use x price, variances close, cuts are free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal, localcontext
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.interpret.allowance import allowance, unit_cost
from cloud_api.interpret.interpretation import interpret
from cloud_api.interpret.ledger import price as priced
from cloud_api.interpret.model import Entry, Facts, HourResult, Interpretation, Segment
from cloud_api.interpret.money import CONTEXT, stored
from cloud_api.interpret.pricing import costs_time, is_overtime
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import cells
from shared.units import HOUR_US

from .drawn import HOURS, START, History, histories, the_plant
from .shop import Shop

BOOK = Book(the_plant())
ZERO = Decimal(0)
TINY = Decimal("1e-9")


def whole(history: History, cuts: tuple[int, ...] = ()) -> Interpretation:
    shop = Shop(BOOK, history.signals)
    shop.deliver(history.pieces)
    return interpret("m1", BOOK, shop.evidence(shop.first_us, shop.watermark_us + 1), cuts=cuts)


def use_at_actual_prices(facts: Facts) -> dict[str, Decimal]:
    """Use of each resource x its actual price, straight from the rule."""
    rate = BOOK.rate("m1", facts.effective, "ante")
    wage = BOOK.wage("m1", facts.shift, facts.effective, "ante")
    tariff = BOOK.tariff(facts.effective, "ante")
    assert rate is not None
    assert wage is not None
    assert tariff is not None
    hours = Decimal(facts.duration_us) / HOUR_US
    multiplier = wage.multiplier if is_overtime(facts) else Decimal(1)
    paid = costs_time(facts) or facts.paid
    material = ZERO
    for use in facts.material:
        price = BOOK.price(use.item, facts.effective, "ante")
        assert price is not None
        material += use.quantity * price.actual
    return {
        "machine": hours * rate.actual if costs_time(facts) else ZERO,
        "labour": hours * facts.crew * wage.actual * multiplier if paid else ZERO,
        "energy": facts.energy_kwh * tariff.actual,
        "material": material,
    }


def by_resource(entries: Iterable[Entry]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        sums[entry.resource] += entry.amount
    return sums


def segments(hours: Iterable[HourResult]) -> list[Segment]:
    return [segment for hour in hours for segment in hour.segments]


@settings(max_examples=60, deadline=None)
@given(histories())
def test_segments_tile_the_time_line_without_a_needless_cut(history: History) -> None:
    shop = Shop(BOOK, history.signals)
    shop.deliver(history.pieces)
    found = segments(whole(history).hours)
    at = shop.first_us
    for segment in found:
        assert segment.from_us == at < segment.to_us
        assert segment.hour_us <= segment.from_us < segment.to_us <= segment.hour_us + HOUR_US
        at = segment.to_us
    assert at == max(shop.watermark_us, shop.first_us)
    for one, other in pairwise(found):
        same = [
            getattr(one, name) == getattr(other, name)
            for name in (
                "hour_us", "effective", "production_day", "state", "product", "order", "made_product",
                "made_order", "reason", "crew", "shift", "calendar", "paid",
            )
        ]  # fmt: skip
        assert not all(same)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_identity_a_per_segment_and_per_hour(history: History) -> None:
    with localcontext(CONTEXT):
        for hour in whole(history).hours:
            expected: dict[str, Decimal] = defaultdict(Decimal)
            for segment in hour.segments:
                found = by_resource(priced([segment], "m1", BOOK))
                for resource, amount in use_at_actual_prices(segment).items():
                    if resource == "material":
                        assert abs(found[resource] - amount) < TINY
                    else:
                        assert found[resource] == stored(amount)
                    expected[resource] += amount
            entries = by_resource(hour.entries)
            for resource, amount in expected.items():
                assert abs(entries[resource] - amount) < TINY


@settings(max_examples=60, deadline=None)
@given(histories())
def test_identity_b_and_planning_close_over_all_cells(history: History) -> None:
    hours = whole(history).hours
    outputs = [output for hour in hours for output in hour.outputs]
    entries = [entry for hour in hours for entry in hour.entries]
    sheet = cells(
        [("all", e.resource, e.cause, e.amount) for e in entries], [("all", o) for o in outputs], BOOK
    ).get("all", {})
    with localcontext(CONTEXT):
        actual = sum((entry.amount for entry in entries), ZERO)
        ante = post = ZERO
        for o in outputs:
            where = ("m1", o.made_product, o.shift, o.effective)
            ante += o.good * unit_cost(allowance(BOOK, *where))
            post += o.good * unit_cost(allowance(BOOK, *where, "post"))
        assert abs(sum((c.variance for c in sheet.values()), ZERO) - (actual - ante)) < TINY
        assert abs(sum((c.planning for c in sheet.values()), ZERO) - (post - ante)) < TINY
        for (_, cause), cell in sheet.items():
            if cause == "changeover":
                assert abs(sum(cell.parts().values(), ZERO) - cell.variance) < TINY


instants = st.integers(START, START + HOURS * HOUR_US)


@settings(max_examples=60, deadline=None)
@given(histories(), st.lists(instants, min_size=1, max_size=6))
def test_cuts_change_no_amount(history: History, cuts: list[int]) -> None:
    plain, cut = whole(history), whole(history, tuple(cuts))

    def amounts(hours: Iterable[HourResult]) -> dict[tuple[object, ...], Decimal]:
        sums: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
        for hour in hours:
            for e in hour.entries:
                key = (
                    e.hour_us,
                    e.production_day,
                    e.product,
                    e.order,
                    e.shift,
                    e.reason,
                    e.resource,
                    e.cause,
                )
                sums[(*key, e.item, e.rate)] += e.amount
        return {key: amount for key, amount in sums.items() if amount}

    assert amounts(plain.hours) == amounts(cut.hours)
    edges = {segment.from_us for segment in segments(cut.hours)}
    begin, end = plain.hours[0].from_us if plain.hours else 0, plain.hours[-1].to_us if plain.hours else 0
    assert all(instant in edges for instant in cuts if begin <= instant < end)
    for name in ("good", "scrap", "rework", "energy_kwh", "duration_us"):
        one, other = (
            sum(getattr(output, name) for hour in result.hours for output in hour.outputs)
            for result in (plain, cut)
        )
        assert one == other


@settings(max_examples=40, deadline=None)
@given(histories())
def test_a_segment_priced_alone_adds_up_to_the_hour(history: History) -> None:
    for hour in whole(history).hours:
        alone: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for segment in hour.segments:
            for entry in priced([segment], "m1", BOOK):
                alone[entry.resource, entry.cause] += entry.amount
        for entry in hour.entries:
            alone[entry.resource, entry.cause] -= entry.amount
        assert all(abs(amount) < TINY for amount in alone.values())
