"""The forecast page: where the period ends, what each cause adds, whether the plan fits the constraint."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cloud_api.answers.forecast import HORIZONS, OPTIONS, forecast
from cloud_api.answers.shapes.forecast import Forecast, ForecastCause
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import place
from cloud_api.store.times import to_us

SHOWN = 25
"""Late orders in the table; the rest is one link away."""


def period_end(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    kept = [pair for pair in asking.parameters(options=OPTIONS) if pair[0] not in ("from", "to", "period")]
    site = asking.site
    shown: dict[str, Any] = {"place": place(asking), "answer": None}
    if site is None or site.book is None or not site.machines:
        return shown
    question = asking.question(kept, options=OPTIONS)
    answer = forecast(asking.connection, question, asking.principal.sees_money, asking.now)
    rest = [pair for pair in kept if pair[0] != "horizon"]
    return shown | {
        "answer": answer,
        "zone": site.time_zone,
        "currency": answer.currency or "",
        "to": words.day(site.day_of(to_us(answer.period_to) - 1)),
        "over": None if answer.budget is None else answer.projected - answer.budget,
        "rows": [_cause(row, answer, rest) for row in answer.by_cause],
        "moving": [row for row in answer.by_cause if abs(row.extra_to_come) >= 1],
        "extra": sum((row.extra_to_come for row in answer.by_cause), Decimal(0)),
        "tight": [
            line
            for line in answer.output.lines
            if line.capacity_at_constraint is not None and line.capacity_at_constraint < line.projected
        ],
        "late": [
            {
                "row": row,
                "end": words.clock(row.planned_end, site.time_zone),
                "completion": words.clock(row.completion, site.time_zone),
            }
            for row in answer.orders_at_risk[:SHOWN]
        ],
        "horizons": [
            {
                "name": name,
                "address": address("/forecast", [*rest, ("horizon", name)]),
                "current": name == answer.horizon,
            }
            for name in HORIZONS
        ],
        "export": address("/v1/forecast", kept),
    }


def _cause(row: ForecastCause, answer: Forecast, rest: list[tuple[str, str]]) -> dict[str, Any]:
    window = [("from", _time(answer.period_from)), ("to", _time(answer.period_to)), ("cause", row.cause)]
    return {
        "row": row,
        "word": words.cause(row.cause),
        "since": None if row.since is None else words.day(row.since),
        "address": address("/segments", [*rest, *window]),
    }


def _time(at: dt.datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
