"""What the loops speak: a source of readings, a sink for them, a durable buffer, an uplink, a clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from shared.batch import Gap, Lane, Pending, ScanMark
from shared.control import Ack, Hello, SourceStatus, Status, StreamRange, Want
from shared.dictionary import Dictionary
from shared.sample import Quality, Sample, Value


class Clock(Protocol):
    """The gateway's clocks; only the app makes a real one."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970-01-01 UTC."""

    def monotonic_s(self) -> float:
        """Seconds that never step."""

    def trusted(self) -> bool:
        """Whether the time is known; before, what is stamped does not leave the buffer."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One decoded value as a source delivers it, before the report filter.

    signal: index of the signal in the config. time_us: instant of the value by the gateway's clock
    (for a subscription: source time where trusted). raw: before map or scale, where one applies.
    source_time_us: the source's own time where it differs from time_us by more than its tolerance.
    why: plain reason of a bad value (an exception, a sentinel, a time-out), for health and logs.
    """

    signal: int
    time_us: int
    value: Value | None
    quality: Quality = Quality.GOOD
    raw: Value | None = None
    source_time_us: int | None = None
    why: str | None = None


class Sink(Protocol):
    """Where sources put what they see. Never blocks: full means dropped with a gap record and a counter."""

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        """Values in the order in which they were seen.

        full: this is a complete read of the source (after connect or recovery): every value is
        reported, also unchanged ones.
        """

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        """The source was well all through [from_us, to_us]: what did not change was seen not to."""

    def lost(self, source: str, since_us: int, reason: str) -> None:
        """Nothing is known of the source from its last good scan, since_us, on. Repeats are harmless."""


class Source(Protocol):
    """One PLC, meter or server. Owns its connection; a fault of one never reaches another."""

    name: str

    async def run(self, sink: Sink) -> None:
        """Deliver readings until cancelled; connect, reconnect and recover by itself."""

    async def read(self, signals: Sequence[int]) -> list[Reading]:
        """One direct read of these signals now, through the same connection (for the tools)."""

    def health(self) -> SourceStatus:
        """Configured against live signals, connection, last good scan, reason."""

    async def close(self) -> None:
        """Let go of the connection after a direct read."""


@dataclass(frozen=True, slots=True)
class Group:
    """Signals, by index, that are read together every interval."""

    interval_us: int
    signals: tuple[int, ...]


@dataclass(slots=True)
class Scan:
    """What one scan of a group brought. failed: signal to the reason, for those that brought nothing."""

    readings: list[Reading] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)


class Scanner(Protocol):
    """One PLC or meter that is read on request. Nothing that the device does raises."""

    @property
    def name(self) -> str: ...

    @property
    def grace_us(self) -> int: ...

    @property
    def groups(self) -> Sequence[Group]: ...

    @property
    def connected(self) -> bool: ...

    async def scan(self, place: int) -> Scan:
        """Read the group at this place now."""

    async def read(self, signals: Sequence[int]) -> list[Reading]:
        """Read these signals now, each with its value or the reason why it has none."""

    async def close(self) -> None:
        """Let go of the connection."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the recorder asks the buffer to keep: one batch, not yet numbered.

    dictionary: hash of the dictionary that its indexes mean; None for the one in use.
    """

    samples: Sequence[Sample]
    marks: Sequence[ScanMark] = ()
    gaps: Sequence[Gap] = ()
    pending: Sequence[Pending] = ()
    dictionary: bytes | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch on disk: its message as encoded by shared.codec, under the stream it was written in."""

    stream: bytes
    seq: int
    lane: Lane
    message: bytes
    rows: int
    oldest_us: int
    newest_us: int


@dataclass(frozen=True, slots=True)
class BufferState:
    """For health and status. depth and bytes_unacknowledged count what is not acknowledged.

    committed: the commit counter: batches of this run up to this seq are on disk. bytes_max: the cap.
    bytes_waiting: in memory, not yet committed. bytes_written: to disk by this run. torn_bytes: cut at start.
    dropped_by: samples given up by policy; dropped_rows is their sum.
    """

    stream: bytes
    committed: int
    depth: int
    bytes_used: int
    bytes_unacknowledged: int
    oldest_us: int | None
    dropped_rows: int
    set_aside_files: int
    last_error: str | None = None
    streams: Sequence[StreamRange] = field(default=())
    bytes_max: int = 0
    bytes_waiting: int = 0
    bytes_written: int = 0
    torn_bytes: int = 0
    dropped_by: Mapping[str, int] = field(default_factory=dict)


class Buffer(Protocol):
    """The durable buffer: disk first, publish second, delete on the cloud's ack."""

    def put(self, written: Written) -> bool:
        """Hand a batch over to the committer; False when the bounded memory in front is full."""

    async def committed(self) -> int:
        """Wait for the next group commit (fsync done); the commit counter after it."""

    def unacknowledged(self, lane: Lane, after: tuple[bytes, int] | None, limit: int) -> Sequence[Stored]:
        """Committed, not acknowledged batches of a lane in order, after (stream, seq); with true times."""

    def overtake(self) -> list[Pending]:
        """Everything put so far becomes history; the spans of it that still wait for an ack."""

    def shift_us(self) -> int | None:
        """What is added to the stamps of this run as they leave; None while that is not known."""

    def oldest_us(self, lane: Lane) -> int | None:
        """Time of the oldest committed data of a lane that waits for an ack."""

    def acknowledge(self, ack: Ack) -> None:
        """The cloud has these for good. Unknown streams and old acks are harmless."""

    def wanted(self, stream: bytes, first: int, last: int) -> Sequence[Stored]:
        """What is still on disk of a range that the cloud asks for again."""

    def settled(self, stream: bytes) -> Sequence[tuple[int, int]]:
        """Inclusive seq ranges of a stream that are still on disk though they are acknowledged."""

    def dictionary(self, content_hash: bytes) -> bytes | None:
        """The dictionary message of a hash, kept on disk as long as a batch needs it."""

    def dictionaries(self) -> list[bytes]:
        """Hashes of the dictionaries on disk."""

    def use(self, dictionary: Dictionary) -> bytes:
        """Batches from now on mean this dictionary; returns its hash."""

    def in_use(self) -> bytes | None:
        """Hash of the dictionary that batches mean now; None before ``use``."""

    def state(self) -> BufferState:
        """Depth, bytes, commit counter, errors."""

    async def run(self) -> None:
        """The committer; ends only by cancellation, after a last commit."""

    def close(self) -> None:
        """Commit what is in memory and let go of the files."""


class Uplink(Protocol):
    """The one outgoing connection. Keeps no queue of its own."""

    async def run(
        self,
        connected: Callable[[], Awaitable[None]],
        received: Callable[[Ack | Want], None],
    ) -> None:
        """Connect and reconnect with jitter until cancelled; calls connected() at each connect."""

    async def publish_batch(self, message: bytes) -> bool:
        """True once the broker took it; False when the link is down. Acceptance is not delivery."""

    async def publish_dictionary(self, message: bytes) -> bool:
        """As publish_batch."""

    async def publish_control(self, message: Hello | Status) -> bool:
        """As publish_batch; a status is retained."""

    def is_connected(self) -> bool:
        """Whether a publish has a chance now."""
