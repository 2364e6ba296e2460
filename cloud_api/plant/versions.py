"""What a load changes: new rows, rows that no longer count, and what is kept though it was left out.

Standards, bills, prices, wages, rates, tariffs and changeover pairs are bitemporal: a changed row is recorded
beside the earlier one, which stays the one known at the time. Everything else is replaced. A correction (a
typing error) ends every earlier recording of the row and takes over its moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloud_api.plant.rows import Row
from cloud_api.store.plant import NewRow, StoredRow

BITEMPORAL = frozenset({"standards", "bill", "prices", "labour", "energy", "rate", "changeovers"})
Identity = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is said otherwise: a stored row, a new row, or both."""

    before: StoredRow | None
    after: Row | None

    @property
    def kind(self) -> str:
        return self.after.kind if self.after is not None else self._stored.kind

    @property
    def _stored(self) -> StoredRow:
        assert self.before is not None
        return self.before

    @property
    def key(self) -> tuple[str, ...]:
        return self.after.key if self.after is not None else self._stored.key


@dataclass(slots=True)
class Difference:
    """What a load would do. ``kept``: bitemporal rows that were left out and still count."""

    changes: list[Change] = field(default_factory=list)
    ended: list[StoredRow] = field(default_factory=list)
    kept: list[StoredRow] = field(default_factory=list)
    unchanged: int = 0


def difference(
    stored: Sequence[StoredRow], given: Iterable[Row], kinds: Collection[str], *, correction: bool
) -> Difference:
    """Compares what counts with what was given; ``kinds`` are the kinds that the load speaks of."""
    recordings: dict[Identity, list[StoredRow]] = {}
    for row in stored:
        if row.kind in kinds:
            recordings.setdefault((row.kind, row.key), []).append(row)
    found = Difference()
    for new in given:
        if new.kind not in kinds:
            continue
        earlier = recordings.pop((new.kind, new.key), [])
        if earlier and said(earlier[-1]) == new.content:
            found.unchanged += 1
            continue
        found.changes.append(Change(earlier[-1] if earlier else None, new))
        if correction or new.kind not in BITEMPORAL:
            found.ended += earlier
    for earlier in recordings.values():
        if correction or earlier[-1].kind not in BITEMPORAL:
            found.changes.append(Change(earlier[-1], None))
            found.ended += earlier
        else:
            found.kept.append(earlier[-1])
    return found


def said(row: StoredRow) -> dict[str, object]:
    """What a stored row says, without its place in the file."""
    return {name: value for name, value in row.body.items() if name != "source"}


def recorded(
    found: Difference, now: datetime, first: datetime | None, *, correction: bool, short: Callable[[str], str]
) -> list[NewRow]:
    """The rows to record. ``first``: when the site's model was first recorded; ``short`` shortens file names.

    A corrected row takes the moment of the row it replaces; one that a correction adds takes the moment of a
    row of the same thing that it takes away (its date was mistyped), else the first moment of all.
    """
    moments: dict[Identity, datetime] = {}
    if correction:
        for old in found.ended:
            for identity in ((old.kind, old.key), (old.kind, old.key[:-1])):
                moments[identity] = min(old.recorded_at, moments.get(identity, old.recorded_at))
    rows: list[NewRow] = []
    for change in found.changes:
        row = change.after
        if row is None:
            continue
        moment = now
        if correction:
            same, near = (row.kind, row.key), (row.kind, row.key[:-1])
            moment = moments.get(same) or moments.get(near) or first or now
        source = f"{short(row.place.file)}:{row.place.line}"
        rows.append(NewRow(row.kind, row.key, row.effective, moment, {**row.content, "source": source}))
    return rows
