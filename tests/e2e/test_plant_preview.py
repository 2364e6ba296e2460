"""The plant model in a browser: a faulty upload tells every mistake and changes nothing; a good one is looked
at before it is recorded; a table is edited where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from cloud_api.access import keys
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from tests.conftest import Servers
from tests.e2e.test_every_page import serious
from tests.integration.api.serving import served
from tests.integration.api.shop import SITE, STANDARDS, write_plant

pytestmark = pytest.mark.needs("chromium")

NEW = "R,cut,2026-01-01,50,2,0.02,0,20,400,0.95,0.1\n"
WAGE = ("standard: 30, actual: 31", "standard: 35, actual: 31")


@pytest.fixture(scope="module")
def address(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A served plant model of one version, and a key of finance."""
    for url in servers.new_database("plain", servers.template):
        with connect(url) as connection:
            load_directory(connection, write_plant(tmp_path_factory.mktemp("plant")))
        with psycopg.connect(url) as connection:
            key = keys.create(connection, "finance")
        with served(url) as there:
            yield there, key


@pytest.fixture
def page(browser: Browser, address: tuple[str, str]) -> Iterator[Page]:
    there, key = address
    context = browser.new_context(
        base_url=there, bypass_csp=True, viewport={"width": 1280, "height": 900}, locale="en-US"
    )
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/login?next=/plant")
    page.locator("input[name=key]").fill(key)
    page.locator("main button").click()
    page.wait_for_url("**/plant")
    yield page
    context.close()
    assert said == []


def versions(address: tuple[str, str]) -> int:
    there, key = address
    told = httpx.get(f"{there}/v1/plant/versions", headers={"Authorization": f"Bearer {key}"}, timeout=60)
    return len(told.json()["rows"])


def chosen(page: Page, folder: Path, **files: str) -> None:
    """Chooses files in the form for the whole plant model and asks what would change."""
    paths = []
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    page.locator("input[name=files]").set_input_files(paths)
    page.get_by_role("button", name="Look what would change").click()


def test_a_faulty_upload_tells_every_mistake_with_place_and_mend(
    page: Page, address: tuple[str, str], tmp_path: Path
) -> None:
    before = versions(address)
    wrong = STANDARDS + NEW.replace("cut", "cutt") + NEW.replace("50", "-5")
    bill = "product,machine,material,from,quantity\nR,cut,steel,2026-13-01,2\n"
    chosen(page, tmp_path, standards_csv=wrong, bill_csv=bill, bils_csv="x\n")
    told = page.locator(".notice li")
    expect(told.filter(has_text="standards.csv:6")).to_contain_text("did you mean 'cut'")
    expect(told.filter(has_text="standards.csv:7")).to_have_count(1)
    expect(told.filter(has_text="bill.csv:2")).to_contain_text("2026-13-01")
    expect(told.filter(has_text="bils.csv:1")).to_have_count(1)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"at {width}"
    assert serious(page) == []
    assert versions(address) == before, "nothing is half applied"
    page.get_by_role("link", name="Back to plant model").click()
    expect(page.get_by_role("button", name="Look what would change")).to_be_visible()


def test_what_would_change_is_seen_before_it_is_recorded(
    page: Page, address: tuple[str, str], tmp_path: Path
) -> None:
    before = versions(address)
    chosen(page, tmp_path, standards_csv=STANDARDS + NEW, site_yaml=SITE.replace(*WAGE))
    expect(page.locator("h1")).to_have_text("1 new, 1 changed, 0 gone.")
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="standards.csv")).to_contain_text("R, cut, 2026-01-01")
    expect(rows.filter(has_text="site.yaml")).to_contain_text("standard 30 → 35")
    assert versions(address) == before, "nothing is recorded yet"
    assert serious(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_role("status")).to_contain_text("1 rows added, 1 changed")
    assert versions(address) == before + 1
    chosen(page, tmp_path, standards_csv=STANDARDS + NEW, site_yaml=SITE.replace(*WAGE))
    expect(page.locator("h1")).to_have_text("Nothing would change.")
    expect(page.get_by_role("button", name="Record it")).to_have_count(0)
    page.get_by_role("link", name="Back, without recording").click()
    page.wait_for_url("**/plant?site=tiny")


def test_a_table_is_edited_where_it_stands(page: Page, address: tuple[str, str]) -> None:
    before = versions(address)
    page.get_by_role("link", name="charges.csv", exact=True).click()
    text = page.locator("textarea[name=text]")
    expect(text).to_have_value(re.compile("courier"))
    text.fill(text.input_value().replace("courier", "express courier"))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("no mistake found; it would be")
    assert versions(address) == before, "only looked for mistakes"
