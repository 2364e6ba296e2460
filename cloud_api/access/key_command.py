"""What ``cloud-api key ...`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.access import keys
from cloud_api.errors import CloudError


def create_key(
    connection: Connection[TupleRow],
    role: str,
    sites: Iterable[str] = (),
    lines: Iterable[str] = (),
    *,
    name: str = "",
) -> str:
    """Makes a key and says so; the key is the last word. Raises CloudError. The caller commits."""
    bound = sorted(set(sites))
    own = sorted(set(lines))
    text = keys.create(connection, role, bound, lines=own, name=name)
    where = f"site {', '.join(bound)}" if bound else "every site"
    where += f", line {', '.join(own)}" if own else ""
    return f"key for role {role}, {where}; it is shown only this once: {text}"


def revoke_key(connection: Connection[TupleRow], key_id: int) -> str:
    """Ends a key and says so. Raises CloudError where there is no living key of that number."""
    if not keys.revoke(connection, key_id):
        raise CloudError("no living key of that number", str(key_id), "see `cloud-api key list`")
    return f"key {key_id} is revoked"


def list_keys(connection: Connection[TupleRow]) -> str:
    """A table of every key: number, role, sites and lines, when made, last used, revoked; times in UTC."""
    layout = "{:<6}  {:<8}  {:<20}  {:<16}  {:<16}  {:<16}  {}"
    lines = [layout.format("number", "role", "sites", "made", "last used", "revoked", "name")]
    for key in keys.listed(connection):
        sites = ",".join(sorted(key.sites)) if key.sites is not None else "every"
        sites += f": {','.join(sorted(key.lines))}" if key.lines is not None else ""
        times = [_minute(at) for at in (key.created_at, key.last_used_at, key.revoked_at)]
        lines.append(layout.format(key.key_id, key.role, sites, *times, key.name).rstrip())
    return "\n".join(lines)


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at is not None else "-"
