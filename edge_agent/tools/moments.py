"""Instants as commands print them and as people give them to commands."""

from __future__ import annotations

from datetime import UTC, datetime

from edge_agent.errors import AgentError


def shown(at_us: int) -> str:
    """Microseconds since 1970, UTC, in RFC 3339; what no calendar holds stays a number."""
    seconds, us = divmod(at_us, 1_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=us)
    except (OverflowError, OSError, ValueError):
        return f"{at_us} us"
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def parsed(text: str, where: str) -> int:
    """Microseconds since 1970, UTC, of an RFC 3339 instant or date; without a zone it is UTC.

    Raises AgentError.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        mend = "write for example 2026-11-22T06:00:00Z"
        raise AgentError(f"'{text}' is no instant", where, mend) from None
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
