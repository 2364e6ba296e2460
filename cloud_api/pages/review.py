"""The review pack: one set of pages to print for a period, with everything that a review asks about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloud_api.answers.assumptions import standing
from cloud_api.answers.confidence import confidence
from cloud_api.answers.decisions import decisions
from cloud_api.answers.questions import questions
from cloud_api.answers.verdicts import verdicts
from cloud_api.pages.asking import Asking
from cloud_api.pages.assumptions import row_of
from cloud_api.pages.brief import TOPICS, in_brief
from cloud_api.pages.why import VERDICTS, why

BARS = 12
"""Bars, verdicts and decisions that a pack lists; all of them are on their pages."""


def review(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    shown = in_brief(asking)
    if shown["answer"] is None:
        return shown | {"bridge": None}
    parameters = asking.parameters()
    question = asking.question(parameters)
    told = (asking.connection, question.with_options({}), asking.principal.sees_money, asking.now)
    first = (asking.connection, replace(told[1], limit=BARS), *told[2:])
    judged = question.with_options({"measure": "unit_cost"})
    return shown | {
        "bridge": why(asking, explained=False),
        "period": asking.value("period"),
        "topics": TOPICS,
        "words": VERDICTS,
        "verdicts": [
            row
            for row in verdicts(asking.connection, judged, asking.principal.sees_money, asking.now).rows
            if row.verdict not in ("steady", "undetermined")
        ][:BARS],
        "assumptions": [row_of(row) for row in standing(*told).rows if row.status != "holding"][:BARS],
        "decisions": decisions(*first).rows,
        "questions": questions(*first).rows,
        "trust": confidence(*told),
        "bars": BARS,
    }
