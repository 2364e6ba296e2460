"""Keeps what the standard allows for every kind of units that the interpretation finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.interpret.allowed import allowed
from cloud_api.interpret.model import HourResult
from cloud_api.interpret.standards import Book
from cloud_api.store import allowances

Kind = tuple[int, str, str | None, dt.date]

MOST_KINDS = 200_000
"""Kinds that are remembered as kept before all are forgotten, and kept once more when they come again."""


@dataclass(slots=True)
class Allowing:
    """Remembers what is kept under the present plant model of each site."""

    _books: dict[str, Book] = field(default_factory=dict)
    _kept: dict[str, set[Kind]] = field(default_factory=dict)
    _written: list[tuple[str, Kind]] = field(default_factory=list)

    @contextmanager
    def committed(self) -> Iterator[None]:
        """Around a transaction: what was kept in it is remembered once it has committed."""
        self._written.clear()
        yield
        for site, kind in self._written:
            kept = self._kept.setdefault(site, set())
            if len(kept) >= MOST_KINDS:
                kept.clear()
            kept.add(kind)

    def keep(
        self,
        connection: Connection[TupleRow],
        site: str,
        machine: tuple[int, str],
        book: Book,
        hours: Iterable[HourResult],
    ) -> None:
        """Keeps the allowances of what a machine (id and name) made in these hours."""
        if self._books.get(site) is not book:
            self._books[site], self._kept[site] = book, set()
        kinds = {
            (machine[0], output.made_product, output.shift, output.effective)
            for hour in hours
            for output in hour.outputs
            if output.made_product is not None and (output.good or output.scrap)
        }
        for kind in sorted(kinds - self._kept[site], key=lambda kind: (kind[3], kind[1], kind[2] or "")):
            machine_id, product, shift, date = kind
            cells = allowed(book.at(date), machine[1], product, shift, date)
            allowances.replace(connection, site, machine_id, (product, shift, date), cells)
            self._written.append((site, kind))
