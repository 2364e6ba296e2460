"""Named SQL: ``sql/AGGREGATE.sql`` holds statements, each under a line ``-- name: WHAT``.

A line ``-- use: PART`` stands for that part of ``sql/parts.sql``: conditions that many statements share."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from cloud_api.errors import CloudError

_NAME = re.compile(r"^-- name: *([a-z0-9_]+) *$", re.MULTILINE)
_USE = re.compile(r"^ *-- use: *([a-z0-9_]+);?$", re.MULTILINE)


def statement(name: str) -> bytes:
    """Text of statement ``aggregate.what``, ready for psycopg. Raises CloudError for a name without one."""
    aggregate, _, what = name.partition(".")
    try:
        return _statements(aggregate)[what]
    except KeyError:
        raise CloudError(
            "no such SQL statement", f"store/sql/{aggregate}.sql, {what!r}", "check the name"
        ) from None


def names(aggregate: str) -> list[str]:
    """Names of the statements of one file, in its order."""
    return list(_statements(aggregate))


@cache
def _statements(aggregate: str) -> dict[str, bytes]:
    source = files("cloud_api.store") / "sql" / f"{aggregate}.sql"
    if not source.is_file():
        return {}
    parts = _NAME.split(source.read_text(encoding="utf-8"))
    found: dict[str, bytes] = {}
    for what, text in zip(parts[1::2], parts[2::2], strict=True):
        if what in found:
            raise CloudError(
                "two SQL statements of one name", f"store/sql/{aggregate}.sql, {what!r}", "rename one"
            )
        found[what] = _USE.sub(_part, text).strip().rstrip(";").encode()
    return found


def _part(use: re.Match[str]) -> str:
    return statement(f"parts.{use[1]}").decode()
