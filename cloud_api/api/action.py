"""What one path of the API does: its body, who may, what it answers. Routes and OpenAPI follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from cloud_api.access.roles import Area
from cloud_api.acts.actor import Actor
from cloud_api.api.bodies import LARGEST


@dataclass(frozen=True, slots=True)
class Action:
    """A path below /v1 that writes. `perform` gets the actor and the body, in one transaction; it may raise
    QuestionError (400), Missing (404), Conflict (409). `{names}` of the path are in `actor.path`. `largest`:
    bytes of the largest body."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str
    area: Area
    body: type[msgspec.Struct]
    shape: type[msgspec.Struct]
    summary: str
    description: str
    perform: Callable[[Actor, Any], msgspec.Struct]
    status: int = 200
    example: Any = None
    largest: int = LARGEST
