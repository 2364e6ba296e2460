"""Paths of what will persist: verdicts, assumptions, forecast."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.acts.assumptions import accept
from cloud_api.answers.assumptions import OPTIONS as ASSUMPTION_OPTIONS
from cloud_api.answers.assumptions import assumptions
from cloud_api.answers.forecast import OPTIONS as FORECAST_OPTIONS
from cloud_api.answers.forecast import forecast
from cloud_api.answers.question import FILTERS
from cloud_api.answers.shapes.assumptions import Acceptance, Accepted, Assumptions
from cloud_api.answers.shapes.forecast import Forecast
from cloud_api.answers.shapes.verdicts import Verdicts
from cloud_api.answers.verdicts import BY, OPTIONS, verdicts
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.parameters import PAGE, WINDOW

ENDPOINTS = (
    Endpoint(
        "/verdicts",
        Area.VARIANCES,
        (*WINDOW, *FILTERS, "by", "basis", "format", *PAGE),
        BY,
        Verdicts,
        "Structural or temporary",
        "On the daily series of each cause's cost per good unit (or of another measure), weekday removed "
        "where it matters: structural (the level moved), temporary, drift, recurring (tied to weekday, "
        "shift or product, three times at least), seasonal (as in the two years before), isolated, "
        "undetermined (too early), steady. The series ends with the window and reaches back at least 26 "
        "weeks. One row per cause and group of `by` (machine where nothing is said); causes that never "
        "moved are left out. Example: "
        "`/v1/verdicts?measure=unit_cost&line=stamping&by=machine`.",
        verdicts,
        OPTIONS,
        "from=2026-03-02&to=2026-03-05&measure=unit_cost",
    ),
    Endpoint(
        "/assumptions",
        Area.ASSUMPTIONS,
        ("from", "to", "site", "line", "machine", "product", "format", *PAGE),
        (),
        Assumptions,
        "What is breaking right now",
        "Every number that finance relies on against what the plant did: standards (cycle, scrap, rework, "
        "availability, crew, changeover, energy) by tabular CUSUM, k = 0.5 sigma, per order and day, h set "
        "so that a whole plant raises less than one false alarm a month; prices, tariffs, wages and rates; "
        "budgeted unit cost; schedule. `broken`: beyond its limit and material; `watch`: beyond it only. "
        "Example: `/v1/assumptions?status=broken`.",
        assumptions,
        ASSUMPTION_OPTIONS,
        "status=broken",
    ),
    Endpoint(
        "/forecast",
        Area.ASSUMPTIONS,
        ("site", "line", "machine", "product", "format"),
        (),
        Forecast,
        "Where the period ends",
        "Cost to date is the ledger's; cost to come follows each cause's verdict: structural stays, drift "
        "goes on, temporary fades, isolated does not come again, recurring comes as often as it did. p10 and "
        "p90 in closed form from the days so far. Output against the plan and what the slowest machine of "
        "each line can give; orders that are or will be late. Example: `/v1/forecast?horizon=quarter`.",
        forecast,
        FORECAST_OPTIONS,
        "horizon=period",
    ),
)

ACTIONS = (
    Action(
        "POST",
        "/assumptions/{id}/accept",
        Area.ACCEPTED,
        Acceptance,
        Accepted,
        "Accept a better standard",
        "Records the proposed value (or another) as a standard, effective from the onset and recorded now: "
        "the days before it become planning's doing instead of the floor's. A closed or locked period stays "
        "as it is.",
        accept,
        200,
        {"value": 9.9, "from": "2026-03-02"},
    ),
)
