"""Paths that say where cost and output come from: key figures, orders, products, constraints, ranking."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.answers.constraints import constraints
from cloud_api.answers.kpis import BY, kpis
from cloud_api.answers.orders import orders
from cloud_api.answers.products import products
from cloud_api.answers.ranking import OPTIONS, ranking
from cloud_api.answers.shapes.constraints import Constraints
from cloud_api.answers.shapes.kpis import KpiAnswer
from cloud_api.answers.shapes.orders import Orders
from cloud_api.answers.shapes.products import Products
from cloud_api.answers.shapes.ranking import Ranking
from cloud_api.api import parameters
from cloud_api.api.endpoint import Endpoint

PLACES = (*parameters.WINDOW, "site", "line", "machine")
END = ("basis", "format", *parameters.PAGE)

ENDPOINTS = (
    Endpoint(
        "/kpis",
        Area.KPIS,
        (*PLACES, "product", "order", "shift", "by", *END),
        BY,
        KpiAnswer,
        "Key figures of ISO 22400-2",
        "OEE, availability, effectiveness, quality ratio, NEE, technical efficiency, setup rate, scrap and "
        "rework ratio, worker efficiency: from scheduled segments only, ratios of summed times and counts. "
        "Idle time has no product. Example: `/v1/kpis?from=2026-03-02&to=2026-03-09&by=machine,day`.",
        kpis,
        example="from=2026-03-02&to=2026-03-05&by=machine,day",
    ),
    Endpoint(
        "/orders",
        Area.ORDERS,
        (*PLACES, "product", "order", *END),
        (),
        Orders,
        "Is this order losing money now",
        "Orders that were worked on, or planned, in the window, each with its whole life up to the window's "
        "end: planned and good units, standard cost, cost to date and at completion, margin, lateness. Units "
        "are counted at the last machine of the line that knows orders. A planned order is reckoned to begin "
        "when its machine is through with those planned before it.",
        orders,
        example="from=2026-03-02&to=2026-03-05",
    ),
    Endpoint(
        "/products",
        Area.PRODUCTS,
        (*PLACES, "product", *END),
        (),
        Products,
        "True cost per product",
        "Standard, averaged, actual and normalised unit cost side by side, with what each product does to "
        "the line. Exact: actual_cost of all rows + unused_capacity + idle_labour + unassigned = total. "
        "Supervision and disruption are memo lines cut out of these amounts, never added.",
        products,
        example="from=2026-03-02&to=2026-03-05",
    ),
    Endpoint(
        "/constraints",
        Area.CONSTRAINTS,
        (*PLACES, *END),
        (),
        Constraints,
        "Where to invest",
        "The constraint of each line by the active period method: who keeps the others waiting, alone or "
        "shifting, over all time, scheduled time and without overtime; how stable; what props it up; what an "
        "hour of relief is worth until the next constraint binds; and the cost that a line absorbs.",
        constraints,
        example="from=2026-03-02&to=2026-03-05",
    ),
    Endpoint(
        "/ranking",
        Area.PRODUCTS,
        (*PLACES, "product", "order", "shift", "resource", "cause", "reason", *END),
        (),
        Ranking,
        "Which product, machine, shift or reason is behind a change",
        "The bridge by each of these dimensions, largest contribution first; the dimension that one value "
        "explains best stands first. `cause` and `resource` choose a factor of the bridge. Shifts are "
        "compared only for causes that a shift controls. Example: "
        "`/v1/ranking?from=2026-03-09&to=2026-03-16&cause=scrap`.",
        ranking,
        OPTIONS,
        "from=2026-03-03&to=2026-03-04&base=previous&measure=total_cost",
    ),
)
