"""The constraint of the mill, computed by hand.

Cut is active from 06:00 to 14:00 without a pause (running, down, changing over), pack waits for it once: cut
is the only constraint. It runs 430 of 480 minutes and makes 345 of A at 4 and 216 of B at 3, 2028 in all,
nothing of which varies with output. Pack has half an hour free at the same pace: no more relief than that is
worth anything.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from cloud_api.answers.absorbed import is_held_by_effort

HOUR = Decimal("282.9767")


def asked(http: httpx.Client, **question: str) -> dict[str, Any]:
    answer = http.get("/v1/constraints", params=question)
    assert answer.status_code == 200, answer.text
    return dict(answer.json(parse_float=Decimal))


def test_the_constraint_and_what_an_hour_of_it_is_worth(http: httpx.Client) -> None:
    cut, pack = asked(http)["rows"]
    assert [row["machine"] for row in (cut, pack)] == ["cut", "pack"]
    assert (cut["sole_share"], cut["shifting_share"], cut["stability"]) == (1, 0, 1)
    assert (pack["sole_share"], pack["shifting_share"], pack["stability"]) == (0, 0, 0)
    assert (cut["utilisation"], pack["utilisation"]) == (1, Decimal("0.9375"))
    assert cut["relief_per_hour"] == HOUR
    assert (cut["relief_hours"], cut["next_constraint"]) == (Decimal("0.5"), "pack")
    assert cut["relief_total"] == Decimal("141.4884")
    assert (pack["relief_per_hour"], pack["waiting_h"]) == (0, Decimal("0.5"))
    assert not cut["masked"]
    assert cut["masked_by"] == [{"by": "override", "hours": 1, "amount": None, "notes": 0}]
    assert cut["views"]["without_overtime"] == {"sole_share": 1, "shifting_share": 0}


def test_a_window_off_the_hours_is_cut_exactly(http: httpx.Client) -> None:
    window = {"from": "2026-03-02T08:10:00Z", "to": "2026-03-02T08:40:00Z"}
    cut, pack = asked(http, **window)["rows"]
    assert cut["utilisation"] == 1
    assert pack["utilisation"] == Decimal("0.333333")
    assert pack["waiting_h"] == Decimal("0.333333")


def test_nothing_is_absorbed_where_all_is_regular(http: httpx.Client) -> None:
    (line,) = asked(http)["absorbed"]
    assert {line[name] for name in ("amount", "overtime", "rework", "crew", "expedites")} == {0}
    assert line["paid_h_per_unit"] == (Decimal(24) / 561).quantize(Decimal("0.000001"))
    assert line["good_units_before"] == 0
    assert not line["output_held_by_effort"]


@pytest.mark.parametrize(
    ("units", "paid", "held"),
    [(1000, "1.05", True), (980, "1.03", True), (979, "1.05", False), (1000, "1.02", False)],
)
def test_output_is_held_by_effort_where_it_holds_and_hours_rise(units: int, paid: str, held: bool) -> None:
    assert is_held_by_effort(Decimal(units), Decimal(1000), Decimal(paid), Decimal(1)) is held


def test_a_wait_names_the_neighbour_that_caused_it(http: httpx.Client) -> None:
    rows = http.get("/v1/segments").json()["rows"]
    told = {row["machine"]: row["caused_by"] for row in rows if row["caused_by"] is not None}
    cut = {"kind": "starved", "machine": "cut", "state": "down", "cause": "downtime", "reason": "jam"}
    assert told == {"pack": cut}
