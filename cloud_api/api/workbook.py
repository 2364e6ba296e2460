"""An answer as an Excel workbook: its table, what it says of itself, what each column means, and a sheet for
each list that its rows hold.

Excel knows no zones: times are as the clocks of one zone show them, and the sheet `about` names it."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from cloud_api.api.definitions import COMMON

NARROWEST, WIDEST = 9, 60
"""Of a column, in characters."""

_LOOKED_AT = 200
"""Rows that settle how wide a column is."""

_NAMING = 3
"""Columns of an answer that say, on a sheet of what its rows hold, which row it is."""

_LONGEST_TITLE = 31
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Row = Mapping[str, Any]


def workbook(
    columns: Sequence[str], rows: Sequence[Row], about: Row, shape: type[msgspec.Struct], zone: str
) -> bytes:
    """The workbook. `shape` explains the columns; `zone` is an IANA name."""
    book, clock = Workbook(write_only=True), ZoneInfo(zone)
    held = dict(_held(columns, rows, about))
    _table(book, "answer", columns, rows, clock)
    _pairs(book, "about", {"time_zone": zone, **about}, clock)
    words = _said_of(shape)
    told = [*columns, "time_zone", *(key for key in about if key not in columns)]
    inner = [f"{name}.{column}" for name, (own, _) in held.items() for column in own]
    meanings = [{"column": column, "definition": _definition(words, column)} for column in (*told, *inner)]
    _table(book, "definitions", ("column", "definition"), meanings, clock)
    for name, (own, inner_rows) in held.items():
        _table(book, name[:_LONGEST_TITLE], own, inner_rows, clock)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _held(
    columns: Sequence[str], rows: Sequence[Row], about: Row
) -> Iterator[tuple[str, tuple[list[str], Sequence[Row]]]]:
    """Lists of things that rows hold, or the answer beside its rows: by column, as a table of its own. Of
    several rows, its first columns tell by number and by name which one of the sheet `answer` holds it."""
    naming = [column for column in columns if _names(row.get(column) for row in rows)][:_NAMING]
    for column in columns:
        own: list[Row] = [
            {**({} if len(rows) == 1 else _which(number, row, naming)), **one}
            for number, row in enumerate(rows, 2)
            for one in _things(row.get(column))
        ]
        if own:
            yield column, (list(dict.fromkeys(key for one in own for key in one)), own)
    for key, value in about.items():
        if key not in columns and (own := list(_things(value))):
            yield key, (list(dict.fromkeys(name for one in own for name in one)), own)


def _which(number: int, row: Row, naming: Sequence[str]) -> Row:
    return {"row": number, **{f"answer.{name}": row.get(name) for name in naming}}


def _names(values: Iterator[Any]) -> bool:
    """Whether a column holds names: text, but no address."""
    filled = [value for value in values if value is not None]
    return bool(filled) and all(isinstance(value, str) and not value.startswith("/") for value in filled)


def _things(value: Any) -> Iterator[Row]:
    """What a list holds, where it is things and not words."""
    if isinstance(value, list):
        for one in value:
            if isinstance(one, Mapping):
                yield dict(_flat(one))


def _flat(thing: Row, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in thing.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield prefix + name, "; ".join(_phrase(one) for one in value)
        else:
            yield prefix + name, value


def _phrase(value: Any) -> str:
    """What stands in a cell for a thing within a thing: its words where it has some."""
    if isinstance(value, Mapping):
        return str(value["text"]) if "text" in value else _ENCODER.encode(value).decode()
    return str(value)


def _table(book: Workbook, title: str, columns: Sequence[str], rows: Sequence[Row], clock: ZoneInfo) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, column in enumerate(columns, 1):
        shown = [column, *(row.get(column) for row in islice(rows, _LOOKED_AT))]
        sheet.column_dimensions[get_column_letter(number)].width = _width(shown)
    if columns:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    sheet.append([_bold(sheet, column) for column in columns])
    for row in rows:
        sheet.append([_cell(sheet, row.get(column), clock, column) for column in columns])


def _pairs(book: Workbook, title: str, pairs: Row, clock: ZoneInfo) -> None:
    sheet = book.create_sheet(title)
    for letter, cells in (("A", list(pairs)), ("B", list(pairs.values()))):
        sheet.column_dimensions[letter].width = _width(cells)
    for key, value in pairs.items():
        sheet.append([_cell(sheet, key, clock), _cell(sheet, value, clock, key)])


def _width(values: Sequence[Any]) -> int:
    longest = max((len(_shown(value)) for value in values), default=0)
    return min(max(longest + 3, NARROWEST), WIDEST)


def _shown(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return "2026-01-01 00:00:00"
    if isinstance(value, list):
        return ""
    return f"{value:,.4f}" if isinstance(value, Decimal) else str(value)


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: Any, clock: ZoneInfo, column: str = "") -> Any:
    """A cell that holds text as text, whatever it begins with; numbers with the decimals they have."""
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, _printable(value))
        cell.data_type = "s"
        return cell
    if isinstance(value, list):
        things = sum(isinstance(one, Mapping) for one in value)
        words = f"{things} on sheet {column[:_LONGEST_TITLE]}" if things else "; ".join(map(str, value))
        return _cell(sheet, words, clock) if words else None
    if isinstance(value, dt.datetime):
        value, format_ = value.astimezone(clock).replace(tzinfo=None), "yyyy-mm-dd hh:mm:ss"
    elif isinstance(value, Decimal):
        format_ = "#,##0.00##"
    else:
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = format_
    return cell


def _printable(text: str) -> str:
    return "".join(letter if letter in "\t\n\r" or letter >= " " else " " for letter in text)


def _definition(words: Mapping[str, str], column: str) -> str:
    """What a column means, by its whole name, else by its last part or its first."""
    names = (column, column.rpartition(".")[2], column.partition(".")[0])
    found = (told.get(name) for name in names for told in (words, COMMON))
    return next(filter(None, found), column.replace("_", " "))


@cache
def _said_of(shape: type[msgspec.Struct]) -> Mapping[str, str]:
    """What OpenAPI says of the fields of an answer and of all that is in it, by name."""
    _, schemas = msgspec.json.schema_components([shape])
    said: dict[str, str] = {}
    for schema in schemas.values():
        for name, about in schema.get("properties", {}).items():
            words = [about.get("description"), *(one.get("description") for one in about.get("anyOf", ()))]
            if told := next(filter(None, words), None):
                said.setdefault(name, told)
    return said
