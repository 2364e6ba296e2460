"""Making and ending keys. Nobody makes a key that opens more than their own: other sites, or money where
theirs reads none. The command line, of whoever holds the server, makes any."""

from __future__ import annotations

from cloud_api.access import keys
from cloud_api.access.roles import KeyRole, sees_money
from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.acts.notes import number
from cloud_api.answers.question import Mistake, QuestionError, near
from cloud_api.answers.shapes.alerts import Nothing
from cloud_api.answers.shapes.keys import MadeKey, NewKey, RevokedKey
from cloud_api.errors import CloudError
from cloud_api.store.statements import statement


def add_key(actor: Actor, body: NewKey) -> MadeKey:
    """Makes a key; its text is told this once. Raises QuestionError with every mistake."""
    role = KeyRole(body.role)
    own, known = actor.principal, {site.name: site for site in actor.places.sites}
    mistakes = [
        Mistake("sites", f"{name!r} is no site that you may read{near(name, known)}")
        for name in body.sites
        if name not in known
    ]
    if sees_money(role) and not own.sees_money:
        told = f"a key of role {own.role} reads no money and makes none that does; use `cloud-api key create`"
        mistakes.append(Mistake("role", told))
    if own.sites is not None and not body.sites:
        mistakes.append(Mistake("sites", f"names none; yours is bound to {', '.join(sorted(own.sites))}"))
    if body.lines and role is not KeyRole.FLOOR:
        mistakes.append(Mistake("lines", "only a key of the floor is bound to a line"))
    elif body.lines and len(body.sites) != 1:
        mistakes.append(Mistake("lines", "are those of one site: name it, and no other"))
    elif body.lines and body.sites[0] in known:
        lines = known[body.sites[0]].lines
        mistakes += [
            Mistake("lines", f"{line!r} is no line of {body.sites[0]}{near(line, lines)}")
            for line in body.lines
            if line not in lines
        ]
    if mistakes:
        raise QuestionError(mistakes)
    try:
        text = keys.create(
            actor.connection,
            body.role,
            body.sites,
            lines=body.lines,
            name=body.name,
            by=own.key_id,
            subject=own.subject,
        )
    except CloudError as error:
        raise Conflict(str(error)) from None
    return MadeKey(
        role=body.role, name=body.name, sites=sorted(set(body.sites)), lines=sorted(set(body.lines)), key=text
    )


def revoke_key(actor: Actor, body: Nothing) -> RevokedKey:
    """Ends a key at once, and with it its sessions. Raises Missing, and Conflict for a key that opens more
    than the actor's."""
    key_id = number(actor.path["id"], "key")
    key = next((one for one in keys.listed(actor.connection) if one.key_id == key_id), None)
    own = actor.principal.sites
    if key is None or (own is not None and key.sites is not None and not key.sites & own):
        raise Missing(f"there is no key {key_id}")
    if own is not None and (key.sites is None or not key.sites <= own):
        raise Conflict(f"key {key_id} opens sites that yours does not: someone of these ends it")
    if sees_money(key.role) and not actor.principal.sees_money:
        raise Conflict(
            f"key {key_id} reads money, which yours does not: finance ends it, or the command line"
        )
    if not keys.revoke(actor.connection, key_id, by=actor.principal.key_id, subject=actor.principal.subject):
        raise Conflict(f"key {key_id} was revoked before")
    hooks = actor.connection.execute(statement("alerts.hooks_of_key"), {"key_id": key_id}).fetchall()
    return RevokedKey(id=key_id, webhooks=[hook for (hook,) in hooks])
