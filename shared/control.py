"""Control messages: JSON, small, and the same for people who watch the broker."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from shared.errors import WireError

MAX_CONTROL = 256 * 1024
T = TypeVar("T", bound=msgspec.Struct)


class StreamRange(msgspec.Struct, frozen=True):
    """What an agent's disk holds of a stream: inclusive seq ranges, acknowledged ones included."""

    stream: str
    ranges: list[tuple[int, int]]


class Hello(msgspec.Struct, frozen=True, omit_defaults=True):
    """Said at each connect. instance, start and stream ids are 32 hex digits.

    counter: messages of this start so far, so that a late one is known as late.
    """

    instance: str
    start: str
    counter: int
    version: str
    config_hash: str
    started_us: int
    streams: list[StreamRange] = []
    dictionaries: list[str] = []
    certificate_expires_us: int | None = None


class Ack(msgspec.Struct, frozen=True):
    """Stored and committed: every seq of the stream up to `through`, and the ranges of `also`.

    All inclusive. Acks only add; `time_us` is the cloud's clock.
    """

    stream: str
    through: int
    time_us: int
    also: list[tuple[int, int]] = []


class Want(msgspec.Struct, frozen=True):
    """The cloud asks: dictionaries by hash, or seqs of a stream that the agent's disk may still hold."""

    dictionaries: list[str] = []
    stream: str | None = None
    ranges: list[tuple[int, int]] = []


class SourceStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source: configured against live signals, and why they differ where they do.

    polled: signals of an OPC UA source that are read, not reported: so configured, or the server takes no
    more.
    """

    name: str
    configured: int
    live: int
    connected: bool
    last_scan_us: int | None = None
    reason: str | None = None
    polled: int = 0


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retained state of an agent; the last will is the same with online false and counter at connect.

    buffer_depth: batches on disk that are not acknowledged. buffer_days_left: at the present rate.
    lag_s: age of the oldest sample that is not acknowledged.
    """

    instance: str
    start: str
    counter: int
    online: bool
    time_us: int
    version: str = ""
    config_hash: str = ""
    stream: str = ""
    will: bool = False
    buffer_depth: int = 0
    buffer_bytes: int = 0
    buffer_days_left: float | None = None
    lag_s: float | None = None
    clock_offset_s: float | None = None
    certificate_expires_us: int | None = None
    sources: list[SourceStatus] = []


def encode(message: msgspec.Struct) -> bytes:
    """JSON of a control message."""
    return msgspec.json.encode(message)


def decode(payload: bytes, kind: type[T]) -> T:
    """A control message out of JSON. Raises WireError for what is none, or too large."""
    if len(payload) > MAX_CONTROL:
        raise WireError(f"control message of {len(payload)} bytes, at most {MAX_CONTROL}", kind.__name__)
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"no {kind.__name__.lower()} ({error})", kind.__name__) from error
