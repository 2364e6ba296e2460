"""The page in a real browser: one round trip, figures that open, filters in the address, print, dark."""

from __future__ import annotations

import re
from decimal import Decimal

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Shop

pytestmark = pytest.mark.needs("chromium")

LIGHT_BYTES = 300_000
WINDOW = "from=2026-03-02&to=2026-03-05"


def money(text: str) -> Decimal:
    """The number in a text as pages write it."""
    found = re.search(r"[−+]?[\d,]+(?:\.\d+)?", text)
    assert found is not None, text
    return Decimal(found[0].replace(",", "").replace("−", "-"))


def test_the_page_is_one_round_trip_and_light(page: Page) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto("/", wait_until="networkidle")
    fetched = [address for address in addresses if not address.startswith("data:")]
    assert len(fetched) == 1
    assert len(page.content()) < LIGHT_BYTES


def test_the_answer_stands_first_and_is_that_of_the_api(page: Page, shop: Shop) -> None:
    page.goto(f"/?{WINDOW}")
    answer = httpx.get(f"{shop.address}/v1/variances?{WINDOW}&by=resource,cause").json(parse_float=Decimal)
    heading = page.get_by_role("heading", level=1)
    assert money(heading.inner_text()) == answer["total"]["actual"].quantize(Decimal(1))
    footer = page.locator("table tfoot td.n")
    figures = [money(cell.inner_text()) for cell in footer.all()]
    names = ("actual", "allowance", "variance", "planning", "operational")
    assert figures == [answer["total"][name].quantize(Decimal("0.01")) for name in names]


def test_every_figure_opens_to_the_segments_that_sum_to_it(page: Page) -> None:
    page.goto(f"/?{WINDOW}")
    rows = page.locator("tbody tr:not(.group)", has=page.locator(".formula"))
    addresses = [
        (money(link.inner_text()), link.get_attribute("href"))
        for link in rows.locator("td:nth-child(2) a.figure").all()
    ]
    assert len(addresses) > 15
    for amount, address in addresses[::5]:
        assert address is not None
        page.goto(address)
        shown = [money(cell.inner_text()) for cell in page.locator("td[data-label=Amount]").all()]
        assert money(page.get_by_role("heading", level=1).inner_text()) == amount
        assert abs(sum(shown) - amount) <= Decimal("0.01") * max(len(shown), 1)


def test_every_figure_says_its_formula(page: Page) -> None:
    page.goto(f"/?{WINDOW}")
    page.get_by_role("button", name="Formula of machine, speed loss").click()
    formula = page.locator("[popover]:popover-open")
    expect(formula).to_contain_text("running hours - (good + scrap + rework) x ideal cycle")
    page.keyboard.press("Escape")
    expect(formula).to_have_count(0)


def test_filters_stand_in_the_address(page: Page) -> None:
    page.goto(f"/?{WINDOW}")
    page.get_by_label("Machine", exact=True).select_option("cut")
    page.get_by_role("button", name="Show").click()
    assert "machine=cut" in page.url
    expect(page.get_by_label("Machine", exact=True)).to_have_value("cut")
    whole = page.get_by_role("heading", level=1).inner_text()
    page.go_back()
    assert page.get_by_role("heading", level=1).inner_text() != whole


def test_a_bar_leads_to_its_cause_and_a_column_to_its_day(page: Page) -> None:
    page.goto(f"/?{WINDOW}")
    page.locator("svg a", has_text="Downtime").first.click()
    expect(page.locator(".why")).to_contain_text("downtime")
    assert {cell.inner_text().strip() for cell in page.locator("td[data-label=State]").all()} == {"Down"}
    page.go_back()
    page.get_by_label(re.compile("^Tue 3 Mar: variance")).click()
    assert "from=2026-03-03T05" in page.url


def test_evidence_leads_on_to_raw_samples(page: Page) -> None:
    page.goto(f"/segments?{WINDOW}&machine=cut&cause=downtime")
    address = page.get_by_role("link", name=re.compile("^Raw samples")).first.get_attribute("href")
    assert address is not None
    rows = page.request.get(address).json()["rows"]
    assert {"state", "reason"} <= {row["role"] for row in rows}


def test_the_keyboard_reaches_it_all(page: Page) -> None:
    page.goto(f"/?{WINDOW}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the answer")).to_be_focused()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName.toLowerCase()"))
    assert {"a", "input", "select", "button"} <= reached


def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for address in (f"/?{WINDOW}", f"/segments?{WINDOW}", "/docs"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_light_and_dark(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"/?{WINDOW}")
    for selector in ("body", "a.figure", ".soft", ".tone-loss", ".tone-gain"):
        for element in page.locator(selector).all()[:2]:
            ink = element.evaluate("e => getComputedStyle(e).color")
            paper = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
            assert contrast(ink, paper) >= 4.5, (selector, ink, paper)


def test_print_leaves_the_controls_out(page: Page) -> None:
    page.goto(f"/?{WINDOW}")
    page.emulate_media(media="print")
    expect(page.locator("form.filters")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("button.formula:visible").count() == 0


def test_a_mistake_in_the_address_is_said_in_words(page: Page) -> None:
    page.goto("/docs")
    answer = page.request.get("/?machine=cutt")
    assert answer.status == 400
    assert "did you mean" in answer.text()


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 reckons it."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
