"""Paths of the ledger and its evidence: costs, variances, segments, samples, confidence, agents, periods."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.answers.agents import agents
from cloud_api.answers.confidence import confidence
from cloud_api.answers.costs import costs
from cloud_api.answers.samples import samples
from cloud_api.answers.segments import segments
from cloud_api.answers.shapes import ledger as shapes
from cloud_api.answers.variances import variances
from cloud_api.api import parameters
from cloud_api.api.endpoint import Endpoint

ENDPOINTS = (
    Endpoint(
        "/costs",
        Area.COSTS,
        parameters.ANSWER,
        parameters.GROUPS,
        shapes.Costs,
        "What did it cost, and why",
        "Actual cost = use of each resource x actual price, by cause. Example: "
        "`/v1/costs?from=2026-03-02&to=2026-03-09&by=cause`.",
        costs,
    ),
    Endpoint(
        "/variances",
        Area.VARIANCES,
        parameters.ANSWER,
        parameters.GROUPS,
        shapes.Variances,
        "Actual against flexed standard",
        "variance = actual - good units x allowance, positive is unfavourable; planning + operational = "
        "variance. Where machines of a line are asked for together, output counts at the last, and cells of "
        "resource `line` close the line. A reason has no allowance: allowances stand where reason is null.",
        variances,
    ),
    Endpoint(
        "/segments",
        Area.SEGMENTS,
        parameters.EVIDENCE,
        (),
        shapes.Segments,
        "The evidence: what the machines did",
        "Spans of constant state, product, order, reason, crew, shift and calendar status. With `resource` "
        "or `cause`, `amount` is of these entries only and spans without any are left out: the amounts add "
        "up to the cell they explain. Charges belong to no span.",
        segments,
    ),
    Endpoint(
        "/samples",
        Area.SAMPLES,
        parameters.SAMPLES,
        (),
        shapes.Samples,
        "The raw evidence: what the signals said",
        "Samples in the order of time, raw value beside the mapped one.",
        samples,
    ),
    Endpoint(
        "/confidence",
        Area.CONFIDENCE,
        parameters.CONFIDENCE,
        (),
        shapes.ConfidenceAnswer,
        "Can I trust the number",
        "Grade A: coverage >= 98 %, unexplained <= 2 %, reasons >= 90 %, counts within 0.5 %, no standard "
        "missing. "
        "B: 95, 5, 75, 1 %. C: 90, 10, 50, 2 %. Else D. The worst measure decides.",
        confidence,
    ),
    Endpoint(
        "/agents",
        Area.AGENTS,
        parameters.AGENTS,
        (),
        shapes.Agents,
        "Gateways: are they alive and up to date",
        "What each agent last said of itself, and what of it has arrived.",
        agents,
    ),
)
