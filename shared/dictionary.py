"""The dictionary of a batch: which signal each index means. Named by the hash of its content."""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec
import zstandard

from shared.errors import WireError
from shared.roles import Fall, Role
from shared.unpacking import decompressed

HASH_BYTES = 16
MAX_PACKED = 4 * 1024 * 1024
MAX_LENGTH = 32 * 1024 * 1024
MAX_SIGNALS = 200_000


class SourceEntry(msgspec.Struct, frozen=True):
    """A source (one PLC or meter); scan marks name it by its index."""

    name: str
    type: str


class SignalEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A signal; samples name it by its index.

    source: index of its source. item: the material of a material counter. fall, rollover: what the
    config declares of a counter's falls, rollover in raw units. width, signed: bits of the raw
    integer. scale: value = raw x scale + offset. raw: whether its samples carry the raw value.
    map: raw value as text to mapped word, for the record of what was applied.
    """

    machine: str
    signal: str
    role: Role
    source: int
    line: str | None = None
    item: str | None = None
    unit: str | None = None
    fall: Fall | None = None
    rollover: int | None = None
    width: int | None = None
    signed: bool = False
    scale: float = 1.0
    offset: float = 0.0
    raw: bool = False
    map: dict[str, str] | None = None


class Dictionary(msgspec.Struct, frozen=True):
    """All sources and signals of one agent's config, in the order of their indexes."""

    sources: Annotated[list[SourceEntry], msgspec.Meta(max_length=MAX_SIGNALS)]
    signals: Annotated[list[SignalEntry], msgspec.Meta(max_length=MAX_SIGNALS)]


def pack(dictionary: Dictionary) -> tuple[bytes, bytes]:
    """(hash, message): the hash names the content, the message is what goes over MQTT."""
    body = msgspec.msgpack.encode(dictionary, order="deterministic")
    return content_hash(body), zstandard.ZstdCompressor(level=3).compress(body)


def content_hash(body: bytes) -> bytes:
    """First 16 bytes of SHA-256 over the uncompressed dictionary."""
    return hashlib.sha256(body).digest()[:HASH_BYTES]


def unpack(message: bytes) -> tuple[bytes, Dictionary]:
    """(hash, dictionary) of a message. Raises WireError for bytes that are none, or beyond the limits."""
    if len(message) > MAX_PACKED:
        raise WireError(f"dictionary of {len(message)} bytes, at most {MAX_PACKED}", "message")
    try:
        body = decompressed(message, MAX_LENGTH)
        dictionary = msgspec.msgpack.decode(body, type=Dictionary)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"no dictionary ({error})", "body") from error
    for index, signal in enumerate(dictionary.signals):
        if not 0 <= signal.source < len(dictionary.sources):
            raise WireError(f"signal names source {signal.source}, which is not there", f"signals[{index}]")
        for text in (signal.machine, signal.signal, signal.line or "", signal.item or ""):
            if "\x00" in text:
                raise WireError("name holds a NUL", f"signals[{index}]")
    return content_hash(body), dictionary
