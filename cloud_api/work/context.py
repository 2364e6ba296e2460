"""Rounds over the sites: questions that raise themselves, decisions that the data shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from psycopg import Connection, OperationalError
from psycopg.rows import TupleRow

from cloud_api.answers.places import Atlas, Site
from cloud_api.work.decisions import draft_decisions, draft_past
from cloud_api.work.questions import claimed, raise_questions

DRAFT_EVERY = timedelta(minutes=5)
"""Decisions last; they are looked for less often than stops."""

log = logging.getLogger("plantledger.context")


class Asking:
    """Looks at every site once a round. A fault of one site is logged, and lets the others go on."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.atlas = Atlas()
        self._faulty: set[str] = set()
        self._drafted: dict[str, datetime] = {}

    def round(self, connection: Connection[TupleRow]) -> None:
        """One look at every site; the connection is in autocommit."""
        for site in self.atlas.places(connection).sites:
            try:
                with connection.transaction():
                    self._look(connection, site)
                self._faulty.discard(site.name)
            except OperationalError:
                raise
            except Exception as error:
                if site.name not in self._faulty:
                    log.exception("the floor of %s cannot be asked: %s", site.name, error)
                self._faulty.add(site.name)

    def _look(self, connection: Connection[TupleRow], site: Site) -> None:
        if claimed(connection, site):
            now = self.now()
            raise_questions(connection, site, now)
            last = self._drafted.get(site.name)
            if last is None or not timedelta(0) <= now - last < DRAFT_EVERY:
                draft_decisions(connection, site, now)
                self._drafted[site.name] = now
            draft_past(connection, site, now)
