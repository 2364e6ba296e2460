"""Keys as an administrator sees them: number, role, places, last use; never the key itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.answers.paging import one_page
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.keys import KeyRow, Keys
from cloud_api.store.statements import statement


def keys(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Keys:
    """Keys that reach a site of the question, oldest first. Of their sites only those of it are named."""
    seen = {site.name for site in question.sites}
    rows = [
        KeyRow(
            id=key,
            name=name,
            role=role,
            sites=None if sites is None else sorted(seen.intersection(sites)),
            lines=None if lines is None else sorted(lines),
            created_at=created,
            last_used_at=used,
            revoked_at=revoked,
        )
        for key, name, role, sites, lines, created, used, revoked in connection.execute(
            statement("access.listed")
        )
        if sites is None or seen.intersection(sites)
    ]
    page, cursor = one_page(rows, question)
    return Keys(next_cursor=cursor, rows=page)
