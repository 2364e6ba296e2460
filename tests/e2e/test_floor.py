"""The floor page in a real browser: one tap answers, what is tapped without a connection is sent once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cloud_api.answers.places import Atlas
from cloud_api.store.pool import connect
from cloud_api.work.decisions import draft_decisions
from cloud_api.work.questions import raise_questions
from tests.integration.context.conftest import NOW, Workshop, filled, shared, workshop

__all__ = ["filled", "shared", "workshop"]

pytestmark = pytest.mark.needs("chromium")

LIGHT_BYTES = 150_000
TARGET = 64
"""Pixels of the least side of what is tapped with gloves."""
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def asked(workshop: Workshop) -> Workshop:
    """The shop after its questions were raised and its decisions drafted."""
    with connect(workshop.url) as connection:
        site = next(site for site in Atlas().places(connection).sites if site.name == "tiny")
        for clock in ("09:25", "11:30", "13:30"):
            raise_questions(connection, site, datetime.fromisoformat(f"2026-03-05T{clock}:00+01:00"))
        draft_decisions(connection, site, NOW)
    return workshop


@pytest.fixture
def tablet(browser: Browser, asked: Workshop) -> Iterator[BrowserContext]:
    """A tablet that is logged in with the key of the floor."""
    context = browser.new_context(
        base_url=asked.address, viewport={"width": 820, "height": 1180}, locale="en-US"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/login?next=/floor/one")
    page.locator("input[name=key]").fill(asked.keys["floor"])
    page.locator("main button").click()
    page.wait_for_url("**/floor/one")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(tablet: BrowserContext) -> Iterator[Page]:
    page = tablet.new_page()
    page.clock.set_fixed_time(NOW)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if "ERR_" not in message.text else None)
    yield page
    assert said == [], "the browser complained"


def count(workshop: Workshop, what: str) -> int:
    with psycopg.connect(workshop.url) as connection:
        row = connection.execute(f"select count(*) from {what}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def open_floor(page: Page, query: str = "") -> None:
    page.goto(f"/floor/one{query}")
    expect(page.locator("#asked article")).to_have_count(3)


def test_one_tap_answers_and_tells_what_it_explained(page: Page, asked: Workshop) -> None:
    open_floor(page)
    card = page.locator("#asked article").first
    expect(card).to_contain_text("cut stopped at 09:00 for 20 min. Why?")
    expect(page.locator("body")).not_to_contain_text("EUR")
    card.get_by_role("button", name="jam").click()
    expect(page.locator("#told")).to_contain_text("Explains 1 stop, 20 min of cut.")
    expect(page.locator("#asked article")).to_have_count(2)
    page.locator("#told").get_by_role("button", name="Take back").click()
    expect(page.locator("#asked article")).to_have_count(3)
    assert count(asked, "notes where withdrawn_at is null") == 0
    page.locator("#asked article").nth(0).get_by_role("button", name="Don't know").click()
    expect(page.locator("#asked article")).to_have_count(2)


def test_something_else_is_said_in_words(page: Page, asked: Workshop) -> None:
    open_floor(page)
    page.locator("#asked article").first.get_by_role("button", name="Something else").click()
    page.get_by_label("What was it?").last.fill("chute cleaned")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#told")).to_contain_text("Explains 1 stop")
    assert count(asked, "notes where text = 'chute cleaned'") == 1


def test_a_decision_is_one_tap_and_a_draft_too(page: Page, asked: Workshop) -> None:
    open_floor(page)
    page.get_by_role("button", name="pack", exact=True).click()
    page.get_by_role("button", name="Temporary control").click()
    expect(page.locator("#force")).to_contain_text("pack · Temporary control")
    page.clock.set_fixed_time(NOW + timedelta(minutes=5))
    page.locator("#force").get_by_role("button", name="Over now").click()
    expect(page.locator("#force article")).to_have_count(0)
    draft = page.locator("#seen article", has_text="people for")
    expect(draft).to_contain_text("the standard says 1")
    draft.get_by_role("button", name="Yes, that was it").click()
    expect(page.locator("#told")).to_contain_text("Explains")
    expect(page.locator("#link")).to_have_text("Connected")
    assert count(asked, "decisions where status = 'confirmed'") == 1
    assert (
        count(asked, "notes where kind = 'temporary_control' and machine = 'pack' and ends_at is not null")
        == 1
    )


def test_what_is_tapped_without_a_connection_is_sent_once(
    page: Page, asked: Workshop, tablet: BrowserContext
) -> None:
    open_floor(page)
    tablet.set_offline(True)
    page.locator("#asked article").first.get_by_role("button", name="jam").click()
    page.get_by_role("button", name="Workaround").click()
    expect(page.locator("#told")).to_contain_text("sent when the connection is back")
    expect(page.locator("#link")).to_contain_text("2 waiting to be sent")
    expect(page.locator("#asked article")).to_have_count(2)
    assert count(asked, "notes") == 0
    tablet.set_offline(False)
    expect(page.locator("#link")).to_have_text("Connected")
    assert count(asked, "notes") == 2
    expect(page.locator("#asked article")).to_have_count(2)


def test_an_answer_that_was_lost_on_the_way_back_is_not_kept_twice(page: Page, asked: Workshop) -> None:
    open_floor(page)
    lost = []

    def swallow(route, request) -> None:  # type: ignore[no-untyped-def]
        if not lost:
            lost.append(request.url)
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/notes", swallow)
    page.get_by_role("button", name="Workaround").click()
    expect(page.locator("#told")).to_contain_text("sent when the connection is back")
    expect(page.locator("#link")).to_contain_text("1 waiting to be sent")
    assert count(asked, "notes") == 1
    page.reload()
    expect(page.locator("#link")).to_have_text("Connected")
    assert count(asked, "notes") == 1


def test_it_speaks_spanish_and_is_light(browser: Browser, asked: Workshop, tablet: BrowserContext) -> None:
    context = browser.new_context(
        base_url=asked.address, locale="es-MX", storage_state=tablet.storage_state()
    )
    page = context.new_page()
    answer = page.goto("/floor/one")
    assert answer is not None
    assert len(answer.body()) < LIGHT_BYTES
    expect(page.locator("#asked article").first).to_contain_text("¿Por qué?")
    expect(page.get_by_role("button", name="No lo sé").first).to_be_visible()
    page.goto("/floor/one?lang=en")
    expect(page.locator("#asked article").first).to_contain_text("Why?")
    context.close()


def test_every_button_is_big_enough_for_gloves_at_every_width(tablet: BrowserContext) -> None:
    page = tablet.new_page()
    for width in (390, 820, 1280):
        page.set_viewport_size({"width": width, "height": 1000})
        open_floor(page)
        for button in page.locator("main button").all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= TARGET - 0.5
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_who_is_not_logged_in_reads_and_is_sent_to_the_door(browser: Browser, asked: Workshop) -> None:
    context = browser.new_context(base_url=asked.address, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    open_floor(page)
    page.get_by_role("button", name="Workaround").click()
    expect(page.locator("#link")).to_contain_text("Log in again")
    assert count(asked, "notes") == 0
    context.close()


def test_decisions_show_expected_against_measured(browser: Browser, asked: Workshop) -> None:
    headers = {"Authorization": f"Bearer {asked.keys['finance']}"}
    context = browser.new_context(base_url=asked.address, extra_http_headers=headers)
    page = context.new_page()
    body = {
        "site": "tiny",
        "kind": "reassigned_labour",
        "machine": "pack",
        "from": "2026-03-04",
        "to": "2026-03-05",
        "expected_effect": "no waiting",
    }
    kept = context.request.post("/v1/notes", data=body)
    assert kept.status == 201
    page.goto("/decisions?site=tiny")
    row = page.locator("tbody tr", has_text="People moved").filter(has_text="no waiting")
    expect(row).to_contain_text("expired, still running")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 expired control still runs")
    said = context.request.get("/v1/decisions?site=tiny&status=known").json()["rows"][0]["measured"]
    shown = (
        row.locator("td[data-label=During]").inner_text().replace("−", "-").replace("+", "").replace(",", "")
    )
    assert abs(float(shown) - said["during"]) < 0.006
    for width in (390, 820, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
