"""What the interpretation says, as rows in the order in which they are copied into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from cloud_api.interpret.model import Entry, Facts, Output, Segment, Turn, Use
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us
from shared.units import HOUR_US, MINUTE_US

Tuple = tuple[Any, ...]
NOTHING = Jsonb([], dumps=msgspec.json.encode)
"""An empty list."""


class Words(str):
    """Cells ready to copy, a tab between any two."""

    __slots__ = ()


def output_row(site: str, machine_id: int, part: Output) -> Tuple:
    """An output in the order of the columns that are copied."""
    versions = (part.standard_version, part.calendar_version)
    return (site, machine_id, moment(part.hour_us), *versions, facts_words(part))


def segment_row(machine_id: int, part: Segment) -> Tuple:
    """A segment in the order of the columns that are copied."""
    return (machine_id, moment(part.hour_us), moment(part.from_us), moment(part.to_us), facts_words(part))


def moment(us: int) -> Words:
    """An instant of microseconds UTC, as PostgreSQL reads it."""
    within = us % HOUR_US
    minute, rest = divmod(within, MINUTE_US)
    return Words(f"{_hour_word(us - within)}:{minute:02}:{rest // 1_000_000:02}.{rest % 1_000_000:06}+00")


@lru_cache(maxsize=10_000)
def _hour_word(us: int) -> str:
    return f"{from_us(us):%Y-%m-%d %H}"


def facts_words(facts: Facts) -> Words:
    """What `facts_row` gives, ready to copy."""
    said = _said(
        facts.production_day,
        facts.effective,
        facts.state,
        facts.product,
        facts.order,
        facts.made_product,
        facts.made_order,
        facts.reason,
        facts.shift,
        facts.calendar,
        facts.overtime,
        facts.paid,
        facts.crew,
    )
    material = _json_word(as_json(facts.material)) if facts.material else "[]"
    changeovers = _json_word(as_json(facts.changeovers)) if facts.changeovers else "[]"
    return Words(
        f"{said}\t{facts.duration_us}\t{facts.crew_assumed_us}\t{facts.uncertain_us}\t{facts.good}\t{facts.scrap}"
        f"\t{facts.rework}\t{facts.energy_kwh}\t{'t' if facts.energy_assumed else 'f'}\t{material}"
        f"\t{changeovers}\t{'t' if facts.late_seen else 'f'}"
    )


@lru_cache(maxsize=20_000)
def _said(*cells: Any) -> str:
    return "\t".join(["\\N" if cell is None else _WORDS[type(cell)](cell) for cell in cells])


def facts_row(facts: Facts) -> Tuple:
    """Facts in the order of the columns from production_day to late_seen."""
    return (
        facts.production_day,
        facts.effective,
        facts.state,
        facts.product,
        facts.order,
        facts.made_product,
        facts.made_order,
        facts.reason,
        facts.shift,
        facts.calendar,
        facts.overtime,
        facts.paid,
        facts.crew,
        facts.duration_us,
        facts.crew_assumed_us,
        facts.uncertain_us,
        facts.good,
        facts.scrap,
        facts.rework,
        facts.energy_kwh,
        facts.energy_assumed,
        as_json(facts.material) if facts.material else NOTHING,
        as_json(facts.changeovers) if facts.changeovers else NOTHING,
        facts.late_seen,
    )


def facts_of(row: Tuple) -> dict[str, Any]:
    """The fields of Facts from the columns from production_day to late_seen."""
    facts = dict(zip(_FACTS, row, strict=True))
    for name, kind in (("material", _USES), ("changeovers", _TURNS)):
        facts[name] = msgspec.convert(facts[name], kind, strict=False) if facts[name] else ()
    return facts


_FACTS = Facts.__struct_fields__
_USES, _TURNS = tuple[Use, ...], tuple[Turn, ...]


def entry_row(site: str, machine_id: int | None, entry: Entry) -> Tuple:
    """An entry in the order of the columns that are copied."""
    return (
        site,
        machine_id,
        moment(entry.hour_us),
        entry.production_day,
        entry.product,
        entry.order,
        entry.shift,
        entry.reason,
        entry.cost_centre,
        entry.resource,
        entry.cause,
        entry.item,
        entry.amount,
        entry.quantity,
        entry.unit,
        entry.rate,
        entry.standard_version,
        entry.calendar_version,
        entry.assumed,
    )


def as_json(value: object) -> Jsonb:
    """A value as the database keeps it in a column of JSON."""
    return Jsonb(value, dumps=msgspec.json.encode)


def copy_rows(connection: Connection[TupleRow], name: str, rows: Iterable[Tuple]) -> None:
    """Copies rows by the statement of this name, which says no format: PostgreSQL's text."""
    with connection.cursor() as cursor, cursor.copy(statement(name)) as copy:
        block: list[str] = []
        for row in rows:
            block.append("\t".join(["\\N" if cell is None else _WORDS[type(cell)](cell) for cell in row]))
            if len(block) == BLOCK:
                copy.write("\n".join(block) + "\n")
                block = []
        if block:
            copy.write("\n".join(block) + "\n")


@lru_cache(maxsize=10_000)
def _escaped(text: str) -> str:
    """Text between tabs; most has nothing to escape."""
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def _json_word(value: Jsonb) -> str:
    return _escaped(msgspec.json.encode(value.obj).decode()) if value.obj else "[]"


_WORDS: dict[type, Callable[[Any], str]] = {
    Words: str,
    str: _escaped,
    int: str,
    bool: {True: "t", False: "f"}.__getitem__,
    Decimal: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    Jsonb: _json_word,
}
BLOCK = 500
"""Rows sent at a time."""
