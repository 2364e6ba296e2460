"""Whatever stands in an address: a question or all its mistakes, never a crash; and rows that add up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.answers.cells import Sheet
from cloud_api.answers.paging import cursor, place
from cloud_api.answers.places import Machine, Places, Site
from cloud_api.answers.question import Question, QuestionError, read
from cloud_api.answers.variances import told
from cloud_api.api.parameters import ANSWER, GROUPS
from cloud_api.interpret.plant import Calendar, Plant
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import Variance

RECORDED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def site(name: str, currency: str = "EUR", zone: str = "Europe/Berlin") -> Site:
    calendar = Calendar(version=1, recorded_at=RECORDED, day_start_min=360)
    book = Book(Plant(site=name, time_zone=zone, currency=currency, calendar=calendar))
    return Site(name, (Machine(1, "cut", "one", name),), (), book)


ONE = Places((site("a"),))
TWO = Places((site("a"), site("b", "USD", "America/New_York")))


def asked(places: Places, *parameters: tuple[str, str]) -> Question:
    return read(parameters, places, allowed=ANSWER, by=GROUPS)


WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "2026-03-02", "2026-03-08T02:30:00+01:00", "9999-12-31", "-1", "a", "cut", "cause,day", "ⅷ"]
    ),
)


def wrong(places: Places, *parameters: tuple[str, str]) -> set[str]:
    """Fields with a mistake; none where it is a question."""
    try:
        asked(places, *parameters)
    except QuestionError as error:
        return {mistake.field for mistake in error.mistakes}
    return set()


def test_only_money_asks_for_one_currency() -> None:
    assert wrong(TWO) == {"site"}
    assert len(read((), TWO, allowed=ANSWER, in_money=False).sites) == 2


@given(st.lists(st.tuples(st.sampled_from([*ANSWER, "zz"]), WORDS), max_size=6))
def test_any_address_is_a_question_or_told_what_is_wrong(parameters: list[tuple[str, str]]) -> None:
    fields = wrong(ONE, *parameters)
    assert fields <= {name for name, _ in parameters} | {"to"}
    assert ("zz" in fields) == ("zz" in dict(parameters))


@given(st.text(max_size=40))
def test_a_cursor_that_was_not_given_here_is_refused(text: str) -> None:
    with pytest.raises(QuestionError) as refused:
        place(f"!{text}", tuple[int, int])
    assert refused.value.mistakes[0].field == "cursor"


@given(st.tuples(st.integers(), st.text()))
def test_a_cursor_comes_back_as_it_went(given_place: tuple[int, str]) -> None:
    assert place(cursor(given_place), tuple[int, str]) == given_place


def test_dates_are_production_days_of_the_site() -> None:
    question = asked(ONE, ("from", "2026-03-02"), ("to", "2026-03-03"))
    hours = [dt.datetime(2026, 3, day, 5, tzinfo=dt.UTC) for day in (2, 3)]
    assert [question.from_us, question.to_us] == [int(hour.timestamp()) * 1_000_000 for hour in hours]


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ((("by", "cause"),), {"site"}),
        ((("site", "a"), ("by", "cause")), set()),
        ((("from", "2026-03-02"),), {"site", "from"}),
        ((("from", "2026-03-02T00:00:00Z"),), {"site"}),
    ],
)
def test_sites_of_two_currencies_and_zones_are_not_mixed(
    parameters: tuple[tuple[str, str], ...], fields: set[str]
) -> None:
    assert wrong(TWO, *parameters) == fields


AMOUNTS = st.decimals(-10_000, 10_000, places=9)
CELLS = st.dictionaries(
    st.tuples(st.sampled_from(["P", "Q", None]), st.sampled_from(["machine", "labour", "line"]),
              st.sampled_from(["changeover", "scrap", "price"])),
    st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS),
    max_size=12,
)  # fmt: skip


@given(CELLS, st.sampled_from([(), ("product",), ("resource", "cause"), ("product", "cause")]))
def test_rows_and_parts_add_up_to_the_last_decimal(
    cells: dict[tuple[str | None, str, str], tuple[Decimal, ...]], by: tuple[str, ...]
) -> None:
    sheet = Sheet(("product",))
    for (product, resource, cause), (actual, allowance, post, lot_size, sequence) in cells.items():
        sheet.cells[(product,), (resource, cause)] = Variance(
            actual=actual, allowance=allowance, allowance_post=post, lot_size=lot_size, sequence=sequence
        )
    about = {
        "status": "provisional", "basis": "posting", "currency": "EUR", "from_": None, "to": None,
        "computed_through": None, "pending_hours": 0, "confidence": None, "withheld": [],
    }  # fmt: skip
    answer = told(Question(sites=ONE.sites, by=by), sheet, about)
    for name in ("actual", "allowance", "variance", "planning", "operational"):
        assert sum(getattr(row, name) for row in answer.rows) == getattr(answer.total, name)
    for row in answer.rows:
        assert row.actual - row.allowance == row.variance == row.planning + row.operational
        parts = (row.parts.lot_size, row.parts.duration, row.parts.sequence)
        if by == ("resource", "cause") and row.cause == "changeover" and row.resource != "line":
            assert sum(parts) == row.variance
