"""Products, constraints, orders and time line in a real browser: the API's figures, at any width."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.products.conftest import Mill, mill

__all__ = ["mill"]

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=20_000)

LIGHT_BYTES = 300_000
PAGES = ("products", "constraints", "orders", "timeline")


@pytest.fixture
def page(browser: Browser, mill: Mill) -> Iterator[Page]:
    context = browser.new_context(base_url=mill.address, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == [], "the browser complained"


def api(mill: Mill, path: str) -> dict[str, Any]:
    answer = httpx.get(f"{mill.address}/v1/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json(parse_float=Decimal))


def test_the_pages_fit_every_width_and_are_light(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for name in PAGES:
        page.goto(f"/{name}")
        assert len(page.content()) < LIGHT_BYTES
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        expect(page.get_by_role("heading", level=1)).to_have_count(1)


def test_four_unit_costs_are_those_of_the_api(page: Page, mill: Mill) -> None:
    page.goto("/products")
    for row in api(mill, "products")["rows"]:
        line = page.locator("table").first.locator(
            "tr", has=page.get_by_role("rowheader", name=row["product"])
        )
        for label in ("Standard", "Averaged", "Actual", "Normalised"):
            figure = row[f"{label.lower()}_unit_cost"].quantize(Decimal("0.01"))
            expect(line.locator(f"td[data-label={label}]")).to_have_text(str(figure))


def test_a_burden_opens_to_the_segments_that_sum_to_it(page: Page, mill: Mill) -> None:
    page.goto("/products")
    page.get_by_role("link", name="changeover 80").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("EUR 80.00")


def test_the_constraint_is_named_with_the_worth_of_an_hour(page: Page, mill: Mill) -> None:
    row = api(mill, "constraints")["rows"][0]
    page.goto("/constraints")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("cut decides what one can make")
    expect(heading).to_contain_text(str(row["relief_per_hour"].quantize(Decimal(1))))


def test_an_order_that_loses_money_stands_first(page: Page, mill: Mill) -> None:
    page.goto("/orders")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 of 1 open order loses money")
    first = page.locator("tbody tr").first
    expect(first.locator("th")).to_contain_text("O2")
    expect(first.locator("td[data-label=Margin]")).to_contain_text("−282.00")


def test_the_time_line_zooms_and_says_whose_stop_a_wait_was(page: Page) -> None:
    page.goto("/timeline?machine=pack")
    expect(page.locator("td[data-label='Caused by']").first).to_have_text("starved by cut, down (jam)")
    expect(page.get_by_role("link", name="alarm at 2026-03-02 07:00:00").first).to_be_visible()
    page.get_by_role("navigation", name="Zoom").get_by_role("link", name="D", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("pack, 2026-03-02 06:00 to 2026-03-02 14:00")
    page.get_by_role("link", name="08:00", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("pack, 2026-03-02 08:00 to 2026-03-02 09:00")
    page.get_by_role("link", name="Later").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("pack, 2026-03-02 09:00 to 2026-03-02 10:00")
