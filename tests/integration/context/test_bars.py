"""One note and one answer change the explained share of exactly the bars that hold what they name."""

from __future__ import annotations

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
