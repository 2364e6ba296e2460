"""The page of trust: can the numbers be believed, what is missing, who sends, how it reconciles."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cloud_api.access.roles import Area, may_read
from cloud_api.answers.agents import agents
from cloud_api.answers.confidence import confidence
from cloud_api.answers.reconciliation import OPTIONS, reconciliation
from cloud_api.answers.shapes.ledger import AgentRow, Confidence
from cloud_api.answers.shapes.reconciliation import Reconciliation
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import filters, place

SMALLEST = Decimal("0.0005")
"""Share that a sentence speaks of: less is 0.0%."""

MOST_MACHINES = 20
"""Machines shown each with its coverage."""


def trust(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters()
    question = asking.question(parameters)
    answer = confidence(asking.connection, question, asking.principal.sees_money, asking.now)
    found = answer.confidence
    zone = asking.site.time_zone if asking.site else "UTC"
    site = [("site", asking.site.name)] if asking.site else []
    heard = agents(asking.connection, asking.question(site), False, asking.now).rows
    walk = _reconciled(asking)
    return {
        "place": place(asking),
        "filters": filters(asking, "/trust", parameters, question, "line", "machine"),
        "answer": answer,
        "found": found,
        "zone": zone,
        "worst": _worst(found),
        "known": _is_known(found),
        "measures": _measures(found),
        "machines": _machines(asking, parameters),
        "agents": [_agent(row, zone) for row in heard],
        "unknown": address("/segments", [*parameters, ("cause", "unexplained")]),
        "walk": walk,
        "items": _items(walk),
        "export": address("/v1/confidence", parameters),
    }


_BOUNDS = {
    "coverage": ("98%", "Trusted machine time / scheduled time"),
    "unexplained_share": ("2%", "Cost without a known cause / cost"),
    "reason_coverage": ("90%", "Stop time with a reason / stop time"),
    "count_closure": ("0.5%", "Largest difference to a confirmed order"),
}
_NAMES = {
    "coverage": "Coverage",
    "unexplained_share": "Unexplained",
    "reason_coverage": "Reasons",
    "count_closure": "Counts",
}


def _measures(found: Confidence) -> list[dict[str, str]]:
    return [
        {
            "name": _NAMES[name],
            "value": words.percent(getattr(found, name)),
            "bound": bound,
            "formula": formula,
        }
        for name, (bound, formula) in _BOUNDS.items()
    ]


def _is_known(found: Confidence) -> bool:
    """Whether there is anything that a grade can be of."""
    return found.coverage is not None or bool(
        found.unexplained_share or found.missing or found.missing_standards
    )


def _worst(found: Confidence) -> str:
    """What keeps the grade from being better, in a few words."""
    said = []
    if found.coverage is not None and 1 - found.coverage >= SMALLEST:
        said.append(f"{words.percent(1 - found.coverage)} of scheduled time has no trusted data")
    if (found.unexplained_share or 0) >= SMALLEST:
        said.append(f"{words.percent(found.unexplained_share)} of the cost has no known cause")
    if found.reason_coverage is not None and 1 - found.reason_coverage >= SMALLEST:
        said.append(f"{words.percent(1 - found.reason_coverage)} of stop time has no reason")
    if found.missing_standards:
        said.append(f"{len(found.missing_standards)} standards are missing")
    return "; ".join(said)


def _machines(asking: Asking, parameters: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Each machine with its own confidence, worst coverage first, where there are few."""
    question = asking.question(parameters)
    if not 1 < len(question.machines) <= MOST_MACHINES:
        return []
    rows = []
    rest = [pair for pair in parameters if pair[0] not in ("machine", "line")]
    for machine in question.machines:
        own = asking.question([*rest, ("machine", machine.name)])
        found = confidence(asking.connection, own, asking.principal.sees_money, asking.now).confidence
        rows.append(
            {
                "name": machine.name,
                "grade": found.grade,
                "order": found.coverage if found.coverage is not None else 2,
                "coverage": words.percent(found.coverage),
                "reasons": words.percent(found.reason_coverage),
                "late": found.late_rows,
                "address": address("/timeline", [*rest, ("machine", machine.name)]),
            }
        )
    return sorted(rows, key=lambda row: (row["order"], row["name"]))


def _agent(row: AgentRow, zone: str) -> dict[str, Any]:
    silent = [source.name for source in row.sources if source.live < source.configured]
    return {
        "id": row.id,
        "state": "conflict" if row.conflict else "online" if row.online else "offline",
        "heard": words.clock(row.heard_at, zone),
        "version": row.version or "–",
        "depth": row.buffer_depth,
        "days": row.buffer_days_left,
        "offset": row.clock_offset_s,
        "silent": ", ".join(silent),
    }


def _items(walk: Reconciliation | None) -> list[dict[str, Any]]:
    """The walk by item and owner, the largest first; what is nothing in all is left to the details."""
    sums: dict[tuple[str, str | None], Decimal] = {}
    for one in walk.walk if walk else ():
        sums[one.item, one.owner] = sums.get((one.item, one.owner), Decimal(0)) + one.amount
    told = [{"item": item, "owner": owner, "amount": amount} for (item, owner), amount in sums.items()]
    return sorted((one for one in told if one["amount"]), key=lambda one: -abs(one["amount"]))


def _reconciled(asking: Asking) -> Reconciliation | None:
    """The last month that the ERP told of, for those who may see it."""
    site = asking.site
    if site is None or site.plant is None or not site.plant.actuals:
        return None
    if not may_read(asking.principal.role, Area.RECONCILIATION):
        return None
    question = asking.question([("site", site.name)], options=OPTIONS)
    return reconciliation(asking.connection, question, asking.principal.sees_money, asking.now)
