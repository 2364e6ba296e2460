"""Paths of keys."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.acts import keys as acts
from cloud_api.answers.keys import keys
from cloud_api.answers.shapes import keys as shapes
from cloud_api.answers.shapes.alerts import Nothing
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.parameters import PAGE

ENDPOINTS = (
    Endpoint(
        "/keys",
        Area.KEYS,
        ("site", "format", *PAGE),
        (),
        shapes.Keys,
        "Keys: what they open, when they were used last",
        "Keys that reach the sites asked for, revoked ones too; never the keys themselves, of which only a "
        "hash is kept.",
        keys,
    ),
)

ACTIONS = (
    Action(
        "POST",
        "/keys",
        Area.KEYS_KEPT,
        shapes.NewKey,
        shapes.MadeKey,
        "Make a key",
        "It is shown this once. Nobody makes a key that opens more than their own: of other sites, or of "
        "money for a role that reads none. A key of the floor may be bound to lines of one site.",
        acts.add_key,
        201,
        {"role": "floor", "name": "tablet at the press", "sites": ["columbus"], "lines": ["stamping"]},
    ),
    Action(
        "POST",
        "/keys/{id}/revoke",
        Area.KEYS_KEPT,
        Nothing,
        shapes.RevokedKey,
        "End a key, at once",
        "Its sessions end with it. Webhooks that it kept go on, and are named.",
        acts.revoke_key,
        200,
        {},
    ),
)
