"""When orders were complete, from the counter itself: the sample that told that good had reached planned.

The rows of a page only: a segment is an hour at most, and its end is as near as stored segments tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.shapes.orders import OrderRow
from cloud_api.interpret.rounding import measured
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us
from shared.units import hours_in


def with_completion(
    connection: Connection[Any], question: Question, rows: Sequence[OrderRow]
) -> list[OrderRow]:
    """The rows, those that are done with the instant that their counter told."""
    machines = {(one.site, one.name): one.machine_id for one in question.machines}
    found: dict[tuple[str, str], datetime] = {}
    for site in {row.site for row in rows}:
        done = [
            (row, machines[site, row.machine])
            for row in rows
            if row.site == site and row.state == "done" and row.machine is not None
        ]
        for order, time in _reached(connection, done).items():
            found[site, order] = time
    return [_told(row, found) for row in rows]


def _reached(connection: Connection[Any], done: Sequence[tuple[OrderRow, int]]) -> Mapping[str, datetime]:
    if not done:
        return {}
    places = {row.order: machine_id for row, machine_id in done}
    parameters = {
        "orders": list(places),
        "counted_at": list(places.values()),
        "planned": [row.planned for row, _ in done],
    }
    segments = connection.execute(statement("products.orders_done"), parameters).fetchall()
    planned = {row.order: row.planned or Decimal(0) for row, _ in done}
    asked = {
        "orders": [order for order, *_ in segments],
        "counted_at": [places[order] for order, *_ in segments],
        "begins": [begin for _, begin, *_ in segments],
        "ends": [end for _, _, end, *_ in segments],
        "good": [good for *_, good, _ in segments],
        "missing": [planned[order] - (through - good) for order, *_, good, through in segments],
    }
    return dict(connection.execute(statement("products.orders_reached"), asked).fetchall())


def _told(row: OrderRow, found: Mapping[tuple[str, str], datetime]) -> OrderRow:
    time = found.get((row.site, row.order))
    if time is None:
        return row
    late = Decimal(0)
    if row.planned_end is not None:
        late = max(late, hours_in(to_us(time) - to_us(row.planned_end)))
    return replace(row, completion=time, late_h=None if row.late_h is None else measured(late))
