"""An agent as ingest sees it: messages with chosen identity, streams and seqs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from cloud_api.ingest.intake import Reply
from cloud_api.ingest.message import Message
from shared import codec, dictionary
from shared.batch import Gap, Lane, Pending, ScanMark, batch_of
from shared.control import Ack, Hello, Status, StreamRange, Want, decode, encode
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Quality, Sample
from shared.topics import Kind, parse, topic

HOUR_US = 3_600_000_000
SIGNALS = Dictionary(
    [SourceEntry("press-plc", "opcua"), SourceEntry("pack-plc", "modbus-tcp")],
    [
        SignalEntry("press-1", "state", Role.STATE, 0, "stamping", raw=True, map={"1": "running"}),
        SignalEntry("press-1", "good_count", Role.GOOD_COUNT, 0, "stamping", width=16),
        SignalEntry("packer-1", "energy", Role.ENERGY, 1, "packing", unit="kWh", scale=0.1, raw=True),
    ],
)
STATE, GOOD, ENERGY = range(3)
PRESS, PACK = range(2)


def now_us() -> int:
    return int(time.time() * 1e6)


def sample(
    signal: int, time_us: int, value: float | str | None, quality: Quality = Quality.GOOD, **more: Any
) -> Sample:
    return Sample(signal, time_us, value, quality, **more)


@dataclass
class Gateway:
    """One run of one installation."""

    site: str = "columbus"
    agent: str = "gw-1"
    instance: bytes = field(default_factory=lambda: os.urandom(16))
    start: bytes = field(default_factory=lambda: os.urandom(16))
    signals: Dictionary = SIGNALS

    def again(self) -> Gateway:
        """The next run of the same installation."""
        return Gateway(self.site, self.agent, self.instance)

    def message(self, kind: Kind, payload: bytes, *, retained: bool = False) -> Message:
        return Message(topic(self.site, self.agent, kind), payload, retained)

    def dictionary(self) -> Message:
        return self.message(Kind.DICTIONARY, dictionary.pack(self.signals)[1])

    def batch(
        self,
        seq: int,
        samples: Iterable[Sample] = (),
        *,
        marks: Iterable[ScanMark] = (),
        gaps: Iterable[Gap] = (),
        pending: Iterable[Pending] = (),
        stream: bytes | None = None,
    ) -> Message:
        columns = batch_of(dictionary.pack(self.signals)[0], samples, marks, gaps, pending)
        payload = codec.message(
            codec.pack(columns),
            lane=Lane.LIVE,
            stream=stream or self.start,
            seq=seq,
            instance=self.instance,
            start=self.start,
        )
        return self.message(Kind.BATCH, payload)

    def hello(self, counter: int = 1, ranges: Iterable[tuple[bytes, list[tuple[int, int]]]] = ()) -> Message:
        streams = [StreamRange(stream.hex(), held) for stream, held in ranges]
        said = Hello(
            self.instance.hex(),
            self.start.hex(),
            counter,
            "0.1.0",
            "c0ffee",
            now_us(),
            streams,
            [dictionary.pack(self.signals)[0].hex()],
        )
        return self.message(Kind.HELLO, encode(said))

    def status(
        self, counter: int, *, online: bool = True, will: bool = False, retained: bool = False, **more: Any
    ) -> Message:
        said = Status(self.instance.hex(), self.start.hex(), counter, online, now_us(), will=will, **more)
        return self.message(Kind.STATUS, encode(said), retained=retained)


def acks(replies: Iterable[Reply]) -> dict[str, tuple[int, list[tuple[int, int]]]]:
    """(through, also) by stream, the last one told."""
    told = {}
    for reply in replies:
        if (place := parse(reply.topic)) and place[2] is Kind.ACK:
            ack = decode(reply.payload, Ack)
            told[ack.stream] = ack.through, ack.also
    return told


def wants(replies: Iterable[Reply]) -> list[Want]:
    """What is asked for."""
    return [
        decode(reply.payload, Want)
        for reply in replies
        if (place := parse(reply.topic)) and place[2] is Kind.WANT
    ]


def rows(url: str, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    """Rows of a query on the side."""
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), arguments or None).fetchall()
