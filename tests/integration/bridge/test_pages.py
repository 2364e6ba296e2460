"""The pages of bridges and what-ifs: what they show is what the API gives, and every link of theirs opens."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant

PRODUCTS = "product,from,sales_price\nP,2026-01-01,20\n=Q,2026-01-01,22\n"
DAY = "from=2026-03-04&to=2026-03-05"


@pytest.fixture(scope="module")
def http(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("pages")
    plant = write_plant(folder)
    (plant / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    for url in servers.new_database("plain", servers.template):
        told(url, "tiny", plant, [write_history(folder)])
        with served(url) as address, client(address) as http:
            yield http


def page(http: httpx.Client, address: str) -> str:
    answer = http.get(address)
    assert answer.status_code == 200, answer.text[:800]
    return html.unescape(answer.text)


@pytest.mark.parametrize("measure", ["unit_cost", "total_cost", "margin"])
def test_why_says_what_the_api_says(http: httpx.Client, measure: str) -> None:
    asked = f"{DAY}&base=standard&measure={measure}"
    shown = page(http, f"/why?{asked}")
    bridge = http.get(f"/v1/bridge?{asked}").json()
    told = re.sub(r"<[^>]+>", "", shown)
    assert bridge["statement"] in told
    for index, bar in enumerate(bridge["bars"]):
        assert f'id="bar-{index}"' in shown
        assert f'href="#bar-{index}"' in shown
        assert bar["owner"] in told


def test_bars_by_machine_say_of_which(http: httpx.Client) -> None:
    asked = f"{DAY}&base=standard&measure=total_cost&by=machine"
    told = re.sub(r"<[^>]+>", "", page(http, f"/why?{asked}"))
    bars = [bar for bar in http.get(f"/v1/bridge?{asked}").json()["bars"] if bar["factor"] == "downtime"]
    assert bars
    assert all(f"Downtime, {bar['machine']}" in told for bar in bars)


def test_the_review_lists_the_largest_bars(http: httpx.Client) -> None:
    shown = page(http, "/review?from=2026-03-02&to=2026-03-05")
    said = re.findall(r'class="n" data-label="EUR">([^<]*)</td>', shown)
    sizes = [abs(float(text.replace("−", "-").replace(",", ""))) for text in said]
    assert 3 <= len(sizes) <= 12
    assert sizes == sorted(sizes, reverse=True)


def test_every_link_of_why_opens(http: httpx.Client) -> None:
    shown = page(http, f"/why?{DAY}&base=standard&measure=total_cost")
    links = {link for link in re.findall(r'href="(/[^"]*)"', shown) if not link.startswith("/static")}
    assert len(links) > 20
    for link in sorted(links):
        assert http.get(link).status_code in (200, 303, 307), link


def test_why_without_a_window_shows_the_last_days(http: httpx.Client) -> None:
    assert "The bridge" in page(http, "/why")


def test_why_tells_what_cannot_be_asked(http: httpx.Client) -> None:
    answer = http.get(f"/why?{DAY}&base=budget")
    assert answer.status_code == 400
    assert "budget.csv" in answer.text


def test_what_if_shows_what_would_move(http: httpx.Client) -> None:
    asked = f"{DAY}&machine=cut&product=P&cycle_s=18"
    shown = page(http, f"/whatif?{asked}")
    answer = http.get(f"/v1/whatif?{asked}").json()
    assert f"{answer['then']['unit_cost']:.4f}" in shown
    assert "What would move" in shown


def test_what_if_begins_as_it_was(http: httpx.Client) -> None:
    shown = page(http, f"/whatif?{DAY}")
    assert "Nothing is changed yet" in shown
    assert http.get(f"/whatif?{DAY}&yield=2").status_code == 400
