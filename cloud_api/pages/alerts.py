"""The page of webhooks: who is told of what, what is raised now, what was sent and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

from cloud_api.access.roles import Area, may_read
from cloud_api.acts import alerts as acts
from cloud_api.acts.actor import Actor
from cloud_api.answers.alerts import MONEY, alerts
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.shapes.alerts import Delivery, Digest, Hook, Kind, NewHook, Nothing, Raised
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.page import Told, once

KIND = "kind "
KINDS: dict[str, str] = {
    "broken_assumption": "a standard, price or budget is broken",
    "unexplained_cost": "much cost without a cause",
    "silent_agent": "an agent fell silent",
    "low_coverage": "the data has gaps",
}
DIGESTS = {"none": "at once", "hour": "gathered, every hour", "day": "gathered, once a day"}
PAGES = {"broken_assumption": "/assumptions", "silent_agent": "/trust", "low_coverage": "/trust"}


def alerting(asking: Asking) -> dict[str, Any]:
    """What the template shows."""
    site = asking.site
    sites = asking.places.sites if site is None else (site,)
    told = alerts(asking.connection, Question(sites=sites), asking.principal.sees_money, asking.now)
    zone = site.time_zone if site else "UTC"
    hooks = {hook.id: hook for hook in told.rows}
    return {
        "place": "" if site is None else f"{site.name}, {zone}",
        "site": site.name if site else "",
        "sites": [one.name for one in asking.places.sites],
        "hooks": [_hook(hook, asking.value("tried")) for hook in told.rows],
        "raised": [_raised(one, zone) for one in told.raised],
        "sent": [_sent(one, hooks[one.hook], zone) for one in told.deliveries],
        "kinds": [
            {"name": kind, "said": KINDS[kind]}
            for kind in get_args(Kind)
            if asking.principal.sees_money or kind not in MONEY
        ],
        "digests": DIGESTS,
        "may": asking.principal.is_known and may_read(asking.principal.role, Area.ALERTS_KEPT),
        "export": address("/v1/alerts", [("site", site.name)] if site else []),
    }


def _hook(hook: Hook, tried: str | None) -> dict[str, Any]:
    quiet = f"{hook.quiet_from} to {hook.quiet_to}" if hook.quiet_from else ""
    return {
        "id": hook.id,
        "url": hook.url,
        "kinds": "; ".join(KINDS[kind] for kind in hook.kinds),
        "quiet": quiet,
        "digest": DIGESTS[hook.digest],
        "tried": tried == str(hook.id),
    }


def _raised(one: Raised, zone: str) -> dict[str, Any]:
    page = one.detail.get("page")
    return {
        "said": KINDS[one.kind],
        "subject": one.subject,
        "since": words.clock(one.raised_at, zone),
        "page": page if isinstance(page, str) and page.startswith("/") else "/trust",
    }


def _sent(one: Delivery, hook: Hook, zone: str) -> dict[str, Any]:
    if one.delivered_at is not None:
        outcome = f"delivered {words.clock(one.delivered_at, zone)}"
    elif one.gave_up_at is not None:
        outcome = f"given up {words.clock(one.gave_up_at, zone)}"
    else:
        outcome = f"waits until {words.clock(one.due_at, zone)}"
    return {
        "id": one.id,
        "hook": hook.id,
        "to": urlsplit(hook.url).netloc,
        "events": [name.replace("_", " ", 1) for name in one.events],
        "attempts": one.attempts,
        "outcome": outcome,
        "good": one.delivered_at is not None,
        "answer": one.answer or "",
    }


def kept(actor: Actor, fields: Mapping[str, str]) -> Told:
    """The form that keeps a webhook; its secret is told once."""
    kinds: Any = [name.removeprefix(KIND) for name in fields if name.startswith(KIND)]
    digest: Any = fields.get("digest") or "none"
    mistakes = [Mistake("kinds", f"{kind!r} is none") for kind in kinds if kind not in get_args(Kind)]
    if digest not in get_args(Digest):
        mistakes.append(Mistake("digest", f"{digest!r} is not one of {', '.join(get_args(Digest))}"))
    if not kinds:
        mistakes.append(Mistake("kinds", "tick at least one"))
    if mistakes:
        raise QuestionError(mistakes)
    hook = acts.add_hook(
        actor,
        NewHook(
            url=fields.get("url", "").strip(),
            site=fields.get("site") or None,
            kinds=kinds,
            quiet_from=fields.get("quiet_from") or None,
            quiet_to=fields.get("quiet_to") or None,
            digest=digest,
        ),
    )
    return once(
        title=f"Webhook {hook.id} is kept",
        secret=hook.secret,
        advice="Give this secret to the receiver: each delivery is signed with it (Plantledger-Signature: "
        "t=SECONDS,v1=HMAC-SHA256 of SECONDS.BODY). It is never shown again.",
        back=address("/alerts", [("site", hook.site)]),
    )


def tested(actor: Actor, fields: Mapping[str, str]) -> str:
    """The form that sends a test at once."""
    acts.test_hook(actor, Nothing())
    return _back(fields, ("tried", actor.path["id"]))


def ended(actor: Actor, fields: Mapping[str, str]) -> str:
    """The form that ends a webhook."""
    acts.remove_hook(actor, Nothing())
    return _back(fields)


def _back(fields: Mapping[str, str], *more: tuple[str, str]) -> str:
    site = fields.get("site")
    return address("/alerts", [*([("site", site)] if site else []), *more])
