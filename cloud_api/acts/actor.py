"""Who acts, on what connection, when: everything that an act may know of its surroundings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from cloud_api.access import keys
from cloud_api.access.gate import Principal
from cloud_api.answers.places import Places, Site
from cloud_api.answers.question import Mistake, QuestionError, near
from cloud_api.work.webhook import Reach


@dataclass(frozen=True, slots=True)
class Actor:
    """An act's surroundings. The connection is in a transaction that the caller commits; `places` are those
    that the actor may see; `now` is the present, aware; `path` are the values of the path's `{names}`;
    `webhooks`: how far a webhook may go."""

    connection: Connection[Any]
    principal: Principal
    places: Places
    now: dt.datetime
    path: Mapping[str, str]
    webhooks: Reach = Reach.PUBLIC

    def site(self, name: str | None) -> Site:
        """The site of that name, or the only one where none is named. Raises QuestionError."""
        known = {site.name: site for site in self.places.sites}
        if name is None and len(known) == 1:
            return next(iter(known.values()))
        if name is None:
            raise QuestionError([Mistake("site", f"is missing; name one of {', '.join(sorted(known))}")])
        if name not in known:
            raise QuestionError(
                [Mistake("site", f"{name!r} is no site that you may read{near(name, known)}")]
            )
        return known[name]

    def audit(self, action: str, site: str | None = None, **detail: Any) -> None:
        """One line of the audit, in the transaction of the act: what was done, before and after where
        something was changed."""
        who = self.principal
        keys.record(self.connection, action, by=who.key_id, subject=who.subject, site=site, detail=detail)


class Conflict(Exception):
    """What is asked cannot be done as things stand: it was done before, or something forbids it. Answered
    with 409 and these words."""


class Missing(Exception):
    """What the path names is not there. Answered with 404 and these words."""
