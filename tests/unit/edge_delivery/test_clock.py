"""Clocks that are wrong, set, or in the past: nothing is reordered, nothing lost, nothing leaves undated."""

from __future__ import annotations

from itertools import pairwise

import pytest

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.app import clock as app_clock
from edge_agent.app.clock import SystemClock
from edge_agent.core.evidence import Instant, break_between
from edge_agent.core.timeline import SLEW, Evidence, Timeline, is_believable
from edge_agent.ports import Written
from shared.batch import Gap, Lane, Pending, ScanMark, samples_of
from shared.sample import Quality, Sample
from tests.fault.edge_delivery.power import PowerDisk
from tests.unit.edge_delivery.buffers import T0, HandClock, batch_of, commit, opened, waiting

HOUR_US = 3_600_000_000
BOOTED_US = 40_000_000
"""A wall clock in 1970: 40 s since boot."""


@pytest.mark.parametrize("step_us", [HOUR_US, -HOUR_US])
def test_a_wall_clock_that_is_set_moves_no_stamp(step_us: int, monkeypatch: pytest.MonkeyPatch) -> None:
    wall_us, steady_s = [T0], [100.0]
    monkeypatch.setattr(app_clock, "_wall_us", lambda: wall_us[0])
    monkeypatch.setattr(app_clock, "_steady_s", lambda: steady_s[0])
    monkeypatch.setattr(app_clock, "_synchronised", lambda: False)
    clock, stamps = SystemClock(), []
    for turn in range(100):
        steady_s[0] += 1.0
        wall_us[0] += 1_000_000 + (step_us if turn == 50 else 0)
        stamps.append(Instant(clock.now_us(), steady_s[0]))
    assert [each.at_us for each in stamps] == [T0 + n * 1_000_000 for n in range(1, 101)]
    assert all(break_between(one, other, 3_000_000) is None for one, other in pairwise(stamps))


def test_a_better_clock_is_followed_slowly_and_never_backwards() -> None:
    for error_us in (60_000_000, -60_000_000):
        line = Timeline(T0, 0.0)
        line.follow(error_us, 0.0)
        times = [line.at_us(second / 10) for second in range(1000)]
        assert all(90_000 < after - before < 110_000 for before, after in pairwise(times))
        assert abs(times[-1] - (T0 + 99_900_000)) <= 99_900_000 * SLEW + 1
        assert abs(line.at_us(10_000.0) - (T0 + 10_000_000_000 + error_us)) < 2
    line = Timeline(T0, 5.0)
    assert line.at_us(4.0) == T0


def test_a_clock_is_believed_for_what_speaks_for_it() -> None:
    def believed(wall_us: int = T0, **of: object) -> bool:
        known = {"synchronised": False, "battery": False, "booted_s": 30.0, "earliest_us": T0 - 1}
        return is_believable(wall_us, Evidence(**{**known, **of}))  # type: ignore[arg-type]

    assert believed()
    assert believed(0, synchronised=True)
    assert not believed(0)
    assert not believed(newest_us=T0 - HOUR_US)
    assert believed(newest_us=T0 - HOUR_US, battery=True)
    assert believed(newest_us=T0 - HOUR_US, booted_s=86_400.0)
    assert not believed(newest_us=T0 + 1, battery=True, booted_s=86_400.0)


def run(
    disk: PowerDisk, stream: bytes, wall_us: int, boot: str, since_boot_us: int, *, believed: bool = False
) -> tuple[DurableBuffer, HandClock]:
    clock = HandClock()
    clock.wall_us = wall_us
    buffer = opened(disk, stream, clock)
    buffer.stamps.begin(boot, wall_us - since_boot_us, believed=believed)
    return buffer, clock


def full(at_us: int, stream: bytes) -> Written:
    """A sample, a mark, a gap and a pending record, all around one instant."""
    return Written(
        [Sample(0, at_us, 1.0, source_time_us=5)],
        [ScanMark(0, at_us - 9, at_us)],
        [Gap(stream, 0, 0, at_us - 5, at_us - 3, 1, "full")],
        [Pending(at_us - 7, at_us - 6)],
    )


async def test_what_a_gateway_saw_in_1970_leaves_with_its_true_time() -> None:
    disk, stream = PowerDisk(1), b"a" * 16
    buffer, clock = run(disk, stream, BOOTED_US, "boot-1", BOOTED_US)
    assert buffer.put(full(clock.now_us(), stream))
    await commit(buffer)
    assert (buffer.shift_us(), waiting(buffer), buffer.wanted(stream, 1, 1)) == (None, [], [])
    assert buffer.state().depth == 1
    assert buffer.oldest_us(Lane.LIVE) is None
    buffer.stamps.learn(T0 - BOOTED_US)
    buffer.stamps.learn(17)
    (stored,) = waiting(buffer)
    batch = batch_of(stored)
    assert [(s.time_us, s.source_time_us) for s in samples_of(batch)] == [(T0, 5)]
    assert batch.marks == [ScanMark(0, T0 - 9, T0)]
    assert (batch.gaps[0].from_us, batch.gaps[0].to_us) == (T0 - 5, T0 - 3)
    assert batch.pending == [Pending(T0 - 7, T0 - 6)]
    assert (stored.oldest_us, stored.newest_us) == (T0, T0)


async def test_a_run_that_ended_before_it_knew_the_time_is_dated_by_the_next_of_its_boot() -> None:
    disk, old, new = PowerDisk(1), b"a" * 16, b"b" * 16
    first, clock = run(disk, old, BOOTED_US, "boot-1", BOOTED_US)
    first.put(Written([Sample(0, clock.now_us(), 1.0)]))
    await commit(first)
    later, _ = run(disk, new, T0 + 100_000_000, "boot-1", BOOTED_US + 100_000_000, believed=True)
    (stored,) = waiting(later)
    assert [s.time_us for s in samples_of(batch_of(stored))] == [T0]
    third, _ = run(disk, b"c" * 16, T0 - HOUR_US, "boot-1", BOOTED_US + 200_000_000)
    assert third.shift_us() == HOUR_US + 200_000_000, "the time since boot tells better than the wall"
    assert [s.time_us for s in samples_of(batch_of(waiting(third)[0]))] == [T0]


async def test_what_a_run_learnt_of_the_time_holds_for_its_boot() -> None:
    disk = PowerDisk(1)
    first, clock = run(disk, b"a" * 16, BOOTED_US, "boot-1", BOOTED_US)
    first.put(Written([Sample(0, clock.now_us(), 1.0)]))
    await commit(first)
    first.stamps.learn(T0 - BOOTED_US)
    later, _ = run(disk, b"b" * 16, BOOTED_US + 7, "boot-1", BOOTED_US + 7)
    assert later.shift_us() == T0 - BOOTED_US
    assert run(disk, b"c" * 16, BOOTED_US, "boot-2", BOOTED_US)[0].shift_us() is None


async def test_a_boot_whose_time_was_never_known_ends_before_the_next_and_is_uncertain() -> None:
    disk = PowerDisk(1)
    for stream, wall_us, boot in ((b"a" * 16, BOOTED_US, "boot-1"), (b"b" * 16, T0 - HOUR_US, "boot-2")):
        buffer, clock = run(disk, stream, wall_us, boot, BOOTED_US)
        buffer.put(Written([Sample(0, clock.now_us(), 1.0), Sample(0, clock.now_us() + 5, 2.0)]))
        await commit(buffer)
    later, _ = run(disk, b"c" * 16, T0, "boot-3", BOOTED_US, believed=True)
    found = [list(samples_of(batch_of(stored))) for stored in waiting(later)]
    booted_us = T0 - BOOTED_US
    assert [(s.time_us, s.quality) for s in found[0]] == [
        (booted_us - 5, Quality.UNCERTAIN),
        (booted_us, Quality.UNCERTAIN),
    ]
    assert [(s.time_us, s.quality) for s in found[1]] == [
        (T0 - HOUR_US, Quality.GOOD),
        (T0 - HOUR_US + 5, Quality.GOOD),
    ]


async def test_a_damaged_file_of_stamps_costs_no_data() -> None:
    disk, stream = PowerDisk(1), b"a" * 16
    buffer, clock = run(disk, stream, BOOTED_US, "boot-1", BOOTED_US)
    buffer.put(Written([Sample(0, clock.now_us(), 1.0)]))
    await commit(buffer)
    disk.entries["stamps"].cache[5] ^= 0x55
    later, _ = run(disk, b"b" * 16, T0, "boot-1", BOOTED_US, believed=True)
    assert len(waiting(later)) == 1
    assert "stamps.bad" in disk.names()


async def test_spans_of_another_stream_are_told_by_the_true_time() -> None:
    disk = PowerDisk(1)
    old, clock = run(disk, b"a" * 16, T0, "boot-1", BOOTED_US, believed=True)
    old.put(Written([Sample(0, T0, 1.0)]))
    await commit(old)
    buffer, clock = run(disk, b"b" * 16, BOOTED_US, "boot-2", BOOTED_US)
    buffer.put(Written([Sample(0, clock.now_us(), 1.0)]))
    await commit(buffer)
    buffer.stamps.learn(T0 + HOUR_US - BOOTED_US)
    buffer.put(Written((), (), (), buffer.overtake()))
    await commit(buffer)
    told = [span for stored in waiting(buffer) for span in batch_of(stored).pending]
    assert told == [Pending(T0, T0 + 1), Pending(T0 + HOUR_US, T0 + HOUR_US + 1)]
