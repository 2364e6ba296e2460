"""What came over MQTT, read as far as its bytes allow. Nothing here raises for bad bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared import codec, dictionary
from shared.batch import Batch
from shared.codec import Front
from shared.control import Hello, Status, decode
from shared.dictionary import Dictionary
from shared.errors import WireError
from shared.topics import Kind, parse
from shared.units import DAY_US, HOUR_US

OLDEST_US = 315_532_800_000_000
"""1980-01-01: the oldest time that can be true of a sample."""
AHEAD_US = HOUR_US
"""A sample more than an hour ahead of the service's clock would move every watermark: it is not believed."""
LONGEST_MARK_US = 7 * DAY_US
"""The longest span that one scan mark may claim."""
_ID = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message as it came. retained: it was kept by the broker, and says nothing of now."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(slots=True)
class Incoming:
    """A message and what could be read of it; fault says in words what could not."""

    site: str
    agent: str
    kind: Kind
    message: Message
    fault: str | None = None
    front: Front | None = None
    batch: Batch | None = None
    hello: Hello | None = None
    status: Status | None = None
    dictionary: tuple[bytes, Dictionary] | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Site and agent, as the topic says."""
        return self.site, self.agent

    @property
    def run(self) -> tuple[bytes, bytes] | None:
        """Instance and start of the sender, where the message says them."""
        if self.front is not None:
            return self.front.instance, self.front.start
        said = self.hello or self.status
        return None if said is None else (bytes.fromhex(said.instance), bytes.fromhex(said.start))


def read(message: Message, now_us: int) -> Incoming | None:
    """A message of ours, or None for one on another topic of a kind that the cloud itself sends, or empty."""
    place = parse(message.topic)
    if place is None or place[2] in (Kind.ACK, Kind.WANT) or not message.payload:
        return None
    incoming = Incoming(*place, message)
    try:
        _READERS[incoming.kind](incoming, now_us)
    except WireError as error:
        incoming.fault = str(error)
    except ValueError as error:
        incoming.fault = f"cannot be read: {error}"
    return incoming


def _batch(incoming: Incoming, now_us: int) -> None:
    incoming.front = codec.read_front(incoming.message.payload)
    if incoming.front.seq < 1:
        raise WireError("seq 0 never names a batch", "front")
    incoming.front, batch = codec.unpack(incoming.message.payload)
    _refuse_impossible_times(batch, now_us + AHEAD_US)
    incoming.batch = batch


def _hello(incoming: Incoming, now_us: int) -> None:
    hello = decode(incoming.message.payload, Hello)
    for identity in (hello.instance, hello.start, *(each.stream for each in hello.streams)):
        _refuse_other_than_id(identity)
    for each in hello.streams:
        if any(not 1 <= first <= last < 1 << 62 for first, last in each.ranges):
            raise WireError("a range is upside down or out of bounds", "streams")
    for dictionary_hash in hello.dictionaries:
        _refuse_other_than_id(dictionary_hash)
    incoming.hello = hello


def _status(incoming: Incoming, now_us: int) -> None:
    status = decode(incoming.message.payload, Status)
    for identity in (status.instance, status.start):
        _refuse_other_than_id(identity)
    incoming.status = status


def _dictionary(incoming: Incoming, now_us: int) -> None:
    incoming.dictionary = dictionary.unpack(incoming.message.payload)


_READERS = {Kind.BATCH: _batch, Kind.HELLO: _hello, Kind.STATUS: _status, Kind.DICTIONARY: _dictionary}


def _refuse_other_than_id(text: str) -> None:
    if _ID.match(text) is None:
        raise WireError(f"{text[:40]!r} is no id of 32 lower-case hex digits", "ids")


def _refuse_impossible_times(batch: Batch, latest_us: int) -> None:
    """A time that cannot be true would stretch the time line of a machine over decades."""
    spans = [(mark.from_us, mark.to_us, "scan mark") for mark in batch.marks]
    spans += [(gap.from_us, gap.to_us, "gap record") for gap in batch.gaps]
    spans += [(pending.from_us, pending.to_us, "pending record") for pending in batch.pending]
    if batch.times:
        spans.append((min(batch.times), max(batch.times), "sample"))
    for first, last, what in spans:
        if first < OLDEST_US:
            raise WireError(f"a {what} is dated before 1980", "times")
        if last > latest_us:
            raise WireError(f"a {what} is dated more than an hour ahead of the cloud's clock", "times")
    if any(mark.to_us - mark.from_us > LONGEST_MARK_US for mark in batch.marks):
        raise WireError("a scan mark claims more than a week", "marks")
