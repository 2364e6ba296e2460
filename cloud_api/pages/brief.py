"""The brief: five sentences, each a link to the page that opens it."""

from __future__ import annotations

from typing import Any

from cloud_api.answers.brief import brief
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import filters, place

PATH = "/brief"
TOPICS = {
    "moved": "What moved",
    "known": "What became known",
    "coming": "What will hit period end",
    "owner": "Whose it is",
    "decide": "What to decide",
}


def in_brief(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = [pair for pair in asking.parameters() if pair[0] in ("from", "to", "period", "site", "line")]
    question = asking.question(parameters)
    shown = {
        "answer": None,
        "place": place(asking),
        "filters": filters(asking, PATH, parameters, question, "line"),
    }
    if asking.site is None or asking.site.book is None or not asking.site.machines:
        return shown
    answer = brief(asking.connection, question, asking.principal.sees_money, asking.now)
    return shown | {
        "answer": answer,
        "zone": asking.site.time_zone,
        "topics": TOPICS,
        "review": address("/review", parameters),
        "export": address("/v1/brief", parameters),
    }
