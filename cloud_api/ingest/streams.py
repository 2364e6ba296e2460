"""Stream rows: what was received of each stream, locked and raised in the transaction of the samples."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.ingest.sequence import acknowledgement
from cloud_api.store.statements import statement
from shared.control import Ack

MOST_RANGES = 1_000
"""Ranges that one ack or want names; the rest follows with the next."""

Key = tuple[int, bytes]
"""Agent id and stream."""
Ranges = list[tuple[int, int]]
"""Inclusive."""


@dataclass
class Streams:
    """Locked stream rows of one transaction."""

    received: dict[Key, Ranges]
    new: dict[Key, set[tuple[int, int]]] = field(default_factory=dict)
    touched: set[Key] = field(default_factory=set)

    @classmethod
    def lock(cls, connection: Connection[TupleRow], wanted: Mapping[Key, bytes]) -> Streams:
        """Locks rows in the order of (agent, stream), made where they lack. wanted: sender's instance."""
        keys = sorted(wanted)
        if not keys:
            return cls({})
        told = {
            "agents": [agent_id for agent_id, _ in keys],
            "streams": [stream for _, stream in keys],
            "instances": [wanted[key] for key in keys],
        }
        connection.execute(statement("streams.add"), told)
        rows = connection.execute(statement("streams.lock"), told).fetchall()
        return cls({(agent_id, bytes(stream)): ranges(low, high) for agent_id, stream, low, high in rows})

    def take(self, key: Key, seq: int) -> bool:
        """Whether a batch is new; from now on it is received."""
        self.touched.add(key)
        new = self.new.setdefault(key, set())
        if (seq, seq) in new or _within(self.received[key], seq):
            return False
        new.add((seq, seq))
        return True

    def replace(self, key: Key, first: int, last: int) -> None:
        """A gap record counts for the seqs [first, last] that it replaces."""
        self.touched.add(key)
        self.new.setdefault(key, set()).add((first, last))

    def save(self, connection: Connection[TupleRow]) -> None:
        """Raises the rows by what was taken."""
        for key, new in sorted(self.new.items()):
            if new:
                row = connection.execute(
                    statement("streams.receive"),
                    {"agent": key[0], "stream": key[1], "seqs": multirange(new)},
                ).fetchone()
                assert row is not None
                self.received[key] = ranges(*row)

    def ack(self, key: Key, now_us: int) -> Ack:
        """What to acknowledge of a stream once this is committed."""
        through, also = acknowledgement(self.received[key])
        return Ack(key[1].hex(), through, now_us, also[:MOST_RANGES])


def ranges(low: Iterable[int], high: Iterable[int]) -> Ranges:
    """Inclusive ranges of the half-open bounds that the database tells."""
    return sorted(zip(low, (end - 1 for end in high), strict=True))


def multirange(inclusive: Iterable[tuple[int, int]]) -> str:
    """Text of an int8multirange."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in sorted(inclusive)) + "}"


def _within(known: Ranges, seq: int) -> bool:
    place = bisect_right(known, (seq, 1 << 63)) - 1
    return place >= 0 and known[place][1] >= seq
