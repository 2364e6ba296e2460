"""Standards as accepted proposals would say them: a new recording of each card, and the book that has it.

A proposal says one number of a card from a date on. Proposals of one card that begin on several dates make a
row each, a later row with what the earlier ones said. What a locked or closed period keeps stays."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.interpret.adjustments import Kept
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.standards import Book

AFTER = dt.timedelta(microseconds=1)


class Proposed(Struct, frozen=True, kw_only=True):
    """One number of the card of a product on a machine, from a site date on; `column` as in standards.csv."""

    product: str
    machine: str
    column: str
    value: Decimal
    effective_from: dt.date


def recorded(book: Book, proposals: Iterable[Proposed], at: dt.datetime) -> list[Standard]:
    """The cards that the proposals make, recorded at an instant (aware), though after all that is recorded
    already; none where there is no card to begin with."""
    cards: dict[tuple[str, str], list[Proposed]] = defaultdict(list)
    for one in proposals:
        cards[one.machine, one.product].append(one)
    version = max((row.version for row in book.plant.standards), default=0)
    at = max([at, *(row.recorded_at + AFTER for row in book.plant.standards)])
    rows: list[Standard] = []
    for (machine, product), own in sorted(cards.items()):
        for date in sorted({one.effective_from for one in own}):
            before = book.standard(machine, product, date, "post")
            if before is None:
                continue
            said: Mapping[str, Decimal] = {
                one.column: one.value
                for one in sorted(own, key=lambda one: one.effective_from)
                if one.effective_from <= date
            }
            version += 1
            rows.append(
                replace(before, version=version, recorded_at=at, source="", effective_from=date, **said)
            )
    return rows


def with_standards(book: Book, rows: Sequence[Standard]) -> Book:
    """The book with more cards recorded; its locked and closed periods keep what they knew."""
    if not rows:
        return book
    kept = [Kept(one.period, one.first_day, one.end_day, one.book.plant, one.closed) for one in book.chapters]
    return Book(replace(book.plant, standards=(*book.plant.standards, *rows)), kept)
