"""The durable buffer: numbering, lanes, acks, retention, splitting, copies of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from edge_agent.adapters.buffer_files import DiskFiles
from edge_agent.adapters.buffer_state import instance_of
from edge_agent.errors import AgentError
from edge_agent.ports import Written
from shared import dictionary
from shared.batch import Gap, Lane, Pending, ScanMark, samples_of
from shared.codec import read_front
from shared.control import Ack
from shared.dictionary import Dictionary
from shared.sample import Sample
from tests.fault.edge_delivery.power import PowerDisk
from tests.unit.edge_delivery.buffers import (
    PLANT,
    T0,
    HandClock,
    batch_of,
    commit,
    one,
    opened,
    thousand_bytes,
    waiting,
)

OLD, NEW = b"o" * 16, b"n" * 16


def ack(stream: bytes, through: int, *also: tuple[int, int]) -> Ack:
    return Ack(stream.hex(), through, T0, list(also))


async def test_nothing_is_offered_before_it_is_committed() -> None:
    buffer = opened(PowerDisk(1))
    assert buffer.put(one(1.0))
    assert waiting(buffer) == []
    assert buffer.state().committed == 0
    await commit(buffer)
    assert [(each.seq, each.lane, each.rows) for each in waiting(buffer)] == [(1, Lane.LIVE, 1)]
    assert buffer.state().committed == 1


async def test_put_before_a_dictionary_is_a_mistake() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk)
    buffer._space.dictionary = None
    with pytest.raises(RuntimeError, match="use"):
        buffer.put(one(1.0))


async def test_seqs_rise_by_one_from_one_and_are_never_given_twice() -> None:
    buffer = opened(PowerDisk(1))
    for n in range(30):
        assert buffer.put(one(float(n)))
        if n % 7 == 0:
            await commit(buffer)
    await commit(buffer)
    assert [each.seq for each in waiting(buffer)] == list(range(1, 31))
    assert [next(samples_of(batch_of(each))).value for each in waiting(buffer)] == [
        float(n) for n in range(30)
    ]


async def test_acks_in_any_order_only_add() -> None:
    buffer = opened(PowerDisk(1))
    for n in range(10):
        buffer.put(one(float(n)))
    await commit(buffer)
    stream = buffer.state().stream
    buffer.acknowledge(ack(stream, 0, (4, 5), (9, 9)))
    buffer.acknowledge(ack(stream, 2))
    buffer.acknowledge(ack(stream, 1))
    assert [each.seq for each in waiting(buffer)] == [3, 6, 7, 8, 10]
    assert buffer.state().depth == 5


async def test_an_ack_settles_only_what_was_committed() -> None:
    buffer = opened(PowerDisk(1))
    buffer.put(one(1.0))
    await commit(buffer)
    buffer.acknowledge(ack(buffer.state().stream, 1 << 61, (5, 1 << 62), (-4, -2)))
    buffer.acknowledge(Ack("no hex", 1, 1))
    buffer.acknowledge(ack(b"x" * 16, 99))
    buffer.put(one(2.0))
    await commit(buffer)
    assert [each.seq for each in waiting(buffer)] == [2]


async def test_the_next_run_finds_the_backlog_under_its_old_stream() -> None:
    disk = PowerDisk(1)
    first = opened(disk, OLD)
    for n in range(5):
        first.put(one(float(n), T0 + n))
    await commit(first)
    first.acknowledge(ack(OLD, 2))
    first.close()
    second = opened(disk, NEW)
    second.put(one(9.0, T0 + 9))
    await commit(second)
    assert [(each.stream, each.seq) for each in second.unacknowledged(Lane.HISTORY, None, 99)] == [
        (OLD, 3),
        (OLD, 4),
        (OLD, 5),
    ]
    assert [(each.stream, each.seq) for each in second.unacknowledged(Lane.LIVE, None, 99)] == [(NEW, 1)]
    assert [told.ranges for told in second.state().streams] == [[(1, 5)], [(1, 1)]]


async def test_losing_the_ledger_costs_a_repeat_and_no_gap_record() -> None:
    disk = PowerDisk(1)
    first = opened(disk, OLD)
    for n in range(5):
        first.put(one(float(n)))
    await commit(first)
    first.acknowledge(ack(OLD, 5))
    first.close()
    disk.entries["settled"].cache[6] ^= 0xFF
    second = opened(disk, NEW)
    await commit(second)
    assert [each.seq for each in waiting(second)] == [1, 2, 3, 4, 5]
    assert not any(batch_of(each).gaps for each in waiting(second))


async def test_overtaking_makes_history_of_what_was_put_before() -> None:
    buffer = opened(PowerDisk(1))
    for n in range(4):
        buffer.put(one(float(n), T0 + n))
    await commit(buffer)
    buffer.acknowledge(ack(buffer.state().stream, 1))
    buffer.put(one(4.0, T0 + 4))
    assert buffer.overtake() == [Pending(T0 + 1, T0 + 5)]
    buffer.put(one(5.0, T0 + 5))
    await commit(buffer)
    assert [each.seq for each in buffer.unacknowledged(Lane.HISTORY, None, 99)] == [2, 3, 4, 5]
    assert [each.seq for each in buffer.unacknowledged(Lane.LIVE, None, 99)] == [6]
    assert buffer.oldest_us(Lane.LIVE) == T0 + 5
    assert buffer.oldest_us(Lane.HISTORY) == T0 + 1


async def test_a_cursor_goes_on_behind_what_was_taken() -> None:
    buffer = opened(PowerDisk(1))
    for n in range(20):
        buffer.put(thousand_bytes(n))
        await commit(buffer)
    seen, after = [], None
    while found := buffer.unacknowledged(Lane.LIVE, after, 3):
        seen += [each.seq for each in found]
        after = (found[-1].stream, found[-1].seq)
    assert seen == list(range(1, 21))


async def test_acknowledged_data_stays_for_a_day_and_can_be_asked_for() -> None:
    clock = HandClock()
    buffer = opened(PowerDisk(1), clock=clock)
    for n in range(14):
        buffer.put(thousand_bytes(n))
        await commit(buffer)
    stream = buffer.state().stream
    buffer.acknowledge(ack(stream, 14))
    assert waiting(buffer) == []
    assert [each.seq for each in buffer.wanted(stream, 3, 5)] == [3, 4, 5]
    clock.advance(23 * 3600)
    buffer._keep_house()
    assert [each.seq for each in buffer.wanted(stream, 1, 99)] == list(range(1, 15))
    clock.advance(2 * 3600)
    buffer._keep_house()
    kept = [each.seq for each in buffer.wanted(stream, 1, 99)]
    assert kept == list(range(kept[0], 15))
    assert 7 < kept[0] < 15
    assert not any(batch_of(each).gaps for each in waiting(buffer))


async def test_a_large_batch_is_split_before_it_is_numbered() -> None:
    buffer = opened(PowerDisk(1))
    samples = [Sample(0, T0 + n, (n * 7919 % 10007) / 7) for n in range(2000)]
    mark, gap = ScanMark(0, T0, T0 + 2000), Gap(OLD, 0, 0, 1, 2, 3, "x")
    assert buffer.put(Written(samples, [mark], [gap], [Pending(1, 2)]))
    await commit(buffer)
    parts = waiting(buffer)
    assert len(parts) > 2
    assert [each.seq for each in parts] == list(range(1, len(parts) + 1))
    assert all(len(each.message) <= 2048 for each in parts)
    assert [sample for each in parts for sample in samples_of(batch_of(each))] == samples
    assert [each.seq for each in parts if batch_of(each).marks] == [len(parts)]
    assert [each.seq for each in parts if batch_of(each).gaps] == [1]


async def test_records_without_samples_are_split_too_and_one_giant_is_refused() -> None:
    buffer = opened(PowerDisk(1))
    marks = [ScanMark(n, T0 + n * 7919 % 1009, T0 + n * 104729 % 100_003 + 2000) for n in range(1200)]
    assert buffer.put(Written((), marks))
    await commit(buffer)
    assert [mark for each in waiting(buffer) for mark in batch_of(each).marks] == marks
    before = buffer.state().bytes_waiting
    giant = "".join(chr(0x100 + k * 104729 % 0x500) for k in range(5000))
    with pytest.raises(ValueError, match="shorten"):
        buffer.put(Written([Sample(0, T0, giant)]))
    assert buffer.state().bytes_waiting == before


async def test_the_memory_in_front_is_bounded() -> None:
    buffer = opened(PowerDisk(1))
    taken = 0
    while buffer.put(thousand_bytes(taken)):
        taken += 1
    assert 14 <= taken <= 20
    await commit(buffer)
    assert buffer.put(thousand_bytes(99))
    await commit(buffer)
    assert [each.seq for each in waiting(buffer)] == list(range(1, taken + 2))


async def test_dictionaries_stay_as_long_as_a_batch_needs_them() -> None:
    clock, disk = HandClock(), PowerDisk(1)
    buffer = opened(disk, clock=clock)
    first = dictionary.pack(PLANT)[0]
    for n in range(8):
        buffer.put(thousand_bytes(n))
        await commit(buffer)
    other = Dictionary(PLANT.sources, [*PLANT.signals, *PLANT.signals])
    second = buffer.use(other)
    for n in range(8):
        buffer.put(thousand_bytes(n))
        await commit(buffer)
    assert {read_front(each.message).dictionary for each in waiting(buffer)} == {first, second}
    assert sorted(buffer.dictionaries()) == sorted([first, second])
    buffer.close()
    buffer = opened(disk, NEW, clock, plant=other)
    assert sorted(buffer.dictionaries()) == sorted([first, second])
    buffer.acknowledge(ack(b"s" * 16, 16))
    clock.advance(25 * 3600)
    buffer._keep_house()
    assert buffer.dictionaries() == [second]
    assert buffer.dictionary(first) is None
    message = buffer.dictionary(second)
    assert message is not None
    assert dictionary.unpack(message) == (second, other)


async def test_a_batch_of_the_dictionary_before_keeps_its_meaning() -> None:
    """A recorder of the old config may hand over its last rows after the new config came into use."""
    buffer = opened(PowerDisk(1))
    old = buffer.in_use()
    new = buffer.use(Dictionary(PLANT.sources, [*PLANT.signals, *PLANT.signals]))
    assert buffer.in_use() == new != old
    buffer.put(Written([Sample(0, T0, 1.0)], dictionary=old))
    buffer.put(Written([Sample(1, T0, 2.0)]))
    await commit(buffer)
    assert [read_front(each.message).dictionary for each in waiting(buffer)] == [old, new]
    assert buffer.dictionary(old or b"") is not None


async def test_committed_wakes_everyone_who_waits() -> None:
    buffer = opened(PowerDisk(1))
    waiters = [asyncio.create_task(buffer.committed()) for _ in range(3)]
    await asyncio.sleep(0)
    buffer.put(one(1.0))
    buffer.put(one(2.0))
    await commit(buffer)
    assert await asyncio.gather(*waiters) == [2, 2, 2]


async def test_run_commits_within_its_window_and_once_more_when_cancelled(tmp_path: Path) -> None:
    buffer = opened(DiskFiles(tmp_path / "buffer"))
    task = asyncio.create_task(buffer.run())
    buffer.put(one(1.0))
    assert await asyncio.wait_for(buffer.committed(), 10) == 1
    buffer.put(one(2.0))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again = opened(DiskFiles(tmp_path / "buffer"), NEW)
    assert [each.seq for each in waiting(again)] == [1, 2]
    again.close()


def test_one_process_holds_a_buffer(tmp_path: Path) -> None:
    first = DiskFiles(tmp_path / "buffer")
    with pytest.raises(AgentError, match="another process"):
        DiskFiles(tmp_path / "buffer")
    first.close()
    DiskFiles(tmp_path / "buffer").close()


def test_an_instance_is_bound_to_its_machine(tmp_path: Path) -> None:
    files = DiskFiles(tmp_path / "buffer")
    first = instance_of(files, "machine-1", os.urandom)
    assert instance_of(files, "machine-1", os.urandom) == first
    second = instance_of(files, "machine-2", os.urandom)
    assert second != first
    assert instance_of(files, "machine-2", os.urandom) == second
    files.close()


async def test_a_closed_buffer_takes_nothing() -> None:
    buffer = opened(PowerDisk(1))
    buffer.close()
    buffer.close()
    assert not buffer.put(one(1.0))
