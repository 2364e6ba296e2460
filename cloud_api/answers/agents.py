"""Gateways: what each last told of itself, and whether it is in conflict with a copy of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import AgentRow, Agents, AgentSource
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us
from shared.control import Status


def agents(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Agents:
    """Agents of the sites asked for."""
    found = connection.execute(
        statement("answers.agents"), {"sites": [site.name for site in question.sites], "now": now}
    ).fetchall()
    return Agents(rows=[_row(*row) for row in found])


def _row(
    agent: str,
    site: str,
    instance: bytes | None,
    online: bool,
    heard_at: datetime | None,
    version: str,
    config_hash: str,
    certificate_expires_at: datetime | None,
    conflict: bool,
    said: object,
) -> AgentRow:
    status = msgspec.convert(said, Status) if said is not None else None
    return AgentRow(
        id=agent,
        site=site,
        instance=instance.hex() if instance is not None else None,
        online=online,
        heard_at=heard_at,
        version=version,
        config_hash=config_hash,
        certificate_expires=certificate_expires_at,
        stream=(status.stream or None) if status else None,
        buffer_depth=status.buffer_depth if status else None,
        buffer_days_left=status.buffer_days_left if status else None,
        lag_s=status.lag_s if status else None,
        clock_offset_s=status.clock_offset_s if status else None,
        conflict=conflict,
        sources=[
            AgentSource(
                name=source.name,
                configured=source.configured,
                live=source.live,
                connected=source.connected,
                last_scan=None if source.last_scan_us is None else from_us(source.last_scan_us),
                reason=source.reason,
            )
            for source in (status.sources if status else ())
        ],
    )
