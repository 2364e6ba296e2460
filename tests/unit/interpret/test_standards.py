"""Which recording is in force: ex-ante and ex-post, effective dates, specificity of labour rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cloud_api.interpret.plant import Labour, Standard
from cloud_api.interpret.standards import Book

from .scenes import D, bill, machine, plant, price, rate, standard, tariff, wage


def when(day: str) -> dt.datetime:
    return dt.datetime.fromisoformat(day + "T12:00+00:00")


def date(day: str) -> dt.date:
    return dt.date.fromisoformat(day)


def row(cycle: str, from_: str, recorded: str, version: int = 1) -> Standard:
    return standard(cycle=cycle, from_=date(from_), recorded=when(recorded), version=version)


def cycles(rows: Sequence[Standard], day: str) -> tuple[int | None, int | None]:
    """Ideal cycle ex-ante and ex-post on a day."""
    book = Book(plant(standards=rows))
    found = [book.standard("m1", "P", date(day), basis) for basis in ("ante", "post")]  # type: ignore[arg-type]
    return tuple(None if each is None else int(each.ideal_cycle_s) for each in found)  # type: ignore[return-value]


def test_the_last_row_on_or_before_the_date_applies_and_none_before_the_first() -> None:
    rows = [row("60", "2026-02-01", "2026-01-01"), row("50", "2026-03-01", "2026-01-01")]
    assert cycles(rows, "2026-01-31") == (None, None)
    assert cycles(rows, "2026-02-01") == (60, 60)
    assert cycles(rows, "2026-02-28") == (60, 60)
    assert cycles(rows, "2026-03-01") == (50, 50)


def test_a_first_load_after_the_fact_is_ex_ante_from_its_effective_dates() -> None:
    rows = [row("60", "2026-01-01", "2026-11-20"), row("50", "2026-02-01", "2026-11-20")]
    assert cycles(rows, "2026-01-15") == (60, 60)
    assert cycles(rows, "2026-02-10") == (50, 50)


def test_a_row_recorded_late_is_ex_post_before_it_was_recorded_and_ex_ante_from_then_on() -> None:
    rows = [row("60", "2026-01-01", "2025-12-01"), row("50", "2026-01-10", "2026-01-20", 2)]
    assert cycles(rows, "2026-01-09") == (60, 60)
    assert cycles(rows, "2026-01-10") == (60, 50)
    assert cycles(rows, "2026-01-19") == (60, 50)
    assert cycles(rows, "2026-01-20") == (50, 50)


def test_a_second_recording_of_the_same_effective_date() -> None:
    rows = [row("60", "2026-01-01", "2025-12-01"), row("50", "2026-01-01", "2026-01-20", 2)]
    assert cycles(rows, "2026-01-05") == (60, 50)
    assert cycles(rows, "2026-01-20") == (50, 50)


def test_of_two_recorded_before_their_effective_date_the_first_is_ex_ante() -> None:
    rows = [row("60", "2026-01-01", "2025-12-01"), row("50", "2026-01-01", "2025-12-15", 2)]
    assert cycles(rows, "2026-01-05") == (60, 50)


def test_a_standard_that_was_missing_counts_once_it_is_recorded() -> None:
    assert cycles([row("60", "2026-01-01", "2026-06-01")], "2026-01-05") == (60, 60)


def test_the_recording_day_is_a_day_of_the_site() -> None:
    late = dt.datetime(2026, 1, 20, 3, tzinfo=dt.UTC)  # the 19th in New York
    rows = [
        row("60", "2026-01-01", "2025-12-01"),
        standard(cycle="50", from_=date("2026-01-10"), recorded=late),
    ]
    book = Book(plant(standards=rows, time_zone="America/New_York"))
    found = book.standard("m1", "P", date("2026-01-19"), "ante")
    assert found is not None
    assert found.ideal_cycle_s == 50


def labour(rows: Sequence[Labour], shift: str | None, day: str = "2026-03-01") -> int:
    pair = Book(plant(labour=rows)).wage("m1", shift, date(day), "ante")
    assert pair is not None
    return int(pair.standard)


def test_the_most_specific_labour_row_wins() -> None:
    rows = [
        wage("10"), wage("20", shift="A"), wage("30", line="L"), wage("40", line="L", shift="A"),
        wage("90", line="other", shift="A"),
    ]  # fmt: skip
    assert labour(rows, "A") == 40
    assert labour(rows, "B") == 30
    assert labour(rows, None) == 30
    assert labour(rows[:2], "A") == 20
    assert labour(rows[:2], None) == 10


def test_specific_wins_over_later_and_among_equals_the_later_from() -> None:
    rows = [wage("30", line="L"), wage("10", from_=date("2026-02-01"))]
    assert labour(rows, "A") == 30
    rows = [wage("30", line="L"), wage("35", line="L", from_=date("2026-02-01"))]
    assert labour(rows, "A") == 35
    assert labour(rows, "A", "2026-01-31") == 30


def test_a_specific_row_recorded_late_is_ex_post_only() -> None:
    rows = [wage("10"), wage("40", line="L", recorded=when("2026-05-01"))]
    book = Book(plant(labour=rows))
    ante, post = (book.wage("m1", "A", date("2026-03-01"), basis) for basis in ("ante", "post"))  # type: ignore[arg-type]
    assert ante is not None
    assert post is not None
    assert (ante.standard, post.standard) == (10, 40)


def test_actual_columns_are_replaced_and_equal_the_standard_until_recorded() -> None:
    late = when("2026-05-01")
    book = Book(
        plant(
            machines=[machine(rates=[rate("60"), rate("66", "70", recorded=late)])],
            energy=[tariff("0.1", "0.2")],
            prices=(price("steel", "4"), price("steel", "4", "5", recorded=late)),
        )
    )
    ante, post = (book.rate("m1", date("2026-03-01"), basis) for basis in ("ante", "post"))  # type: ignore[arg-type]
    assert ante is not None
    assert post is not None
    assert (ante.standard, ante.actual, post.standard, post.actual) == (60, 70, 66, 70)
    steel = book.price("steel", date("2026-03-01"), "ante")
    assert steel is not None
    assert (steel.standard, steel.actual) == (4, 5)
    equal = Book(plant()).rate("m1", date("2026-03-01"), "ante")
    assert equal is not None
    assert equal.actual == equal.standard == 60


def test_a_bill_item_added_late_is_ex_post_only_and_zero_takes_an_item_off() -> None:
    late = when("2026-05-01")
    rows = (
        bill("steel", "2"), bill("oil", "1"), bill("paint", "3", recorded=late),
        bill("oil", "0", from_=date("2026-04-01")),
    )  # fmt: skip
    book = Book(plant(bill=rows))
    assert book.bill("m1", "P", date("2026-03-01"), "ante") == {"steel": D(2), "oil": D(1)}
    assert book.bill("m1", "P", date("2026-03-01"), "post") == {"steel": D(2), "oil": D(1), "paint": D(3)}
    assert book.bill("m1", "P", date("2026-04-02"), "ante") == {"steel": D(2)}
    assert book.bill("m1", "P", date("2026-05-02"), "ante") == {"steel": D(2), "paint": D(3)}
