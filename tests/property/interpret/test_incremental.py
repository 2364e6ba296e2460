"""Any order of arrival, duplicates and incremental recomputation give what a run from scratch gives."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_api.interpret.standards import Book

from .drawn import History, histories, the_plant
from .shop import Shop

BOOK = Book(the_plant())


def assert_equal(shop: Shop) -> None:
    scratch = shop.from_scratch()
    assert sorted(shop.hours) == sorted(scratch)
    for hour, expected in scratch.items():
        got = shop.hours[hour]
        assert got.begin == expected.begin
        assert got.segments == expected.segments
        assert got == expected


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 8))
def test_late_data_in_any_order_equals_scratch(
    history: History, random: Random, chunk_hours: int, deliveries: int
) -> None:
    shop = Shop(BOOK, history.signals)
    pieces = list(history.pieces)
    random.shuffle(pieces)
    size = -(-len(pieces) // deliveries)
    for at in range(0, len(pieces), size):
        shop.deliver(pieces[at : at + size])
        shop.work(chunk_hours)
        if shop.samples:
            assert_equal(shop)


@settings(max_examples=40, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(history: History, random: Random) -> None:
    one, other = Shop(BOOK, history.signals), Shop(BOOK, history.signals)
    one.deliver(history.pieces)
    pieces = [*history.pieces, *random.sample(history.pieces, len(history.pieces) // 4)]
    random.shuffle(pieces)
    other.deliver(pieces)
    assert one.from_scratch() == other.from_scratch()
