"""Puts a plant model into the database: compared, versioned, and its effects marked, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.answers.posting import closings_at
from cloud_api.interpret.ledger import charge_entries
from cloud_api.interpret.standards import Book
from cloud_api.plant.effects import touched
from cloud_api.plant.files import SITE_KINDS, PlantModel, read_directory
from cloud_api.plant.places import Fault, Faults, Place, listed
from cloud_api.plant.rows import Row
from cloud_api.plant.site import SITE_FILE
from cloud_api.plant.versions import BITEMPORAL, Change, Difference, difference, recorded
from cloud_api.store import ledger, marks
from cloud_api.store import plant as store
from cloud_api.store.periods import kept_rows
from cloud_api.store.plant import MachineSpan, StoredRow


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. ``version`` is None where nothing was new.

    ``added``, ``changed`` and ``ended`` count rows, ``changes`` has them; ``marked`` counts machines with
    hours to compute again.
    """

    site: str
    version: int | None
    added: int
    changed: int
    ended: int
    unchanged: int
    marked: int
    warnings: tuple[Fault, ...]
    changes: tuple[Change, ...] = ()


def load_directory(
    connection: Connection[TupleRow], directory: Path, *, correction: bool = False, author: str = ""
) -> Loaded:
    """Reads a plant's directory and records what is new, or nothing at all.

    Raises PlantRefused with every mistake, CloudError where the directory cannot be read.
    """
    return record(connection, read_directory(directory), correction=correction, author=author)


def record(
    connection: Connection[TupleRow],
    model: PlantModel,
    *,
    correction: bool = False,
    author: str = "",
    recorded_at: datetime | None = None,
) -> Loaded:
    """Records what a sound plant model says otherwise than the database, in one transaction.

    ``recorded_at`` (aware; default now) is when it became known, for models that were kept elsewhere.
    Raises PlantRefused where the data contradicts the model.
    """
    with connection.transaction():
        store.lock_site(connection, model.site)
        stored = store.rows(connection, model.site)
        found = difference(stored, model.rows, model.kinds, correction=correction)
        spans = store.spans(connection, model.site)
        faults = Faults()
        _check_against_data(connection, model, found, spans, faults)
        _tell_periods(connection, model, found, faults)
        faults.refuse(model.site)
        version = None
        marked = 0
        if found.changes:
            version = _write(connection, model, found, stored, correction, author, recorded_at)
            marked = _mark(connection, model, found, spans)
        return Loaded(
            site=model.site,
            version=version,
            added=sum(1 for c in found.changes if c.before is None),
            changed=sum(1 for c in found.changes if c.before is not None and c.after is not None),
            ended=sum(1 for c in found.changes if c.after is None),
            unchanged=found.unchanged,
            marked=marked,
            warnings=(*model.warnings, *faults.warnings, *_kept(found)),
            changes=tuple(found.changes),
        )


def _write(
    connection: Connection[TupleRow],
    model: PlantModel,
    found: Difference,
    stored: Sequence[StoredRow],
    correction: bool,
    author: str,
    recorded_at: datetime | None,
) -> int:
    first = min((row.recorded_at for row in stored), default=None)
    version, now = store.add_version(
        connection,
        model.site,
        correction=correction,
        digest=model.digest,
        author=author,
        recorded_at=recorded_at,
    )
    new = recorded(found, now, first, correction=correction, short=lambda file: Path(file).name)
    ended = [row.row_id for row in found.ended]
    store.write_rows(connection, model.site, version, new=new, ended=ended)
    store.set_machines(connection, model.site, _machines(model.rows))
    _charge(connection, model.site, datetime.now(UTC))
    return version


def _charge(connection: Connection[TupleRow], site: str, now: datetime) -> None:
    """Entries of charges come from the model alone: all of the site are written anew."""
    plant = store.snapshot(connection, site)
    if plant is not None:
        book = Book(plant)
        closings = closings_at(connection, site, book, now)
        machines = store.machine_ids(connection, site)
        ledger.replace_charges(connection, site, machines, charge_entries(book), closings)


def _machines(rows: Iterable[Row]) -> list[tuple[str, str, int, str | None]]:
    """The machines as the database keeps them; places count along the whole site."""
    lines = {row.key[0]: row.content["position"] for row in rows if row.kind == "line"}
    machines = [row for row in rows if row.kind == "machine"]
    machines.sort(key=lambda row: (lines[str(row.content["line"])], row.content["position"]))
    found: list[tuple[str, str, int, str | None]] = []
    for place, row in enumerate(machines):
        centre = row.content["cost_centre"]
        found.append((row.key[0], str(row.content["line"]), place, None if centre is None else str(centre)))
    return found


def _mark(
    connection: Connection[TupleRow], model: PlantModel, found: Difference, spans: Sequence[MachineSpan]
) -> int:
    lines = {row.key[0]: str(row.content["line"]) for row in model.rows if row.kind == "machine"}
    stretches = touched(found.changes, spans, lines, model.zone)
    for stretch in stretches:
        marks.append_span(connection, [stretch.machine_id], stretch.starts_at, stretch.ends_at)
    return len({stretch.machine_id for stretch in stretches})


def _check_against_data(
    connection: Connection[TupleRow],
    model: PlantModel,
    found: Difference,
    spans: Sequence[MachineSpan],
    faults: Faults,
) -> None:
    """What only the data can tell: machines that vanish, counters told twice, days without a rate."""
    place = next(row.place for row in model.rows if row.kind == "site")
    with_data = {span.machine for span in spans}
    for change in found.changes:
        if change.kind == "machine" and change.after is None and change.key[0] in with_data:
            message = f"the machine '{change.key[0]}' has data but is not in the model any more"
            faults.add(place, message, "keep it in its line; its past is priced by it")
    places = {row.key[0]: row.place for row in model.rows if row.kind == "machine"}
    for machine in store.counting_twice(connection, model.site):
        message = f"the data of '{machine}' has good_count and total_count"
        faults.warn(places.get(machine, place), message, "let its agent send only one of them")
    for span in spans:
        if span.machine in places:
            _unpriced_days(model, span, places[span.machine], faults)


def _tell_periods(
    connection: Connection[TupleRow], model: PlantModel, found: Difference, faults: Faults
) -> None:
    """Warns of rows that would count in a period which keeps the plant model it knew."""
    kept = kept_rows(connection, model.site)
    for change in found.changes:
        row = change.after
        if row is None or row.effective is None or row.kind not in BITEMPORAL:
            continue
        for period in kept:
            if period.first_day <= row.effective < period.end_day:
                message = f"{period.period} is {period.status} and keeps the plant model it knew"
                mend = f"the row counts from {period.end_day} on" + (
                    "" if period.closed else ", or unlock it"
                )
                faults.warn(row.place, message, mend)


def _unpriced_days(model: PlantModel, span: MachineSpan, place: Place, faults: Faults) -> None:
    """Warns where the data of a machine begins before its rate, the wage or the tariff."""
    first = _site_day(span.first_sample, model.zone)
    line = next(
        str(r.content["line"]) for r in model.rows if r.kind == "machine" and r.key[0] == span.machine
    )
    since = {
        "rate": [r.effective for r in model.rows if r.kind == "rate" and r.key[0] == span.machine],
        "wage": [r.effective for r in model.rows if r.kind == "labour" and r.key[0] in ("", line)],
        "tariff": [r.effective for r in model.rows if r.kind == "energy"],
    }
    for what, dates in since.items():
        begun = min((day for day in dates if day is not None), default=None)
        if begun is None or begun > first:
            until = "" if begun is None else f" before {begun}"
            message = f"'{span.machine}' has data from {first} but there is no {what}{until}"
            faults.warn(place, message, f"add a row from {first} or earlier, else it costs nothing then")


def _site_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _kept(found: Difference) -> list[Fault]:
    """A warning a file whose dated rows were left out."""
    files: dict[str, list[str]] = {}
    for row in found.kept:
        file = SITE_FILE if row.kind in SITE_KINDS else f"{row.kind}.csv"
        files.setdefault(file, []).append(" ".join(word for word in row.key if word))
    mend = "end them with a later row, or load with --correction"
    return [
        Fault(Place(file, 1), f"{len(keys)} dated rows are gone but still count ({listed(keys, 5)})", mend)
        for file, keys in sorted(files.items())
    ]
