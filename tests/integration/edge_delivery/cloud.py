"""A cloud in a hundred lines: takes batches off the broker, keeps each once, acknowledges. No database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.core.seqs import Seqs
from shared import codec, dictionary
from shared.batch import Batch, samples_of
from shared.codec import Front
from shared.control import Ack, Hello, Status, Want, decode, encode
from shared.sample import Sample
from shared.topics import Kind, topic

SITE, AGENT = "columbus", "gw-1"


class FakeCloud:
    """stored: every batch once, in the order of arrival. acks: False keeps silent (and forgets nothing).

    knows: whether dictionaries are required before a batch is taken.
    """

    def __init__(self, port: int, *, acks: bool = True, needs_dictionary: bool = False) -> None:
        self.acks = acks
        self.needs_dictionary = needs_dictionary
        self.stored: dict[tuple[bytes, int], tuple[Front, Batch]] = {}
        self.arrivals: list[tuple[float, Front]] = []
        self.received: dict[bytes, Seqs] = {}
        self.dictionaries: set[bytes] = set()
        self.hellos: list[Hello] = []
        self.statuses: list[Status] = []
        self.errors: list[BaseException] = []
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._guarded
        self._client.reconnect_delay_set(0.1, 0.5)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        assert not self.errors, self.errors

    def want(self, want: Want) -> None:
        self._client.publish(topic(SITE, AGENT, Kind.WANT), encode(want), 1)

    def forget(self) -> None:
        """As a database that was restored from an empty backup."""
        with self._lock:
            self.stored.clear()
            self.received.clear()

    def samples(self) -> list[Sample]:
        with self._lock:
            return [sample for _, batch in self.stored.values() for sample in samples_of(batch)]

    def batches(self) -> list[tuple[Front, Batch]]:
        with self._lock:
            return list(self.stored.values())

    def _subscribe(self, client: paho.Client, *_: object) -> None:
        kinds = (Kind.HELLO, Kind.BATCH, Kind.DICTIONARY, Kind.STATUS)
        client.subscribe([(topic(SITE, AGENT, kind), 1) for kind in kinds])

    def _guarded(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        try:
            self._take(message.topic.rsplit("/", 1)[1], bytes(message.payload))
        except BaseException as error:
            self.errors.append(error)

    def _take(self, kind: str, payload: bytes) -> None:
        if kind == Kind.HELLO:
            self.hellos.append(decode(payload, Hello))
            for said in self.hellos[-1].streams if self.acks else ():
                self._ack(bytes.fromhex(said.stream))
        elif kind == Kind.STATUS:
            self.statuses.append(decode(payload, Status))
        elif kind == Kind.DICTIONARY:
            self.dictionaries.add(dictionary.unpack(payload)[0])
        else:
            self._take_batch(payload)

    def _take_batch(self, payload: bytes) -> None:
        front, batch = codec.unpack(payload)
        self.arrivals.append((time.monotonic(), front))
        if not self.acks:
            return
        if self.needs_dictionary and front.dictionary not in self.dictionaries:
            self.want(Want([front.dictionary.hex()]))
            return
        with self._lock:
            self.stored.setdefault((front.stream, front.seq), (front, batch))
            seqs = self.received.get(front.stream, Seqs()).with_range(front.seq, front.seq)
            for gap in batch.gaps:
                if gap.seq_from > 0:
                    held = self.received.get(gap.stream, Seqs())
                    self.received[gap.stream] = held.with_range(gap.seq_from, gap.seq_to)
            self.received[front.stream] = seqs.with_range(*seqs.ranges[0])
        self._ack(front.stream)

    def _ack(self, stream: bytes) -> None:
        seqs = self.received.get(stream, Seqs())
        through = seqs.first_missing(1) - 1
        also = [each for each in seqs.ranges if each[0] > through]
        ack = Ack(stream.hex(), through, time.time_ns() // 1000, also)
        self._client.publish(topic(SITE, AGENT, Kind.ACK), encode(ack), 1)


def eventually(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Poll until it holds; the test fails at the deadline."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "still not so at the deadline"
        time.sleep(0.02)
