"""The path of the brief."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.answers.brief import brief
from cloud_api.answers.shapes.brief import Brief
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.parameters import WINDOW

ENDPOINTS = (
    Endpoint(
        "/brief",
        Area.VARIANCES,
        (*WINDOW, "site", "line", "basis", "format"),
        (),
        Brief,
        "Five sentences: what moved, what became known, what is coming, whose it is, what to decide",
        "Each sentence names the answer that holds its figures (`rows`) and the page that opens it.",
        brief,
        (),
        "from=2026-03-03&to=2026-03-04",
    ),
)
