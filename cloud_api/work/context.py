"""Rounds over the sites: questions that raise themselves, decisions that the data shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from psycopg import Connection, OperationalError
from psycopg.rows import TupleRow

from cloud_api.answers.places import Atlas
from cloud_api.work.questions import raise_questions

log = logging.getLogger("plantledger.context")


class Asking:
    """Looks at every site once a round. A fault of one site is logged, and lets the others go on."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.atlas = Atlas()
        self._faulty: set[str] = set()

    def round(self, connection: Connection[TupleRow]) -> None:
        """One look at every site; the connection is in autocommit."""
        for site in self.atlas.places(connection).sites:
            try:
                with connection.transaction():
                    raise_questions(connection, site, self.now())
                self._faulty.discard(site.name)
            except OperationalError:
                raise
            except Exception as error:
                if site.name not in self._faulty:
                    log.exception("the floor of %s cannot be asked: %s", site.name, error)
                self._faulty.add(site.name)
