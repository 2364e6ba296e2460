"""Paths of what will persist: verdicts."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.answers.question import FILTERS
from cloud_api.answers.shapes.verdicts import Verdicts
from cloud_api.answers.verdicts import BY, OPTIONS, verdicts
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
)
