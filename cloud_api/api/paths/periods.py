"""Paths of fiscal periods: their status and adjustments; locking, unlocking, closing."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.acts import periods as acts
from cloud_api.answers import reconciliation
from cloud_api.answers.periods import periods
from cloud_api.answers.shapes import periods as shapes
from cloud_api.answers.shapes import reconciliation as reconciled
from cloud_api.api import parameters
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint

ENDPOINTS = (
    Endpoint(
        "/periods",
        Area.PERIODS,
        parameters.PERIODS,
        (),
        shapes.Periods,
        "Fiscal periods and their adjustments",
        "Status provisional, locked or closed. `adjustments` is what came too late for a closed period, and "
        "in which open one it was booked; `booked` is what a period carries for others.",
        periods,
    ),
    Endpoint(
        "/reconciliation",
        Area.RECONCILIATION,
        ("site", "basis", "format"),
        (),
        reconciled.Reconciliation,
        "The floor against the ERP",
        "floor + walk + remainder = erp, per cost centre and resource of actuals.csv. Rates not final = ERP "
        "hours x (ERP rate - floor rate); hours not at a machine = (ERP hours - floor hours) x floor rate. "
        "Counts that were not confirmed and units on hold stand beside it. Example: "
        "`/v1/reconciliation?month=2026-03`.",
        reconciliation.reconciliation,
        reconciliation.OPTIONS,
        "month=2026-03",
    ),
)

ACTIONS = (
    Action(
        "POST",
        "/periods/{id}/lock",
        Area.PERIODS_CLOSED,
        shapes.PeriodChange,
        shapes.PeriodChanged,
        "Lock a period",
        "It keeps the plant model as it counts now and refuses notes; late data still enters.",
        acts.lock,
        200,
        {},
    ),
    Action(
        "POST",
        "/periods/{id}/unlock",
        Area.PERIODS_CLOSED,
        shapes.PeriodChange,
        shapes.PeriodChanged,
        "Open a locked period again",
        "A closed period is never opened again.",
        acts.unlock,
        200,
        {},
    ),
    Action(
        "POST",
        "/periods/{id}/close",
        Area.PERIODS_CLOSED,
        shapes.PeriodChange,
        shapes.PeriodChanged,
        "Close a period for good",
        "Its entries are frozen with the plant model they used. Whatever is late is an adjustment, booked in "
        "the first period that follows and is open. 409 while it lasts or hours of it wait to be computed. "
        "Where site.yaml says `four_eyes: true`, a second person must send the same request.",
        acts.close,
        200,
        {},
    ),
)
