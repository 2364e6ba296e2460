"""Turns the lines of a plant's CSV files into rows; every cell that cannot be used becomes a fault.

The same rules serve files and requests: a record is a list of cells with a place, wherever it came from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cloud_api.plant.places import Faults, Place, nearest
from cloud_api.plant.rows import Content, Row
from cloud_api.plant.scalars import (
    Unreadable,
    read_choice,
    read_date,
    read_flag,
    read_instant,
    read_month,
    read_number,
)
from cloud_api.plant.sheet import Sheet
from cloud_api.plant.tables import Column, Table


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a table, from a file or a request: its cells by column name."""

    place: Place
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that rows may use: machines of site.yaml, products of standards.csv and products.csv."""

    zone: ZoneInfo
    machines: frozenset[str]
    products: set[str] = field(default_factory=set)


def read_records(sheet: Sheet, table: Table, faults: Faults) -> list[Record]:
    """The lines of a sheet under the table's columns; a wrong header is a fault and gives no records."""
    known = {column.name: column for column in table.columns}
    place = Place(sheet.file, sheet.header.number)
    sound = True
    for index, name in enumerate(sheet.header.cells):
        if name not in known:
            shown = f"'{name}' is not a column of {table.file}" if name else f"column {index + 1} has no name"
            faults.add(place, shown, nearest(name, known))
        elif name in sheet.header.cells[:index]:
            faults.add(place, f"the column '{name}' stands twice", "keep one of them")
            sound = False
    for column in table.columns:
        if column.header and column.name not in sheet.header.cells:
            faults.add(place, f"the column '{column.name}' is missing", "add it to the first line")
            sound = False
    return list(_records(sheet, faults)) if sound else []


def _records(sheet: Sheet, faults: Faults) -> Iterable[Record]:
    width = len(sheet.header.cells)
    for line in sheet.lines:
        place = Place(sheet.file, line.number)
        if any(line.cells[width:]):
            faults.add(
                place,
                f"{len(line.cells)} cells where the header has {width}",
                "fill each column; write numbers with a decimal point and quote text that holds a separator",
            )
            continue
        padded = line.cells + ("",) * (width - len(line.cells))
        yield Record(place, dict(zip(sheet.header.cells, padded, strict=False)))


def learn_products(records: Iterable[Record], table: Table, words: Vocabulary) -> None:
    """Adds the products that this table introduces to the vocabulary."""
    for column in table.columns:
        if column.holds == "new_product":
            named = (record.cells.get(column.name, "") for record in records)
            words.products.update(product for product in named if product)


def read_rows(records: Iterable[Record], table: Table, words: Vocabulary, faults: Faults) -> list[Row]:
    """The rows of a table; a row with a fault is left out, a row that stands twice is a fault."""
    rows: list[Row] = []
    seen: dict[tuple[str, ...], Place] = {}
    for record in records:
        row = _row(record, table, words, faults)
        if row is None:
            continue
        first = seen.setdefault(row.key, row.place)
        if first is not row.place:
            named = ", ".join(word for word in row.key if word)
            mend = "delete one of them" if table.key else "delete one, or tell them apart in one column"
            faults.add(row.place, f"{named} stands twice, first in line {first.line}", mend)
            continue
        rows.append(row)
    return rows


def _row(record: Record, table: Table, words: Vocabulary, faults: Faults) -> Row | None:
    content: Content = {}
    values: dict[str, object] = {}
    sound = True
    for column in table.columns:
        word = record.cells.get(column.name, "")
        if not word:
            if column.filled:
                faults.add(record.place, f"'{column.name}' is empty", "fill it, or delete the row")
                sound = False
            content[column.name] = None
            continue
        try:
            value = _cell(word, column, words)
        except Unreadable as unreadable:
            faults.add(record.place, f"{column.name}: {unreadable.message}", unreadable.mend)
            sound = False
            continue
        values[column.name] = value
        content[column.name] = _spelled(value)
    if not sound or not _consistent(record.place, table, values, faults):
        return None
    key = tuple(_key_word(content[name]) for name in table.key_columns)
    effective = values.get(table.effective) if table.effective else None
    return Row(table.name, key, effective if isinstance(effective, date) else None, content, record.place)


def _cell(word: str, column: Column, words: Vocabulary) -> object:
    match column.holds:
        case "machine":
            return _known(word, words.machines, "machine", "site.yaml")
        case "product":
            return _known(word, words.products, "product", "standards.csv or products.csv")
        case "number":
            return read_number(word, column.bounds)
        case "date":
            return read_date(word)
        case "month":
            return read_month(word)
        case "instant":
            return read_instant(word, words.zone)
        case "flag":
            return read_flag(word)
        case "choice":
            return read_choice(word, column.choices)
        case _:
            return word


def _known(word: str, known: Iterable[str], what: str, home: str) -> str:
    names = frozenset(known)
    if word in names:
        return word
    raise Unreadable(f"'{word}' is not a {what} of {home}", nearest(word, names))


def _consistent(place: Place, table: Table, values: dict[str, object], faults: Faults) -> bool:
    """What must hold between the cells of one row."""
    for earlier, later in (("planned_start", "planned_end"), ("start", "end")):
        begin, end = values.get(earlier), values.get(later)
        if isinstance(begin, datetime) and isinstance(end, datetime) and end <= begin:
            faults.add(place, f"'{later}' is not after '{earlier}'", "give the later time")
            return False
    if table.name == "budget" and "fixed_amount" not in values:
        lacking = [name for name in ("product", "machine", "good_units", "unit_cost") if name not in values]
        if lacking:
            faults.add(place, f"'{lacking[0]}' is empty", "fill it, or give a fixed_amount")
            return False
    return True


def _spelled(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return value
    return str(value)


def _key_word(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value).lower()
