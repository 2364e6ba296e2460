"""Keeping, testing and ending webhooks."""

from __future__ import annotations

import datetime as dt
import secrets

from psycopg.types.json import Jsonb

from cloud_api.acts.actor import Actor, Missing
from cloud_api.answers.alerts import MONEY
from cloud_api.answers.question import Mistake, QuestionError
from cloud_api.answers.shapes.alerts import Done, KeptHook, NewHook, Nothing, Tried, clock
from cloud_api.store.statements import statement
from cloud_api.work.alerting import KINDS, deliver
from cloud_api.work.deliveries import send_one
from cloud_api.work.webhook import AddressRefused, checked

ALL_KINDS = [kind for kinds in KINDS.values() for kind in kinds]


def add_hook(actor: Actor, body: NewHook) -> KeptHook:
    """Keeps a webhook. Raises QuestionError with every mistake."""
    site = actor.site(body.site)
    mistakes = []
    try:
        checked(body.url, actor.webhooks)
    except AddressRefused as refused:
        mistakes.append(Mistake("url", str(refused)))
    quiet = {}
    for name, value in (("quiet_from", body.quiet_from), ("quiet_to", body.quiet_to)):
        quiet[name] = _time(name, value, mistakes)
    if (body.quiet_from is None) != (body.quiet_to is None):
        mistakes.append(Mistake("quiet_to", "quiet hours need both a start and an end"))
    told = [kind for kind in ALL_KINDS if actor.principal.sees_money or kind not in MONEY]
    kinds = list(dict.fromkeys(body.kinds or told))
    if not actor.principal.sees_money and MONEY & set(kinds):
        mistakes.append(Mistake("kinds", f"a key of role {actor.principal.role} is told no amounts"))
    if mistakes:
        raise QuestionError(mistakes)
    secret = body.secret or secrets.token_urlsafe(32)
    row = actor.connection.execute(
        statement("alerts.add_hook"),
        {
            "site": site.name,
            "url": body.url,
            "secret": secret,
            "kinds": kinds,
            "digest": body.digest,
            "key_id": actor.principal.key_id,
            **quiet,
        },
    ).fetchone()
    assert row is not None
    kept = {"url": body.url, "kinds": kinds, "digest": body.digest, **quiet}
    actor.audit("webhook kept", site.name, hook=row[0], before=None, after=kept)
    return KeptHook(
        id=row[0],
        site=site.name,
        url=body.url,
        kinds=kinds,
        quiet_from=clock(quiet["quiet_from"]),
        quiet_to=clock(quiet["quiet_to"]),
        digest=body.digest,
        created_at=row[1],
        secret=secret,
    )


def test_hook(actor: Actor, body: Nothing) -> Tried:
    """Sends a test event at once, whatever the hour. Raises Missing."""
    hook_id = _number(actor)
    sites = [site.name for site in actor.places.sites]
    hooks = {row[0]: row for row in actor.connection.execute(statement("alerts.hooks"), {"sites": sites})}
    if hook_id not in hooks:
        raise Missing(f"there is no webhook {actor.path['id']}")
    event = actor.connection.execute(
        statement("alerts.raise"),
        {
            "site": hooks[hook_id][1],
            "kind": "test",
            "subject": f"webhook {hook_id} {secrets.token_hex(4)}",
            "detail": Jsonb({"text": "a test: nothing is wrong"}),
            "now": actor.now,
        },
    ).fetchone()
    assert event is not None
    delivery = deliver(actor.connection, hook_id, event[0], "none", actor.now)
    answer = send_one(actor.connection, actor.now, actor.webhooks, delivery)
    assert answer is not None
    actor.audit("webhook tested", hooks[hook_id][1], hook=hook_id, answer=answer.said)
    return Tried(delivered=answer.delivered, answer=answer.said)


def remove_hook(actor: Actor, body: Nothing) -> Done:
    """Ends a webhook; what waits for it is not sent any more. Raises Missing."""
    hook_id = _number(actor)
    sites = [site.name for site in actor.places.sites]
    row = actor.connection.execute(
        statement("alerts.remove_hook"), {"hook_id": hook_id, "sites": sites}
    ).fetchone()
    if row is None:
        raise Missing(f"there is no webhook {actor.path['id']}")
    actor.audit("webhook ended", row[0], hook=hook_id, before={"url": row[1]}, after=None)
    return Done(id=hook_id)


def _number(actor: Actor) -> int:
    text = actor.path["id"]
    if not text.isdecimal() or len(text) > 9:
        raise Missing(f"there is no webhook {text}")
    return int(text)


def _time(name: str, value: str | None, mistakes: list[Mistake]) -> dt.time | None:
    if value is None:
        return None
    try:
        return dt.datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007  a wall time has no zone
    except ValueError:
        mistakes.append(Mistake(name, f"{value!r} is no time of day, such as 22:00"))
        return None
