"""The path of bridges: why did it change."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.answers.bridge import bridge
from cloud_api.answers.bridge_base import OPTIONS
from cloud_api.answers.question import FILTERS
from cloud_api.answers.shapes.bridge import Bridge
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.parameters import WINDOW

ENDPOINTS = (
    Endpoint(
        "/bridge",
        Area.VARIANCES,
        (*WINDOW, *FILTERS, "by", "basis", "format"),
        FILTERS,
        Bridge,
        "Why did it change",
        "start + all bars = end, to the cent, whole and for each group of `by`. Between windows: volume, mix "
        "and each cause's unit cost, by Shapley value. From standard: the variances, a changeover as "
        "lot_size, sequence and duration. From budget: volume, mix, standard_vs_budget, then the variances. "
        "Evidence of a bar adds up to it. unit_cost holds no machine idle or waiting: they stand in `aside`. "
        "margin = output at list price - cost (up is good); with sales: bars sales_price and stock (units "
        "sold less made, at list price less standard cost) besides. Example: "
        "`/v1/bridge?from=2026-03-09&to=2026-03-16&base=previous&measure=unit_cost`.",
        bridge,
        OPTIONS,
        "from=2026-03-03&to=2026-03-04&base=previous&measure=total_cost",
    ),
)
