"""One note and one answer change the explained share of exactly the bars that hold what they name."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import httpx

from tests.integration.context.conftest import Workshop
from tests.integration.context.test_questions import Raise, answered, raised

__all__ = ["raised"]


def bars(http: httpx.Client, **window: str) -> dict[str, Decimal | None]:
    """Explained share of every bar of the bridge from standard."""
    asked = {"base": "standard", "site": "tiny", "by": "machine", **window}
    answer = http.get("/v1/bridge", params=asked)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json(parse_float=Decimal)["bars"]
    return {f"{row['factor']}/{row['machine']}": row["explained_share"] for row in rows}


def test_a_note_and_an_answer_change_their_bars_alone(
    workshop: Workshop, raised: Raise, finance: httpx.Client, floor: httpx.Client
) -> None:
    window = {"from": "2026-03-05", "to": "2026-03-06"}
    before = bars(finance, **window)
    (question,) = raised("09:25")
    answered(floor, question, "guide pin")
    after = bars(finance, **window)
    assert _moved(before, after) == {"downtime/cut"}
    assert after["downtime/cut"] is not None
    assert 0 < after["downtime/cut"] < 1, "the short stops are not explained"
    note = {
        "site": "tiny",
        "kind": "accepted_lower_yield",
        "machine": "cut",
        "text": "burr, still good enough",
    }
    told = floor.post("/v1/notes", json={**note, "from": "2026-03-04", "to": "2026-03-05"})
    assert told.status_code == 201
    assert _moved(after, bars(finance, **window)) == set(), "another day"
    window = {"from": "2026-03-02", "to": "2026-03-06"}
    with_note = bars(finance, **window)
    floor.post(f"/v1/notes/{told.json()['note']['id']}/withdraw", json={})
    assert _moved(with_note, bars(finance, **window)) == {"scrap/cut"}


def _moved(before: dict[str, Decimal | None], after: dict[str, Decimal | None]) -> set[str]:
    assert before.keys() == after.keys()
    return {bar for bar in before if before[bar] != after[bar]}


WINDOW = {"site": "tiny", "from": "2026-03-05", "to": "2026-03-06"}
PLACES = ("", "line", "machine", "shift", "product", "order", "machine,order", "reason", "machine,resource")
"""What a bridge may be drilled down to."""
FIGURES = ("costs?by=cause", "variances?by=cause", "kpis?by=machine", "confidence?")
"""Answers whose figures no word of a person may move; of products, supervision counts notes."""


def everywhere(http: httpx.Client) -> dict[str, Any]:
    """Explained share of every bar of every drill-down, by place, bar and groups."""
    found = {}
    for by in PLACES:
        answer = http.get(
            "/v1/bridge",
            params={"base": "standard", "by": by, **WINDOW} if by else {"base": "standard", **WINDOW},
        )
        assert answer.status_code == 200, answer.text
        for bar in answer.json(parse_float=Decimal)["bars"]:
            groups = tuple(str(bar[name]) for name in by.split(",") if name)
            found[by, bar["factor"], *groups] = bar["explained_share"]
    return found


def test_a_word_changes_the_share_in_every_drill_down_and_on_the_page_at_once(
    workshop: Workshop, raised: Raise, finance: httpx.Client, floor: httpx.Client
) -> None:
    before, figures, page = everywhere(finance), _figures(finance), _page(finance)
    (question,) = raised("09:25")
    answered(floor, question, "guide pin")
    after = everywhere(finance)
    moved = {place for place in before if before[place] != after[place]}
    assert before.keys() == after.keys()
    assert {place[:2] for place in moved} == {(by, "downtime") for by in PLACES}
    assert all("pack" not in place for place in moved), "the other machine has said nothing"
    assert _figures(finance) == figures
    assert _page(finance) != page
    floor.post(f"/v1/questions/{question}/undo", json={"what": "answer"})
    assert (everywhere(finance), _page(finance)) == (before, page), "undone at once"


def _figures(http: httpx.Client) -> list[Any]:
    asked = [(path.partition("?")[0], path.partition("by=")[2]) for path in FIGURES]
    told = [http.get(f"/v1/{path}", params={**WINDOW, **({"by": by} if by else {})}) for path, by in asked]
    assert {answer.status_code for answer in told} == {200}
    return [answer.json() for answer in told]


def _page(http: httpx.Client) -> list[str]:
    """What the page of a bridge says is explained, bar by bar."""
    answer = http.get("/why", params={"base": "standard", "by": "machine", **WINDOW})
    assert answer.status_code == 200, answer.text
    return re.findall(r"<span>([^<]+) explained</span>", answer.text)
