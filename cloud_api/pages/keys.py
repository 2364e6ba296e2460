"""The page of keys: who may ask, when they last did; a new key is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_api.access.roles import Area, KeyRole, may_read, sees_money
from cloud_api.acts import keys as acts
from cloud_api.acts.actor import Actor
from cloud_api.answers.keys import keys
from cloud_api.answers.question import Mistake, Question, QuestionError, near
from cloud_api.answers.shapes.alerts import Nothing
from cloud_api.answers.shapes.keys import KeyRow, NewKey
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.page import Told, once

SITE, LINE = "site ", "line "
"""What names of ticks begin with; the site follows, or the site, a bar and the line."""
ROLES = {
    KeyRole.FINANCE: "finance: reads all, closes periods",
    KeyRole.ENGINEER: "engineer: reads all but wages",
    KeyRole.FLOOR: "floor: states, counts, notes, answers",
    KeyRole.IT: "it: agents, webhooks, keys; no money",
}


def keyring(asking: Asking) -> dict[str, Any]:
    """What the template shows."""
    rows = keys(asking.connection, Question(sites=asking.places.sites), False, asking.now).rows
    return {
        "place": "",
        "living": [_row(row) for row in rows if row.revoked_at is None],
        "revoked": [_row(row) for row in rows if row.revoked_at is not None],
        "roles": [
            {"name": str(role), "said": said}
            for role, said in ROLES.items()
            if asking.principal.sees_money or not sees_money(role)
        ],
        "sites": [{"name": site.name, "lines": site.lines} for site in asking.places.sites],
        "may": asking.principal.is_known and may_read(asking.principal.role, Area.KEYS_KEPT),
        "own": asking.principal.key_id,
        "hooks": asking.value("hooks"),
        "ended": asking.value("ended"),
        "export": "/v1/keys",
    }


def _row(row: KeyRow) -> dict[str, Any]:
    places = "every site" if row.sites is None else ", ".join(row.sites)
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "places": places if row.lines is None else f"{places}: {', '.join(row.lines)}",
        "made": words.clock(row.created_at, "UTC"),
        "used": words.clock(row.last_used_at, "UTC"),
        "revoked": words.clock(row.revoked_at, "UTC"),
    }


def made(actor: Actor, fields: Mapping[str, str]) -> Told:
    """The form that makes a key."""
    role = fields.get("role", "")
    if role not in list(KeyRole):
        raise QuestionError([Mistake("role", f"{role!r} is no role{near(role, KeyRole)}")])
    lines = [name.removeprefix(LINE).partition("|") for name in fields if name.startswith(LINE)]
    sites = [name.removeprefix(SITE) for name in fields if name.startswith(SITE)]
    sites += sorted({site for site, _, _ in lines} - set(sites))
    name = fields.get("name", "").strip()
    if len(name) > 100:
        raise QuestionError([Mistake("name", "is longer than 100 characters")])
    done = acts.add_key(
        actor,
        NewKey(role=role, name=name, sites=sites, lines=[line for _, _, line in lines]),  # type: ignore[arg-type]
    )
    where = ", ".join(done.sites) or "every site"
    where += f", line {', '.join(done.lines)}" if done.lines else ""
    return once(
        title=f"A key of role {done.role}, {where}",
        secret=done.key,
        advice="Copy it now: only a hash of it is kept, and it is never shown again. Programs send it as "
        "Authorization: Bearer KEY; people enter it at /login.",
        back="/keys",
    )


def revoked(actor: Actor, fields: Mapping[str, str]) -> str:
    """The form that ends a key."""
    done = acts.revoke_key(actor, Nothing())
    hooks = ", ".join(map(str, done.webhooks))
    return address("/keys", [("ended", str(done.id)), *([("hooks", hooks)] if hooks else [])])
