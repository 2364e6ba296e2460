"""The six questions of finance: from the start page in at most three clicks, as the API has it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Shop
from tests.e2e.test_page import money

pytestmark = pytest.mark.needs("chromium")

WINDOW = "from=2026-03-03&to=2026-03-05"
MOST_CLICKS = 3


class Clicks:
    """A reader who starts at the start page and counts clicks."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0
        page.goto(f"/?{WINDOW}")

    def page_named(self, name: str) -> None:
        self.page.get_by_label("Pages").get_by_role("link", name=name, exact=True).click()
        self.count += 1
        assert self.count <= MOST_CLICKS

    def text(self) -> str:
        return self.page.locator("main").inner_text()


def api(shop: Shop, path: str, **query: str) -> Any:
    window = dict(pair.split("=") for pair in WINDOW.split("&"))
    answer = httpx.get(f"{shop.address}/v1/{path}", params={**window, **query}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json(parse_float=Decimal)


def figures(text: str) -> set[Decimal]:
    """Every number in a text."""
    return {money(word) for word in re.findall(r"[−+]?\d[\d,]*(?:\.\d+)?", text)}


def test_why_did_it_change(page: Page, shop: Shop) -> None:
    reader = Clicks(page)
    reader.page_named("Why")
    told = api(shop, "bridge", base="previous")
    assert abs(told["change"]).quantize(Decimal("0.0001")) in figures(reader.text())
    assert sum(bar["amount"] for bar in told["bars"]) == told["change"]


def test_is_it_structural_or_temporary(page: Page, shop: Shop) -> None:
    reader = Clicks(page)
    reader.page_named("Why")
    told = api(shop, "bridge", base="previous")
    judged = next(bar for bar in told["bars"] if bar["persistence"] is not None)
    word = {"undetermined": "too early"}.get(
        judged["persistence"]["verdict"], judged["persistence"]["verdict"][:5]
    )
    assert word in reader.text()


def test_which_products_drive_it(page: Page, shop: Shop) -> None:
    reader = Clicks(page)
    reader.page_named("Products")
    for row in api(shop, "products")["rows"]:
        assert row["actual_unit_cost"].quantize(Decimal("0.01")) in figures(reader.text())


def test_which_assumptions_are_breaking(page: Page, shop: Shop) -> None:
    """As they stand now: the page of assumptions has no window."""
    reader = Clicks(page)
    reader.page_named("Assumptions")
    rows = httpx.get(f"{shop.address}/v1/assumptions", timeout=60).json()["rows"]
    said = reader.text()
    if not rows:
        assert "Nothing can be watched yet" in said
    broken = [row for row in rows if row["status"] == "broken"]
    assert not broken or f"{len(broken)} assumption" in said
    for row in broken:
        assert str(row["machine"] or row["item"] or row["product"]) in said


def test_where_to_invest(page: Page, shop: Shop) -> None:
    reader = Clicks(page)
    reader.page_named("Constraints")
    rows = api(shop, "constraints")["rows"]
    first = max(rows, key=lambda row: row["sole_share"] + row["shifting_share"])
    assert first["machine"] in reader.page.get_by_role("heading", level=1).inner_text()


def test_can_the_number_be_trusted(page: Page, shop: Shop) -> None:
    reader = Clicks(page)
    reader.page_named("Trust")
    told = api(shop, "confidence")
    assert re.search(rf"\b{told['grade']}\b", reader.text())
    assert (told["coverage"] * 100).quantize(Decimal("0.1")) in figures(reader.text())
