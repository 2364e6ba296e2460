"""The raw evidence: samples as they came, in the order of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from cloud_api.answers.paging import cursor, place
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import SampleRow, Samples
from cloud_api.answers.standing import window
from cloud_api.store.statements import statement

QUALITIES = ("good", "uncertain", "bad")
ORIGINS = ("live", "history")


class _Place(msgspec.Struct, frozen=True):
    """After which sample to go on: `told` samples of this time and series were given."""

    time: datetime
    series: int
    told: int


def samples(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Samples:
    """Samples of the machines and signals asked for."""
    machines = {machine.machine_id: machine for machine in question.machines}
    series = {
        row[0]: row
        for row in connection.execute(
            statement("answers.series"),
            {
                "machines": list(machines),
                "signals": _words(question, "signal"),
                "roles": _words(question, "role"),
            },
        )
    }
    after = None if question.cursor is None else place(question.cursor, _Place)
    from_, to = window(question)
    found = connection.execute(
        statement("answers.samples"),
        {
            "series": list(series),
            "from": from_,
            "to": to,
            "after_time": after.time if after else None,
            "after_series": after.series if after else None,
            "told": after.told if after else 0,
            "limit": question.limit + 1,
        },
    ).fetchall()
    page = found[: question.limit]
    rows = []
    for time, series_id, value, text, raw, raw_text, quality, origin, source_time, received_at in page:
        _, machine_id, signal, role, item, unit = series[series_id]
        machine = machines[machine_id]
        rows.append(
            SampleRow(
                time=time,
                site=machine.site,
                machine=machine.name,
                signal=signal,
                role=role,
                item=item,
                unit=unit,
                value=text if text is not None else value,
                raw=raw_text if raw_text is not None else raw,
                quality=QUALITIES[quality],  # type: ignore[arg-type]
                origin=ORIGINS[origin],  # type: ignore[arg-type]
                source_time=source_time,
                received_at=received_at,
            )
        )
    return Samples(rows=rows, next_cursor=_next(page, after) if len(found) > len(page) else None)


def _words(question: Question, name: str) -> list[str] | None:
    words = question.names(name)
    return None if words is None else [word for word in words if word is not None]


def _next(page: list[tuple[Any, ...]], after: _Place | None) -> str:
    time, series = page[-1][:2]
    told = sum(1 for row in page if row[:2] == (time, series))
    if after is not None and (after.time, after.series) == (time, series):
        told += after.told
    return cursor(_Place(time, series, told))
