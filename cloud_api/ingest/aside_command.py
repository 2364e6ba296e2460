"""What ``cloud-api aside ...`` prints: messages that were set aside, and one of them in full."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.store.statements import statement

MOST_SHOWN = 200


def list_aside(connection: Connection[TupleRow], site: str | None = None) -> str:
    """A table of the newest unresolved messages, with their count by reason; times in UTC."""
    told = {"site": site, "limit": MOST_SHOWN}
    counts = connection.execute(statement("set_aside.counted"), told).fetchall()
    if not counts:
        return "nothing is set aside"
    layout = "{:>8}  {:<24}  {:<10}  {:<9}  {:>8}  {:>5}  {:<16}  {}"
    lines = [layout.format("number", "agent", "kind", "reason", "seq", "times", "received", "why")]
    for number, where, agent, kind, reason, seq, times, at, why in connection.execute(
        statement("set_aside.listed"), told
    ):
        shown = "-" if seq is None else seq
        lines.append(layout.format(number, f"{where}/{agent}", kind, reason, shown, times, _minute(at), why))
    lines.append(", ".join(f"{count} {reason}" for reason, count in counts))
    return "\n".join(lines)


def show_aside(connection: Connection[TupleRow], number: int, out: Path | None = None) -> str:
    """One message: what is known of it, and its first bytes in hex; the whole of it goes to a file.

    Raises CloudError for a number that is none, or a file that cannot be written.
    """
    row = connection.execute(statement("set_aside.one"), {"id": number}).fetchone()
    if row is None:
        raise CloudError("no message of that number is set aside", str(number), "see cloud-api aside list")
    (
        site,
        agent,
        kind,
        reason,
        detail,
        resolution,
        stream,
        seq,
        instance,
        start,
        times,
        first,
        last,
        message,
    ) = row
    lines = [
        f"{kind} of {site}/{agent}, {len(message)} bytes, received {_minute(first)} UTC"
        + (f", {times} times, last {_minute(last)} UTC" if times > 1 else ""),
        f"{reason}: {detail}",
    ]
    if resolution is not None:
        lines.append(f"resolution: {resolution}")
    if seq is not None:
        lines.append(
            f"stream {stream.hex()} seq {seq}, sent by instance {instance.hex()} start {start.hex()}"
        )
    data = bytes(message)
    lines += [f"{at:06x}  {data[at : at + 16].hex(' ')}" for at in range(0, min(len(data), 256), 16)]
    if out is not None:
        try:
            out.write_bytes(data)
        except OSError as error:
            raise CloudError(
                "cannot write the message", f"{out} ({error.strerror})", "name another file"
            ) from error
        lines.append(f"written to {out}")
    return "\n".join(lines)


def retry_aside(connection: Connection[TupleRow], number: int) -> str:
    """Has the ingest try a batch again, after what it failed on was mended. The caller commits.

    Raises CloudError for a message that is no batch, or is resolved.
    """
    if connection.execute(statement("set_aside.retry"), {"id": number}).fetchone() is None:
        raise CloudError("no unresolved batch of that number", str(number), "see cloud-api aside list")
    return f"batch {number} is tried again within seconds, while an ingest runs"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
