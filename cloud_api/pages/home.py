"""The first page: what did it cost, why, and can I trust it. Every figure comes from the answers as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from cloud_api.answers.agents import agents
from cloud_api.answers.cells import sheet_of
from cloud_api.answers.costs import costs
from cloud_api.answers.envelope import envelope
from cloud_api.answers.question import CAUSES, Question
from cloud_api.answers.shapes.ledger import AgentRow, Confidence, CostRow, Parts, VarianceRow, Variances
from cloud_api.answers.variances import told
from cloud_api.interpret.plant import Plant
from cloud_api.pages import pictures, words
from cloud_api.pages.asking import DAYS, Asking, address

DRIVERS = 3
STOPS = 8

NEEDS = {
    "coverage": "A: at least 98%",
    "unexplained_share": "A: at most 2%",
    "reason_coverage": "A: at least 90%",
    "count_closure": "A: at most 0.5%",
}


def home(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters()
    question = asking.question(parameters)
    site = asking.site
    shown = {
        **_filters(asking, parameters, question),
        "site": site,
        "place": _place(asking),
        "agents": [_agent(row) for row in agents(asking.connection, question, True, asking.now).rows],
        "variances": None,
        "nothing": _nothing(asking),
    }
    if site is None or site.book is None or not site.machines:
        return shown
    sheet = sheet_of(asking.connection, question.grouped("day"))
    about = envelope(asking.connection, question, asking.now, sheet.by_cause())
    if not sheet.cells and about["computed_through"] is None:
        return shown
    cells = told(question.grouped("resource", "cause"), sheet, about)
    by_cause = told(question.grouped("cause"), sheet, about)
    by_day = told(question.grouped("day"), sheet, about)
    stops = costs(
        asking.connection, asking.question(_stops(parameters), "machine", "reason"), True, asking.now
    )
    return shown | {
        "variances": cells,
        "total": cells.total,
        "currency": cells.currency,
        "zone": site.time_zone,
        "confidence": cells.confidence,
        "counted": ", ".join(dict.fromkeys(one.machine for one in cells.counted_at)),
        "all_segments": address("/segments", parameters),
        "export": address("/v1/variances", [*parameters, ("by", "resource,cause")]),
        "drivers": _drivers(by_cause),
        "bars": _bars(by_cause),
        "columns": _columns(by_day),
        "reasons": [
            _stop(row) for row in sorted(stops.rows, key=lambda row: -row.amount)[:STOPS] if row.amount
        ],
        "groups": _groups(cells),
        "textbook": _textbook(cells),
        "measures": _measures(cells.confidence),
    }


def page_address(segments: str) -> str:
    """The page that shows what an address of the API gives."""
    return segments.removeprefix("/v1")


def _place(asking: Asking) -> str:
    site = asking.site
    return "" if site is None else f"{site.name}, {site.time_zone}"


def _nothing(asking: Asking) -> str:
    if asking.site is None or asking.site.book is None:
        return "Load a plant model first: cloud-api load DIRECTORY."
    if not asking.site.machines:
        return (
            "No machine has sent anything yet: start an agent, or bring history in with cloud-api backfill."
        )
    return "No machine-hour has been interpreted yet."


def _filters(asking: Asking, parameters: Sequence[tuple[str, str]], question: Question) -> dict[str, Any]:
    site = asking.site
    from_day = to_day = ""
    if site is not None and question.from_us is not None:
        from_day = site.day_of(question.from_us).isoformat()
    if site is not None and question.to_us is not None:
        to_day = site.day_of(question.to_us).isoformat()
    machines = [machine.name for machine in site.machines] if site else []
    boxes = [
        ("line", "Line", list(site.lines) if site else []),
        ("machine", "Machine", machines),
        ("product", "Product", _products(site.plant if site else None)),
    ]
    return {
        "sites": [one.name for one in asking.places.sites],
        "from_day": from_day,
        "to_day": to_day,
        "boxes": [
            {"name": name, "label": label, "options": options, "chosen": asking.value(name)}
            for name, label, options in boxes
            if len(options) > 1
        ],
        "spans": _spans(asking, parameters),
    }


def _products(plant: Plant | None) -> list[str]:
    return sorted({row.product for row in plant.standards}) if plant is not None else []


def _spans(asking: Asking, parameters: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Windows that are one tap away: days up to now, and the last two fiscal periods."""
    rest = [(key, value) for key, value in parameters if key not in ("from", "to", "period")]
    chosen = {(key, value) for key, value in parameters if key in ("from", "to", "period")}
    windows = [("last day", asking.window(1))]
    windows += [(f"{days} days", asking.window(days)) for days in (7, DAYS, 91)]
    if asking.site is not None:
        begun = [period for period in asking.site.periods if period.from_us <= _micros(asking.now)]
        windows += [(period.name, [("period", period.name)]) for period in begun[-2:]]
    return [
        {"name": name, "address": address("/", [*rest, *window]), "current": chosen == set(window)}
        for name, window in windows
    ]


def _micros(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _drivers(by_cause: Variances) -> list[dict[str, Any]]:
    """The causes that moved it most, in the direction of the whole."""
    sign = 1 if by_cause.total.variance > 0 else -1
    moved = sorted(
        (row for row in by_cause.rows if row.variance * sign > 0), key=lambda row: -row.variance * sign
    )
    return [
        {
            "word": words.cause(str(row.cause)),
            "variance": row.variance,
            "address": page_address(row.segments),
        }
        for row in moved[:DRIVERS]
    ]


def _bars(by_cause: Variances) -> dict[str, Markup]:
    """Production on its own scale, and all that is not production on another: else it would drown the rest.
    The two cells of a line cost nothing themselves and stand in the table only."""
    rows = [
        pictures.Bar(
            name=str(row.cause),
            word=words.cause(str(row.cause)),
            actual=row.actual,
            allowance=row.allowance,
            variance=row.variance,
            address=page_address(row.segments),
        )
        for row in sorted(by_cause.rows, key=lambda row: (-row.actual, str(row.cause)))
        if row.cause not in ("scrap_upstream", "wip_change")
    ]
    currency = by_cause.currency or ""
    made = [row for row in rows if row.name == "production"]
    lost = [row for row in rows if row.name != "production"]
    return {
        "production": Markup(pictures.bars(made, currency)),
        "rest": Markup(pictures.bars(lost, currency)),
    }


def _columns(by_day: Variances) -> Markup:
    rows = [
        pictures.Column(row.day, row.variance, page_address(row.segments))
        for row in by_day.rows
        if isinstance(row.day, dt.date)
    ]
    return Markup(pictures.columns(rows, by_day.currency or "") if len(rows) > 1 else "")


def _stops(parameters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*((key, value) for key, value in parameters if key != "cause"), ("cause", "downtime")]


def _stop(row: CostRow) -> dict[str, Any]:
    return {
        "machine": row.machine,
        "reason": row.reason,
        "amount": row.amount,
        "address": page_address(row.segments),
    }


def _groups(cells: Variances) -> list[dict[str, Any]]:
    """Rows by resource, causes in the order in which a reader meets them."""
    groups: dict[str, list[VarianceRow]] = {}
    for row in cells.rows:
        groups.setdefault(str(row.resource), []).append(row)
    order = list(words.RESOURCES)
    return [
        {
            "word": words.RESOURCES.get(resource, resource),
            "rows": [
                _cell(row) for row in sorted(groups[resource], key=lambda row: _place_of(str(row.cause)))
            ],
        }
        for resource in sorted(groups, key=lambda name: order.index(name) if name in order else len(order))
    ]


def _place_of(cause: str) -> tuple[int, str]:
    return (CAUSES.index(cause) if cause in CAUSES else len(CAUSES), cause)


def _cell(row: VarianceRow) -> dict[str, Any]:
    resource, cause = str(row.resource), str(row.cause)
    return {
        "id": f"f-{resource}-{cause}".replace(" ", "-"),
        "word": words.cause(cause),
        "actual": row.actual,
        "allowance": row.allowance,
        "variance": row.variance,
        "planning": row.planning,
        "operational": row.operational,
        "material": row.variance > 0,
        "parts": _parts(row.parts),
        "formula": words.formula(resource, cause),
        "address": page_address(row.segments),
    }


def _parts(parts: Parts) -> list[dict[str, Any]]:
    named = (("lot size", parts.lot_size), ("duration", parts.duration), ("sequence", parts.sequence))
    return [
        {"word": word, "amount": amount} for word, amount in named if isinstance(amount, Decimal) and amount
    ]


def _textbook(cells: Variances) -> list[dict[str, Any]]:
    said = cells.total.textbook
    return [
        {"word": name.replace("_", " ").capitalize(), "amount": getattr(said, name)}
        for name in said.__struct_fields__
    ]


def _measures(said: Confidence) -> list[dict[str, str]]:
    rows = [
        {"word": word, "value": words.percent(getattr(said, name)), "need": NEEDS[name]}
        for word, name in (
            ("Coverage of scheduled time", "coverage"),
            ("Cost without a cause", "unexplained_share"),
            ("Stops with a reason", "reason_coverage"),
            ("Counts against orders", "count_closure"),
        )
    ]
    rows.append({"word": "Rows that came late", "value": words.number(said.late_rows), "need": ""})
    rows.append({"word": "Clock offset", "value": f"{words.number(said.clock_offset_s)} s", "need": ""})
    return rows


def _live(row: AgentRow) -> str:
    if not row.sources:
        return "–"
    live, configured = (
        sum(getattr(source, name) for source in row.sources) for name in ("live", "configured")
    )
    return f"{live} of {configured}"


def _agent(row: AgentRow) -> dict[str, Any]:
    state = "conflict" if row.conflict else "online" if row.online else "offline"
    return {
        "id": row.id,
        "state": state,
        "mark": {"online": "", "offline": "off"}.get(state, state),
        "live": _live(row),
        "lag": "–" if row.lag_s is None else f"{words.number(row.lag_s)} s",
        "depth": "–" if row.buffer_depth is None else f"{row.buffer_depth:,} batches",
    }
