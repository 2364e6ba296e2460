"""Four eyes: what one person asks for and another one agrees to, where site.yaml says `four_eyes: true`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from psycopg.types.json import Jsonb

from cloud_api.acts.actor import Actor
from cloud_api.answers.places import Site
from cloud_api.store.statements import statement


def name_of(actor: Actor) -> str:
    """Who acts, as approvals and periods name them: a key by its number, or whom the provider named."""
    who = actor.principal
    return who.subject if who.subject is not None else f"key {who.key_id}"


def agreed(actor: Actor, site: Site, action: str, subject: str, content: object, **detail: Any) -> bool:
    """Whether an act may be done now: one person is enough, or a second one asks for the very same.

    False: the first has asked, or asked again, and a second must send the same request. `content` is what
    both must agree on; `detail` is shown to the second."""
    if site.plant is None or not site.plant.four_eyes:
        return True
    text = json.dumps(content, sort_keys=True, default=str).encode()
    wish = {
        "site": site.name,
        "action": action,
        "subject": subject,
        "digest": hashlib.sha256(text).digest(),
        "detail": Jsonb(detail),
        "key": name_of(actor),
        "now": actor.now,
    }
    found = actor.connection.execute(statement("periods.asked"), wish).fetchone()
    if found is not None and found[1] != name_of(actor):
        actor.connection.execute(statement("periods.approve"), {**wish, "id": found[0]})
        actor.audit(f"{action} approved", site.name, subject=subject, asked_by=found[1])
        return True
    if found is None:
        actor.connection.execute(statement("periods.ask"), wish)
        actor.audit(f"{action} asked for", site.name, subject=subject, **detail)
    return False
