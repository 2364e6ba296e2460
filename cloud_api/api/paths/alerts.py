"""Paths of webhooks."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.acts import alerts as acts
from cloud_api.answers.alerts import alerts
from cloud_api.answers.shapes import alerts as shapes
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint

ENDPOINTS = (
    Endpoint(
        "/alerts",
        Area.ALERTS,
        ("site", "format"),
        (),
        shapes.Alerts,
        "Webhooks, what is raised now, what was sent",
        "A condition is raised once and stays raised until it is over. A delivery is a POST with "
        "`Plantledger-Signature: t=SECONDS,v1=HEX` (HMAC-SHA256 of `SECONDS.BODY` under the secret) and "
        "`Plantledger-Delivery: NUMBER`, the same at each attempt.",
        alerts,
    ),
)

_EXAMPLE = {
    "url": "https://alerts.example.com/plantledger",
    "kinds": ["broken_assumption", "silent_agent"],
    "quiet_from": "22:00",
    "quiet_to": "06:00",
    "digest": "none",
}

ACTIONS = (
    Action(
        "POST",
        "/alerts",
        Area.ALERTS_KEPT,
        shapes.NewHook,
        shapes.KeptHook,
        "Keep a webhook",
        "Its secret is shown this once. Addresses in private networks are refused unless the service allows "
        "them (`PLANTLEDGER_ALERTS_PRIVATE`); one that only this machine reaches allows this machine's.",
        acts.add_hook,
        201,
        _EXAMPLE,
    ),
    Action(
        "POST",
        "/alerts/{id}/test",
        Area.ALERTS_KEPT,
        shapes.Nothing,
        shapes.Tried,
        "Send a test to a webhook, now",
        "Whatever the hour; tells what the receiver said.",
        acts.test_hook,
        200,
        {},
    ),
    Action(
        "DELETE",
        "/alerts/{id}",
        Area.ALERTS_KEPT,
        shapes.Nothing,
        shapes.Done,
        "End a webhook",
        "What waits for it is not sent any more.",
        acts.remove_hook,
    ),
)
