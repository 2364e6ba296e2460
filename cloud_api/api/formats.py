"""Answers as JSON, CSV, Excel and Parquet. Money stays exact in each: a JSON number with 4 decimals."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

import msgspec

from cloud_api.answers.spreadsheets import guarded
from cloud_api.api.workbook import workbook

JSON, CSV, XLSX, PARQUET = "json", "csv", "xlsx", "parquet"
MEDIA_TYPES = {
    JSON: "application/json",
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    PARQUET: "application/vnd.apache.parquet",
}
"""Formats, in the order in which they are preferred where a client takes any."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_KEPT = (Decimal, dt.datetime, dt.date)

Cell = str | int | float | bool | Decimal | dt.datetime | dt.date | list[Any] | None


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of an answer, their media type and the headers that tell what a table cannot."""

    content: bytes
    media_type: str
    headers: Mapping[str, str]


def chosen(format_: str | None, accept: str | None, usual: str = JSON) -> str | None:
    """The format of an answer: `format` wins, then Accept, then the usual one. None where none of them is
    ours."""
    if format_ is not None:
        return format_ if format_ in MEDIA_TYPES else None
    if accept is None or not accept.strip():
        return usual
    ranked = sorted(_accepted(accept), key=lambda pair: -pair[1])
    for media_type, quality in ranked:
        if quality <= 0:
            continue
        if media_type in {"*/*", "application/*", "text/html"}:
            return usual
        if media_type == "text/*":
            return CSV
        for name, known in MEDIA_TYPES.items():
            if media_type == known.partition(";")[0]:
                return name
    return None


def as_json(answer: msgspec.Struct) -> bytes:
    """An answer as JSON."""
    return _ENCODER.encode(answer)


def encoded(answer: msgspec.Struct, format_: str, name: str, zone: str = "UTC") -> Body:
    """An answer in a format. `name` names the file that a browser saves; `zone` is that of the clocks by
    which Excel, which knows no zones, shows times. CSV and Parquet tell instants, in UTC."""
    if format_ == JSON:
        return Body(_ENCODER.encode(answer), MEDIA_TYPES[JSON], {})
    said = msgspec.to_builtins(answer, builtin_types=_KEPT, enc_hook=str)
    rows = [dict(_flat(row)) for row in _table(said)]
    columns = list(dict.fromkeys(column for row in rows for column in row)) or _columns(type(answer))
    about = dict(_flat(said))
    write = _parquet if format_ == PARQUET else _csv
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{format_}"',
        **{f"Plantledger-{key.title().replace('_', '-')}": told for key, told in _told(about)},
    }
    if format_ == XLSX:
        return Body(workbook(columns, rows, about, type(answer), zone), MEDIA_TYPES[format_], headers)
    return Body(write(columns, rows, about), MEDIA_TYPES[format_], headers)


def _table(said: dict[str, Any]) -> list[dict[str, Any]]:
    """The list of an answer that makes its table: its rows, or the bars of a bridge; else the answer itself,
    one row."""
    name = next((name for name in ("rows", "bars") if isinstance(said.get(name), list)), None)
    return [said] if name is None else said.pop(name)


def _columns(shape: type[msgspec.Struct]) -> list[str]:
    """Columns of a table without rows, so that a reader still meets its header: what each row would tell."""
    for field in msgspec.structs.fields(shape):
        if field.encode_name in ("rows", "bars") and (kinds := get_args(field.type)):
            own = [one for one in msgspec.structs.fields(kinds[0]) if one.default is not msgspec.UNSET]
            return [one.encode_name for one in own]
    return []


def _accepted(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(","):
        media_type, *options = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 0.0
        yield media_type, quality


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Cell]]:
    """Cells of a row; of what is nested under `parts`, the columns are `parts.lot_size` and so on."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _told(about: Mapping[str, Cell]) -> Iterator[tuple[str, str]]:
    """What stands in headers beside a table: short values, in ASCII."""
    for key in (
        "status",
        "currency",
        "from",
        "to",
        "computed_through",
        "pending_hours",
        "total",
        "next_cursor",
    ):
        value = about.get(key)
        if value is not None:
            yield key, _text(value)
    if (grade := about.get("confidence.grade", about.get("grade"))) is not None:
        yield "confidence", str(grade)


def _text(value: Cell) -> str:
    if isinstance(value, list):
        nested = any(isinstance(one, Mapping | list) for one in value)
        return _ENCODER.encode(value).decode() if nested else "; ".join(map(_text, value))
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Cell]], about: Mapping[str, Cell]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(column) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(row.get(column)) for column in columns])
    return out.getvalue().encode()


def _csv_cell(value: Cell) -> str:
    if value is None:
        return ""
    return guarded(_text(value)) if isinstance(value, str | list) else _text(value)


def _parquet(columns: Sequence[str], rows: Sequence[Mapping[str, Cell]], about: Mapping[str, Cell]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_arrow(pa, [_arrow_cell(row.get(column)) for row in rows]) for column in columns]
    metadata = {key: _text(value) for key, value in about.items() if value is not None}
    table = pa.table(dict(zip(columns, arrays, strict=True))).replace_schema_metadata(metadata)
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _arrow_cell(value: Cell) -> Cell:
    return _text(value) if isinstance(value, list) else value


def _arrow(pa: Any, values: Sequence[Cell]) -> Any:
    """A column of one type; as text where its values are of several."""
    kinds = {type(value) for value in values if value is not None}
    types = {
        Decimal: pa.decimal128(38, 6),
        dt.datetime: pa.timestamp("us", "UTC"),
        dt.date: pa.date32(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        str: pa.string(),
    }
    if len(kinds) == 1:
        return pa.array(values, types[kinds.pop()])
    return pa.array([None if value is None else _text(value) for value in values], pa.string())
