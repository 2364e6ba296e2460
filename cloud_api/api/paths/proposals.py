"""Paths of the standards proposal pack: evidence, what it would change, approval, standards.csv."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.acts.assumptions import approve, simulate
from cloud_api.answers.proposals import OPTIONS, TAKES, proposals, standards
from cloud_api.answers.shapes.proposals import (
    Approval,
    Approved,
    ProposalPack,
    Simulation,
    StandardRows,
)
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.formats import CSV
from cloud_api.api.parameters import PAGE

_PROPOSAL = "mill:cycle:m1:P"

ENDPOINTS = (
    Endpoint(
        "/proposals",
        Area.ASSUMPTIONS,
        (*TAKES, "format", *PAGE),
        (),
        ProposalPack,
        "The standards proposal pack of a site",
        "What to record instead of standards that are broken, with its evidence, and what that would change: "
        "the variance of the open period (or of the window) parted anew into planning and operational, unit "
        "cost, and the price list. Nothing is changed. Example: `/v1/proposals?line=stamping`.",
        proposals,
        OPTIONS,
    ),
    Endpoint(
        "/proposals/standards.csv",
        Area.ASSUMPTIONS,
        ("site", "line", "machine", "product", "format"),
        (),
        StandardRows,
        "What the proposals would record, as a file to load",
        "Rows of standards.csv as `cloud-api load` and `PUT /v1/plant/standards` take them; CSV where no "
        "format is named.",
        standards,
        OPTIONS,
        format_=CSV,
    ),
)

ACTIONS = (
    Action(
        "POST",
        "/proposals/simulate",
        Area.ASSUMPTIONS,
        Simulation,
        ProposalPack,
        "Try proposals, with other numbers too",
        "As `GET /v1/proposals`, of the proposals that the body names, each with its own number and date "
        "where it gives one. Nothing is changed.",
        simulate,
        example={"site": "mill", "proposals": [{"id": _PROPOSAL, "value": 41.5}], "period": "2026-04"},
    ),
    Action(
        "POST",
        "/proposals/approve",
        Area.ACCEPTED,
        Approval,
        Approved,
        "Approve proposals: they become standards",
        "All of them or none, in one version of the plant model, in the audit. They are effective from their "
        "onset and recorded now: earlier days are parted anew into planning and operational, closed and "
        "locked periods stay. With `four_eyes: true` the first request waits (`waiting` of "
        "`GET /v1/proposals`) until a second person sends the same numbers and dates.",
        approve,
        example={"site": "mill", "proposals": [{"id": _PROPOSAL, "value": 41.5, "from": "2026-04-13"}]},
    ),
)
