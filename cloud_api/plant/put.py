"""Parts of a plant model as requests put them: checked, versioned and marked as a load does it.

A request adds rows or says them otherwise; what it does not name stays. Places of mistakes are `TABLE:N`,
the N-th row of the request counted from 1, or `site.yaml:LINE:COLUMN`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.plant.crosscheck import cross_check
from cloud_api.plant.files import SITE_KINDS, PlantModel, read_site_text
from cloud_api.plant.load import Loaded, record
from cloud_api.plant.places import Faults, Place, nearest
from cloud_api.plant.records import Record, Vocabulary, learn_products, read_records, read_rows
from cloud_api.plant.rows import Row
from cloud_api.plant.sheet import Line, Sheet, parse_sheet
from cloud_api.plant.tables import TABLES, Table
from cloud_api.plant.versions import said
from cloud_api.store import plant as store
from cloud_api.store.plant import StoredRow

SITE = "site"
"""A column that a table has where it is read; in a request it may only say what the request says."""

Cell = str | int | float | Decimal | bool | None


def put_rows(
    connection: Connection[TupleRow],
    site: str,
    table: str,
    rows: Sequence[Mapping[str, Cell]],
    *,
    correction: bool = False,
    author: str = "",
) -> Loaded:
    """Adds or changes rows of a table (a CSV file of the plant model, without its ending) of a site.

    Numbers may be numbers or text. Raises PlantRefused with every mistake, CloudError for a table or a site
    that is not there.
    """
    faults = Faults()
    records = _records(_table(table, site), site, rows, faults)
    return _put(connection, site, _table(table, site), records, faults, correction, author)


def put_csv(
    connection: Connection[TupleRow],
    site: str,
    table: str,
    text: str,
    *,
    correction: bool = False,
    author: str = "",
) -> Loaded:
    """As `put_rows`, the rows being the text of a CSV file; places are its lines."""
    faults = Faults()
    known = _table(table, site)
    sheet = parse_sheet(text.encode(), known.file, faults)
    records = [] if sheet is None else read_records(_of_site(sheet, site, faults), known, faults)
    return _put(connection, site, known, records, faults, correction, author)


def put_tables(
    connection: Connection[TupleRow],
    site: str,
    contents: Mapping[str, bytes],
    faults: Faults,
    *,
    correction: bool = False,
    author: str = "",
) -> Loaded:
    """As `put_csv`, of several tables at once, by file and bytes, in one version; `faults`: those so far."""
    tables = {table: contents[table.file] for table in TABLES if table.file in contents}
    with connection.transaction():
        earlier = _current(connection, site)
        words = _vocabulary(earlier)
        read: dict[Table, list[Record]] = {}
        for table, content in tables.items():
            sheet = parse_sheet(content, table.file, faults)
            found = None if sheet is None else _of_site(sheet, site, faults)
            read[table] = [] if found is None else read_records(found, table, faults)
            learn_products(read[table], table, words)
        given = [row for table, records in read.items() for row in read_rows(records, table, words, faults)]
        faults.refuse(site)
        identities = {(row.kind, row.key) for row in given}
        others = [row for row in earlier if (row.kind, row.key) not in identities]
        said = [record.cells for records in read.values() for record in records]
        model = _model(site, [*others, *given], {table.name for table in tables}, said)
        return record(connection, model, correction=correction, author=author)


def _table(name: str, site: str) -> Table:
    known = {each.name: each for each in TABLES}
    if name not in known:
        raise CloudError(f"'{name}' is not a table of a plant model", site, nearest(name, known))
    return known[name]


def _put(
    connection: Connection[TupleRow],
    site: str,
    table: Table,
    records: Sequence[Record],
    faults: Faults,
    correction: bool,
    author: str,
) -> Loaded:
    with connection.transaction():
        earlier = _current(connection, site)
        given = _checked(table, records, earlier, faults)
        identities = {(row.kind, row.key) for row in given}
        others = [row for row in earlier if (row.kind, row.key) not in identities]
        model = _model(site, [*others, *given], {table.name}, [record.cells for record in records])
        return record(connection, model, correction=correction, author=author)


def put_site(
    connection: Connection[TupleRow],
    site: str,
    text: str,
    *,
    correction: bool = False,
    author: str = "",
    kept: Collection[str] = (),
) -> Loaded:
    """Says site.yaml anew (YAML, or JSON, which is YAML); the tables stay as they are, and so do rows of the
    kinds `kept` (labour, ...), whatever the text says of them.

    Raises PlantRefused with every mistake, also where a table names a machine that would be gone.
    """
    with connection.transaction():
        store.lock_site(connection, site)
        faults = Faults()
        part = read_site_text(text, faults)
        if part is not None and part.site != site:
            place = next(row.place for row in part.rows if row.kind == "site")
            faults.add(place, f"this is the site '{part.site}', not '{site}'", "mend its name")
        stored = [_row(row) for row in _last(store.rows(connection, site))]
        tables = [row for row in stored if row.kind not in SITE_KINDS]
        said = [row for row in (part.rows if part else ()) if row.kind not in kept]
        rows = [*said, *(row for row in stored if row.kind in kept), *tables]
        if part is not None:
            _machines_stay(tables, part.machines, faults)
        faults.refuse(site)
        model = _model(site, rows, set(SITE_KINDS) - set(kept), text)
        return record(connection, model, correction=correction, author=author)


def _current(connection: Connection[TupleRow], site: str) -> list[Row]:
    """What counts now, with the site locked for this transaction."""
    if not store.exists(connection, site) or store.latest_version(connection, site) is None:
        raise CloudError(f"there is no plant model of '{site}'", "site", "load one first, or mend the name")
    store.lock_site(connection, site)
    return [_row(row) for row in _last(store.rows(connection, site))]


def _last(stored: Iterable[StoredRow]) -> list[StoredRow]:
    """The last recording of each row."""
    return list({(row.kind, row.key): row for row in stored}.values())


def _row(stored: StoredRow) -> Row:
    file, _, line = str(stored.body.get("source", "")).rpartition(":")
    place = Place(file or stored.kind, int(line) if line.isdigit() else 1)
    return Row(stored.kind, stored.key, stored.effective, said(stored), place)


def _records(table: Table, site: str, rows: Sequence[Mapping[str, Cell]], faults: Faults) -> list[Record]:
    columns = {column.name for column in table.columns}
    records = []
    for number, row in enumerate(rows, 1):
        place = Place(table.name, number)
        cells = {name: _word(value) for name, value in row.items()}
        _refuse_other_site(place, cells.pop(SITE, site), site, faults)
        for name in cells:
            if name not in columns:
                faults.add(place, f"'{name}' is not a column of {table.name}", nearest(name, columns))
        records.append(Record(place, cells))
    return records


def _of_site(sheet: Sheet, site: str, faults: Faults) -> Sheet:
    """A sheet without the column that tells the site, as reading a table gives it."""
    if SITE not in sheet.header.cells:
        return sheet
    at = sheet.header.cells.index(SITE)
    for line in sheet.lines:
        if at < len(line.cells):
            _refuse_other_site(Place(sheet.file, line.number), line.cells[at], site, faults)
    header, *lines = (
        Line(line.number, line.cells[:at] + line.cells[at + 1 :]) for line in (sheet.header, *sheet.lines)
    )
    return Sheet(sheet.file, header, tuple(lines))


def _refuse_other_site(place: Place, said: str, site: str, faults: Faults) -> None:
    if said not in ("", site):
        faults.add(place, f"site: '{said}' is not '{site}'", "put it to its own site")


def _checked(table: Table, records: Sequence[Record], earlier: Sequence[Row], faults: Faults) -> list[Row]:
    words = _vocabulary(earlier)
    learn_products(records, table, words)
    checked = read_rows(records, table, words, faults)
    faults.refuse(table.name)
    return checked


def _vocabulary(earlier: Sequence[Row]) -> Vocabulary:
    """The words that stand."""
    words = Vocabulary(_zone(earlier), frozenset(row.key[0] for row in earlier if row.kind == "machine"))
    words.products.update(row.key[0] for row in earlier if row.kind in ("standards", "products"))
    return words


def _word(value: Cell) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _zone(rows: Iterable[Row]) -> ZoneInfo:
    return ZoneInfo(next(str(row.content["time_zone"]) for row in rows if row.kind == "site"))


def _machines_stay(rows: Iterable[Row], machines: Sequence[str], faults: Faults) -> None:
    for row in rows:
        machine = row.content.get("machine")
        if isinstance(machine, str) and machine not in machines:
            message = f"the machine '{machine}' is named here but would be gone"
            faults.add(row.place, message, "keep it in site.yaml")


def _model(site: str, rows: Sequence[Row], kinds: set[str], request: object) -> PlantModel:
    faults = Faults()
    cross_check(rows, {table.file: table.file for table in TABLES}, faults)
    digest = hashlib.sha256(json.dumps(request, default=str, sort_keys=True).encode()).digest()
    return PlantModel(site, _zone(rows), tuple(rows), frozenset(kinds), digest, faults.warnings)
