"""Every path of the API under /v1 that writes."""

from __future__ import annotations

from cloud_api.api.action import Action
from cloud_api.api.paths import alerts, context, keys, periods, plant, proposals, verdicts, whatif

ACTIONS: tuple[Action, ...] = (
    *context.ACTIONS,
    *periods.ACTIONS,
    *plant.ACTIONS,
    *verdicts.ACTIONS,
    *proposals.ACTIONS,
    *alerts.ACTIONS,
    *keys.ACTIONS,
    *whatif.ACTIONS,
)
