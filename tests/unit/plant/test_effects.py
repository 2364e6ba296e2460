"""Which machine-hours a change touches: its own machines, from its date on, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud_api.plant.effects import HOUR, touched
from cloud_api.plant.places import Place
from cloud_api.plant.rows import Content, Row
from cloud_api.plant.versions import Change
from cloud_api.store.plant import MachineSpan, StoredRow

ZONE = ZoneInfo("America/New_York")
FIRST, LAST = datetime(2026, 1, 10, 5, tzinfo=UTC), datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SPANS = [MachineSpan(1, "m1", FIRST, LAST), MachineSpan(2, "m2", FIRST, LAST)]
LINES = {"m1": "one", "m2": "two"}
FEBRUARY = date(2026, 2, 1)
MIDNIGHT = datetime(2026, 2, 1, 5, tzinfo=UTC)


def row(kind: str, key: tuple[str, ...], effective: date | None = FEBRUARY, **content: object) -> Row:
    return Row(kind, key, effective, dict(content), Place("f", 1))


def hours(*changes: Change) -> list[tuple[int, datetime, datetime]]:
    return [(each.machine_id, each.starts_at, each.ends_at) for each in touched(changes, SPANS, LINES, ZONE)]


def before(after: Row, **content: object) -> StoredRow:
    return StoredRow(1, after.kind, after.key, after.effective, 1, FIRST, {**after.content, **content})


@pytest.mark.parametrize(
    ("new", "machines"),
    [
        (row("standards", ("P", "m2", "2026-02-01")), [2]),
        (row("bill", ("P", "m1", "steel", "2026-02-01")), [1]),
        (row("changeovers", ("m2", "P", "Q", "2026-02-01")), [2]),
        (row("rate", ("m1", "2026-02-01")), [1]),
        (row("labour", ("one", "", "2026-02-01")), [1]),
        (row("labour", ("", "N", "2026-02-01")), [1, 2]),
        (row("prices", ("steel", "2026-02-01")), [1, 2]),
        (row("energy", ("2026-02-01",)), [1, 2]),
        (row("standards", ("P", "m3", "2026-02-01")), []),
        (row("orders", ("O1", "P", "m1"), None), []),
        (row("reasons", ("jam", ""), None), []),
        (row("charges", ("x",), None), []),
    ],
    ids=lambda value: value.kind if isinstance(value, Row) else "",
)
def test_a_dated_row_touches_its_machines_from_midnight_at_the_site_on(new: Row, machines: list[int]) -> None:
    assert hours(Change(None, new)) == [(machine, MIDNIGHT, LAST + HOUR) for machine in machines]


def test_the_earliest_of_several_changes_counts_and_nothing_before_the_first_sample() -> None:
    late, early = row("rate", ("m1", "2026-02-01")), row("rate", ("m1", "2025-01-01"), date(2025, 1, 1))
    assert hours(Change(None, late), Change(None, early)) == [(1, FIRST, LAST + HOUR)]


def test_a_row_of_the_future_touches_nothing() -> None:
    assert hours(Change(None, row("rate", ("m1", "2026-04-01"), date(2026, 4, 1)))) == []


def test_another_cost_centre_touches_the_whole_machine_and_another_currency_nothing() -> None:
    machine = row("machine", ("m2",), None, cost_centre="C2")
    assert hours(Change(before(machine, cost_centre="C1"), machine)) == [(2, FIRST, LAST + HOUR)]
    site = row("site", (), None, time_zone="America/New_York", currency="USD")
    assert hours(Change(before(site, currency="EUR"), site)) == []
    assert len(hours(Change(before(site, time_zone="Europe/Berlin"), site))) == 2


def test_an_exception_touches_its_date_and_a_shift_every_hour() -> None:
    day: Content = {"date": "2026-02-01", "closed": True, "shifts": []}
    calendar = row("calendar", (), None, day_start="00:00", shifts=[], exceptions=[day])
    end = datetime(2026, 2, 3, 5, tzinfo=UTC)
    assert hours(Change(before(calendar, exceptions=[]), calendar)) == [
        (1, MIDNIGHT, end),
        (2, MIDNIGHT, end),
    ]
    changed = Change(before(calendar, shifts=[{"name": "A"}]), calendar)
    assert hours(changed) == [(1, FIRST, LAST + HOUR), (2, FIRST, LAST + HOUR)]
