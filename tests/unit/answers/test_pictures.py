"""Pictures say in words what they show, fit any width, and hold no markup of a name."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from xml.etree import ElementTree

from cloud_api.pages import words
from cloud_api.pages.pictures import Bar, Column, Stay, bars, columns, strip

NAME = '<script>"&'


def bar(name: str, actual: str, allowance: str = "10") -> Bar:
    cost = Decimal(actual)
    return Bar(name, name, cost, Decimal(allowance), cost - Decimal(allowance), "/segments?a=1&b=2")


def test_names_from_the_plant_stay_text() -> None:
    drawn = bars([bar(NAME, "100"), bar("price", "-30")], "EUR")
    assert NAME not in drawn
    root = ElementTree.fromstring(drawn)
    assert any(NAME in "".join(text.itertext()) for text in root.iter("text"))


def test_every_bar_opens_and_is_named() -> None:
    root = ElementTree.fromstring(bars([bar("scrap", "100"), bar("rework", "5")], "EUR"))
    links = list(root.iter("a"))
    assert [link.get("href") for link in links] == ["/segments?a=1&b=2"] * 2
    assert links[0].get("aria-label") == "scrap: EUR 100, standard 10, variance +90"


def test_a_gain_is_drawn_left_of_zero() -> None:
    root = ElementTree.fromstring(bars([bar("scrap", "75", "0"), bar("price", "-25", "0")], "EUR"))
    marks = [mark for mark in root.iter("rect") if "bar" in (mark.get("class") or "")]
    assert [(mark.get("x"), mark.get("width")) for mark in marks] == [
        ("25.00%", "75.00%"),
        ("0.00%", "25.00%"),
    ]


def test_no_width_is_in_pixels() -> None:
    drawn = columns([Column(dt.date(2026, 3, day), Decimal(day - 3), "/x") for day in range(1, 8)], "EUR")
    assert 'width="100%"' in drawn
    assert re.findall(r'(?<!-)width="(?![0-9.]+%)[^"]*"', drawn) == []
    ElementTree.fromstring(drawn)


def test_a_strip_says_what_it_shows() -> None:
    begin = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    end = begin + dt.timedelta(hours=2)
    drawn = strip([Stay(begin, end, "running", "Running, 2 h")], begin, end, "States of m")
    root = ElementTree.fromstring(drawn)
    assert root.get("aria-label") == "States of m"
    assert "Running, 2 h" in drawn


def test_nothing_draws_nothing() -> None:
    assert bars([], "EUR") == columns([], "EUR") == ""


def test_figures_are_said_with_signs_and_thousands() -> None:
    assert words.amount(Decimal("-1234.5678")) == "−1,234.57"
    assert words.signed(Decimal("12")) == "+12.00"
    assert words.signed(Decimal("-0.001")) == "0.00"
    assert words.whole(Decimal("999999.5")) == "1,000,000"
    assert words.percent(Decimal("0.9812")) == "98.1%"
    assert words.span(Decimal("1.5")) == "1 h 30 min"
    assert words.number(Decimal("1200.50"), 1) == "1,200.5"


def test_nothing_is_told_to_be_certain() -> None:
    assert words.sure(Decimal("0.99996")) == "over 99%"
    assert words.sure(Decimal("0.9")) == "90%"
    assert words.sure(None) == "–"


def test_a_sign_stands_before_the_currency() -> None:
    assert words.priced(Decimal("-1234.5"), "USD") == "−USD 1,234.50"
    assert words.priced(Decimal("57.2"), "USD", "1") == "+USD 57"
    assert words.priced(Decimal(0), "USD", "1") == "USD 0"


def test_no_line_breaks_within_a_date_or_an_amount() -> None:
    said = words.held("since 2026-11-05 06:00: +USD 1,234.50, <b> & 2026-10.")
    assert said == (
        'since <span class="nowrap">2026-11-05 06:00</span>: <span class="nowrap">+USD 1,234.50</span>, '
        '&lt;b&gt; &amp; <span class="nowrap">2026-10</span>.'
    )
