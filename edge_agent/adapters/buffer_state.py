"""Small files beside the segments: who this installation is, what is settled, and the dictionaries."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_agent.adapters.buffer_files import Files, read_whole, set_aside, write_whole
from edge_agent.core.seqs import Seqs
from shared import dictionary
from shared.errors import WireError

INSTANCE = "instance"
SETTLED = "settled"
_DICTIONARY = ".dictionary"
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_log = logging.getLogger(__name__)
T = TypeVar("T")


class _Instance(msgspec.Struct):
    instance: str
    machine: str


class SettledFile(msgspec.Struct):
    """streams: hex id to inclusive ranges that need not be sent. segments: ordinal to when it was settled."""

    streams: dict[str, list[tuple[int, int]]]
    segments: dict[str, int]


def machine_id() -> str:
    """What names this machine to its own system; empty where nothing does (a container)."""
    for path in _MACHINE_IDS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text:
            return text
    return ""


def instance_of(files: Files, machine: str, random_bytes: Callable[[int], bytes]) -> bytes:
    """The id of this installation: kept in the buffer, new where the buffer woke up on another machine."""
    bound_to = hashlib.sha256(b"plantledger instance " + machine.encode()).hexdigest()
    kept = _decoded(read_whole(files, INSTANCE), _Instance)
    if kept is not None and kept.machine == bound_to and len(kept.instance) == 32:
        return bytes.fromhex(kept.instance)
    if kept is not None:
        _log.warning("the buffer comes from another machine: this installation is a new instance")
    instance = random_bytes(16)
    write_whole(files, INSTANCE, msgspec.json.encode(_Instance(instance.hex(), bound_to)))
    return instance


def load_settled(files: Files) -> tuple[dict[bytes, Seqs], dict[int, int]] | None:
    """Settled seqs by stream, and since when by ordinal; None where that is not known any more."""
    kept = _decoded(read_whole(files, SETTLED), SettledFile)
    if kept is None:
        if SETTLED in files.names():
            _log.error("%s is damaged: acknowledged batches will be sent again", set_aside(files, SETTLED))
        return None
    streams = {bytes.fromhex(stream): Seqs.of(ranges) for stream, ranges in kept.streams.items()}
    return streams, {int(ordinal): at for ordinal, at in kept.segments.items()}


def save_settled(files: Files, streams: dict[bytes, Seqs], segments: dict[int, int]) -> None:
    """Replace what load_settled reads; synchronised when it returns."""
    kept = SettledFile(
        {stream.hex(): list(seqs.ranges) for stream, seqs in streams.items()},
        {str(ordinal): at for ordinal, at in segments.items()},
    )
    write_whole(files, SETTLED, msgspec.json.encode(kept))


class Dictionaries:
    """Dictionary messages by hash, each a file of its own; what cannot be written stays in memory."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._unwritten: dict[bytes, bytes] = {}

    def keep(self, content: dictionary.Dictionary) -> bytes:
        """Its hash; on disk when this returns, or else in memory until ``write`` succeeds."""
        content_hash, message = dictionary.pack(content)
        if self.find(content_hash) is None:
            self._unwritten[content_hash] = message
            try:
                self.write()
            except OSError as error:
                _log.error("dictionary %s is in memory only: %s", content_hash.hex(), error)
        return content_hash

    def write(self) -> None:
        """Try again what could not be written. Raises OSError."""
        for content_hash, message in list(self._unwritten.items()):
            write_whole(self._files, _name(content_hash), message)
            del self._unwritten[content_hash]

    def find(self, content_hash: bytes) -> bytes | None:
        """The message of a hash; None where it is not there or does not hold."""
        if content_hash in self._unwritten:
            return self._unwritten[content_hash]
        message = read_whole(self._files, _name(content_hash))
        try:
            return message if message is not None and dictionary.unpack(message)[0] == content_hash else None
        except WireError:
            return None

    def hashes(self) -> list[bytes]:
        """Of all that are kept."""
        names = [name for name in self._files.names() if name.endswith(_DICTIONARY)]
        on_disk = [bytes.fromhex(name.removesuffix(_DICTIONARY)) for name in names]
        return list(dict.fromkeys([*on_disk, *self._unwritten]))

    def forget_others(self, needed: Iterable[bytes]) -> None:
        """Delete what no segment needs any more."""
        wanted = set(needed)
        for content_hash in self.hashes():
            if content_hash not in wanted and content_hash not in self._unwritten:
                self._files.unlink(_name(content_hash))


def _name(content_hash: bytes) -> str:
    return f"{content_hash.hex()}{_DICTIONARY}"


def _decoded(content: bytes | None, kind: type[T]) -> T | None:
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
