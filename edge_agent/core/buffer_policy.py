"""What the durable buffer gives up, and when: acknowledged data first, then what the policy says.

The unit is a segment (a file of the buffer). The policy decides; the buffer writes the gap record
before it deletes anything that the cloud has not acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.batch import Gap


class AtCap(StrEnum):
    """What happens when nothing acknowledged is left to delete.

    DROP_OLDEST: the oldest data goes, a gap record says so. THIN: before that, every second value of measures
    and counters goes, again and again. STOP: new data is refused, the recorder makes the gap record.
    """

    DROP_OLDEST = "drop_oldest"
    THIN = "thin"
    STOP = "stop"


MOST_PASSES = 6
"""A segment of which one value in 64 is left is dropped next."""


@dataclass(frozen=True, slots=True)
class Held:
    """One segment. size: bytes on disk. settled: nothing in it still waits for the cloud's ack.

    settled_us: when that became so. current: being written, never given up.
    """

    ordinal: int
    size: int
    settled: bool
    settled_us: int | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """need: bytes of the segment to be made. cap: of the whole buffer. free: on the disk.

    reserve: what to leave free there. floor: what the buffer may hold whatever the reserve says.
    """

    need: int
    cap: int
    free: int
    reserve: int
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Segments to delete, in order. enough: whether there is room after it."""

    delete: tuple[int, ...]
    drop: tuple[int, ...]
    enough: bool


def make_room(held: Sequence[Held], room: Room, at_cap: AtCap) -> Plan:
    """Which segments go so that a new one fits below the cap and leaves the reserve of the disk.

    The reserve alone never costs data that waits for its ack, beyond the room of the one new segment.
    """
    used = sum(segment.size for segment in held)
    freed = 0
    delete: list[int] = []
    drop: list[int] = []

    def fits(exchange: bool) -> bool:
        after = used - freed + room.need
        spares = room.free + freed - room.need >= room.reserve or after <= room.floor
        return after <= room.cap and (spares or (exchange and freed >= room.need))

    for segment in _oldest_first(held, settled=True):
        if fits(exchange=False):
            break
        delete.append(segment.ordinal)
        freed += segment.size
    if at_cap is not AtCap.STOP:
        for segment in _oldest_first(held, settled=False):
            if fits(exchange=True):
                break
            drop.append(segment.ordinal)
            freed += segment.size
    return Plan(tuple(delete), tuple(drop), fits(exchange=True))


def to_thin(held: Sequence[Held], passes: Mapping[int, int], cap: int, segment: int) -> int | None:
    """The segment that is thinned next so that none has to be dropped; None while there is room.

    That with the fewest passes, the oldest of these; not the newest two finished ones: they may soon be sent.
    """
    waiting = _oldest_first(held, settled=False)
    if sum(each.size for each in waiting) < cap - 4 * segment:
        return None
    able = [each for each in waiting[:-2] if passes.get(each.ordinal, 0) < MOST_PASSES]
    return min(able, key=lambda each: passes.get(each.ordinal, 0)).ordinal if able else None


def expired(held: Sequence[Held], now_us: int, keep_us: int, most: int = 2_000) -> tuple[int, ...]:
    """Acknowledged segments that have been kept for long enough, in case the cloud asks again.

    most: how many are kept at all, the newest; an agent that starts again and again makes many small ones.
    """
    settled = _oldest_first(held, settled=True)
    too_many = {segment.ordinal for segment in settled[: max(0, len(settled) - most)]}
    return tuple(
        segment.ordinal
        for segment in settled
        if segment.ordinal in too_many
        or (segment.settled_us is not None and now_us - segment.settled_us >= keep_us)
    )


def merged(gaps: Sequence[Gap], most: int = 100) -> list[Gap]:
    """The same losses in fewer records: runs of seqs that follow one another become one.

    Losses that never got a seq stay apart, so that their spans stay narrow; beyond ``most`` of them the
    oldest are joined.
    """
    numbered: list[Gap] = []
    for gap in sorted((gap for gap in gaps if gap.seq_from > 0), key=lambda gap: (gap.stream, gap.seq_from)):
        last = numbered[-1] if numbered else None
        follows = last is not None and last.stream == gap.stream and gap.seq_from <= last.seq_to + 1
        if last is not None and follows and not (last.signals or gap.signals):
            numbered[-1] = _joined(last, gap)
        else:
            numbered.append(gap)
    unnumbered = sorted((gap for gap in gaps if gap.seq_from <= 0), key=lambda gap: gap.from_us)
    while len(unnumbered) > most:
        unnumbered[:2] = [_joined(unnumbered[0], unnumbered[1])]
    return [*numbered, *unnumbered]


def _joined(one: Gap, other: Gap) -> Gap:
    return Gap(
        one.stream,
        min(one.seq_from, other.seq_from),
        max(one.seq_to, other.seq_to),
        min(one.from_us, other.from_us),
        max(one.to_us, other.to_us),
        one.count + other.count,
        one.reason,
        sorted({*one.signals, *other.signals}) if one.signals and other.signals else [],
    )


def _oldest_first(held: Sequence[Held], *, settled: bool) -> list[Held]:
    found = [segment for segment in held if segment.settled is settled and not segment.current]
    return sorted(found, key=lambda segment: segment.ordinal)
