"""The durable buffer in trouble: full, refused, torn, flipped. It goes on, and says what is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_files import DiskFiles
from edge_agent.adapters.buffer_segment import HEADER_BYTES, scan
from edge_agent.core.buffer_policy import AtCap
from shared.batch import Lane
from shared.control import Ack
from tests.fault.edge_delivery.power import PowerDisk
from tests.unit.edge_delivery.buffers import (
    SMALL,
    T0,
    HandClock,
    batch_of,
    commit,
    gaps,
    one,
    opened,
    thousand_bytes,
    waiting,
)

OLD, NEW = b"o" * 16, b"n" * 16


async def fill(buffer: DurableBuffer, count: int, start: int = 0) -> None:
    for n in range(start, start + count):
        assert buffer.put(thousand_bytes(n))
        await commit(buffer)


async def test_at_the_cap_the_oldest_goes_and_a_gap_record_says_so() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk)
    await fill(buffer, 100)
    await commit(buffer)
    found = waiting(buffer)
    lost = [seq for gap in gaps(buffer) for seq in range(gap.seq_from, gap.seq_to + 1)]
    held = [each.seq for each in found]
    assert lost == list(range(1, lost[-1] + 1))
    assert sorted(lost + held) == list(range(1, max(held) + 1))
    spans = [(gap.from_us, gap.to_us) for gap in gaps(buffer)]
    for gap in gaps(buffer):
        assert gap.stream == buffer.state().stream
        assert (gap.from_us, gap.signals) == (T0 + (gap.seq_from - 1) * 1_000_000, []) or gap.seq_from > 40
        assert "full" in gap.reason
    assert spans == sorted(spans)
    assert sum(gap.count for gap in gaps(buffer)) == buffer.state().dropped_rows
    assert disk.used() <= SMALL.max_bytes + 2 * SMALL.segment_bytes


async def test_at_the_cap_acknowledged_data_goes_first_and_silently() -> None:
    buffer = opened(PowerDisk(1))
    await fill(buffer, 40)
    buffer.acknowledge(Ack(buffer.state().stream.hex(), 40, T0))
    await fill(buffer, 40, 40)
    assert gaps(buffer) == []
    assert buffer.state().dropped_rows == 0
    assert [each.seq for each in waiting(buffer)] == list(range(41, 81))


async def test_a_partly_acknowledged_segment_loses_only_the_rest() -> None:
    buffer = opened(PowerDisk(1))
    await fill(buffer, 4)
    buffer.acknowledge(Ack(buffer.state().stream.hex(), 1, T0, [(3, 3)]))
    await fill(buffer, 80, 4)
    first, second = gaps(buffer)[:2]
    assert (first.seq_from, first.seq_to, first.count) == (2, 2, 1)
    assert (first.from_us, first.to_us) == (T0 + 1_000_000, T0 + 1_000_001)
    assert second.seq_from == 4


async def test_the_policy_stop_refuses_new_data_instead() -> None:
    clock = HandClock()
    buffer = opened(PowerDisk(1), clock=clock, limits=replace(SMALL, at_cap=AtCap.STOP))
    taken = 0
    for n in range(200):
        clock.advance(10.0)
        taken += buffer.put(thousand_bytes(n))
        await commit(buffer)
    assert taken < 120
    assert buffer.state().dropped_rows == 0
    assert [each.seq for each in waiting(buffer)] == list(range(1, len(waiting(buffer)) + 1))
    assert "cap" in (buffer.state().last_error or "")
    buffer.acknowledge(Ack(buffer.state().stream.hex(), 50, T0))
    clock.advance(10.0)
    await commit(buffer)
    assert buffer.put(thousand_bytes(0))
    assert buffer.state().last_error is None


@pytest.mark.parametrize("end", ["killed", "closed"])
async def test_a_finished_segment_is_known_without_reading_it(end: str) -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 45)
    if end == "closed":
        buffer.close()
    first = opened(disk, NEW)
    told = first.state().streams
    first.close()
    read: list[int] = []
    for name, inode in disk.entries.items():
        if name.endswith(".seg"):
            inode.cache = Watched(inode.cache, read)
    again = opened(disk, b"3" * 16)
    assert again.state().streams == told
    assert sum(read) < 45_000 / 4
    assert [each.seq for each in waiting(again)] == list(range(1, 46))


class Watched(bytearray):
    """Content that notes how much of it is read."""

    def __init__(self, content: bytearray, read: list[int]) -> None:
        super().__init__(content)
        self._read = read

    def __getitem__(self, where: object) -> object:
        part = super().__getitem__(where)
        self._read.append(len(part))
        return part


async def test_a_summary_that_does_not_hold_is_not_believed() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 5)
    buffer.close()
    content = disk.entries["000000000001.seg"].cache
    for place in (-1, -6, -10, -20):
        content[place] ^= 0x55
        again = opened(disk, NEW)
        assert [each.seq for each in waiting(again)] == [1, 2, 3, 4, 5]
        again.close()
        content = disk.entries["000000000001.seg"].cache


@pytest.mark.parametrize("trouble", ["full", "broken"])
async def test_a_disk_that_refuses_is_outlived_in_memory(trouble: str) -> None:
    disk, clock = PowerDisk(1), HandClock()
    buffer = opened(disk, clock=clock)
    await fill(buffer, 2)
    disk.room, disk.broken = (disk.used(), False) if trouble == "full" else (None, True)
    taken = 0
    for n in range(60):
        clock.advance(1.0)
        if not buffer.put(thousand_bytes(2 + n)):
            break
        taken += 1
        await commit(buffer)
    assert taken >= 10
    assert buffer.state().last_error is not None
    assert not buffer.put(thousand_bytes(99))
    disk.room, disk.broken = None, False
    clock.advance(10.0)
    await commit(buffer)
    assert buffer.state().last_error is None
    assert buffer.state().bytes_waiting == 0
    held = [each.seq for each in waiting(buffer)]
    lost = [seq for gap in gaps(buffer) for seq in range(gap.seq_from, gap.seq_to + 1)]
    assert sorted(held + lost) == list(range(1, max(held) + 1))
    assert not lost or trouble == "full"
    buffer.close()
    again = opened(disk, NEW, clock)
    await commit(again)
    assert [each.seq for each in again.unacknowledged(Lane.HISTORY, None, 999)] == held


async def test_a_full_disk_costs_one_segment_not_all() -> None:
    disk, clock = PowerDisk(1), HandClock()
    buffer = opened(disk, clock=clock)
    await fill(buffer, 40)
    disk.room = 0
    for n in range(30):
        clock.advance(1.0)
        buffer.put(thousand_bytes(40 + n))
        await commit(buffer)
    segments_lost = buffer.state().dropped_rows / 7
    assert segments_lost <= 2


async def test_the_reserve_of_the_disk_is_left_to_others() -> None:
    disk, clock = PowerDisk(1), HandClock()
    disk.room = 100_000
    buffer = opened(disk, clock=clock, limits=replace(SMALL, reserve_bytes=60_000))
    for n in range(100):
        clock.advance(10.0)
        buffer.put(thousand_bytes(n))
        await commit(buffer)
    assert disk.free() >= 60_000 - 2 * SMALL.segment_bytes
    assert [each.seq for each in waiting(buffer)][-1] >= 99


async def test_a_torn_tail_is_cut_and_counted() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 3)
    end = scan(bytes(disk.entries["000000000001.seg"].cache)).end
    disk.entries["000000000001.seg"].cache[end : end + 300] = b"\xa5PLR" + b"\x01" * 296
    again = opened(disk, NEW)
    await commit(again)
    assert [each.seq for each in waiting(again)] == [1, 2, 3]
    assert again.state().torn_bytes == 300
    assert scan(bytes(disk.entries["000000000001.seg"].cache)).torn == 0
    assert len(disk.entries["000000000001.seg"].cache) < end + 100
    assert gaps(again) == []


async def test_a_flipped_byte_costs_its_batch_and_a_gap_record_says_which() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 5)
    buffer.close()
    third = scan(bytes(disk.entries["000000000001.seg"].cache)).found[2]
    disk.entries["000000000001.seg"].cache[third.offset + third.size // 2] ^= 1
    again = opened(disk, NEW)
    assert [each.seq for each in again.unacknowledged(Lane.HISTORY, None, 9)] == [1, 2, 4, 5]
    await commit(again)
    (gap,) = gaps(again)
    assert (gap.stream, gap.seq_from, gap.seq_to, gap.count) == (OLD, 3, 3, 0)
    assert (gap.from_us, gap.to_us) == (T0 + 1_000_000, T0 + 3_000_001)
    assert again.state().set_aside_files == 1
    assert "000000000001.seg.bad" in disk.names()
    again.close()
    third_run = opened(disk, b"3" * 16)
    await commit(third_run)
    assert len(gaps(third_run)) == 1


async def test_a_byte_that_flips_while_running_is_noticed_when_it_is_read() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 20)
    second = scan(bytes(disk.entries["000000000001.seg"].cache)).found[1]
    disk.entries["000000000001.seg"].cache[second.offset + 60] ^= 0x80
    assert 2 not in [each.seq for each in waiting(buffer)]
    await commit(buffer)
    assert [(gap.seq_from, gap.seq_to) for gap in gaps(buffer)] == [(2, 2)]
    assert [each.seq for each in waiting(buffer)] == [1, *range(3, 22)]


async def test_a_damaged_header_costs_nothing() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 3)
    buffer.close()
    disk.entries["000000000001.seg"].cache[:HEADER_BYTES] = b"x" * HEADER_BYTES
    again = opened(disk, NEW)
    assert [each.seq for each in waiting(again)] == [1, 2, 3]


async def test_a_segment_of_noise_is_set_aside_and_the_agent_goes_on() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 30)
    buffer.close()
    disk.entries["000000000002.seg"].cache[:] = b"noise" * 100
    again = opened(disk, NEW)
    await commit(again)
    (gap,) = gaps(again)
    held = [each.seq for each in again.unacknowledged(Lane.HISTORY, None, 99)]
    assert sorted([*held, *range(gap.seq_from, gap.seq_to + 1)]) == list(range(1, 31))
    assert again.state().set_aside_files == 1


async def test_set_aside_files_do_not_pile_up() -> None:
    disk = PowerDisk(1)
    for n in range(1, 9):
        noise = disk.create(f"{n:012d}.seg")
        noise.write(0, b"noise")
    buffer = opened(disk)
    assert len([name for name in disk.names() if name.endswith(".bad")]) == 4
    assert buffer.state().set_aside_files == 8


async def test_a_repair_that_was_cut_short_is_finished() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    await fill(buffer, 3)
    buffer.close()
    disk.rename("000000000001.seg", "000000000001.seg.repaired")
    again = opened(disk, NEW)
    assert [each.seq for each in waiting(again)] == [1, 2, 3]


async def test_a_copied_buffer_runs_on_its_own(tmp_path: Path) -> None:
    """Two copies, two streams: each offers the backlog under its old name, and its own data under its own."""
    first = opened(DiskFiles(tmp_path / "a"), OLD)
    await fill(first, 3)
    first.close()
    (tmp_path / "b").mkdir()
    for path in (tmp_path / "a").iterdir():
        (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    one_run, other = (
        opened(DiskFiles(tmp_path / "a"), b"1" * 16),
        opened(DiskFiles(tmp_path / "b"), b"2" * 16),
    )
    for buffer, value in ((one_run, 1.0), (other, 2.0)):
        buffer.put(one(value))
        await commit(buffer)
    keys = [{(each.stream, each.seq) for each in waiting(buffer)} for buffer in (one_run, other)]
    assert keys[0] & keys[1] == {(OLD, 1), (OLD, 2), (OLD, 3)}
    assert keys[0] ^ keys[1] == {(b"1" * 16, 1), (b"2" * 16, 1)}
    one_run.close()
    other.close()


async def test_a_commit_that_is_cancelled_while_it_writes_is_counted() -> None:
    disk = PowerDisk(1)
    buffer = opened(disk, OLD)
    task = asyncio.create_task(buffer.run())
    for n in range(5):
        buffer.put(thousand_bytes(n))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again = opened(disk, NEW)
    assert [each.seq for each in waiting(again)] == [1, 2, 3, 4, 5]
    assert batch_of(waiting(again)[0]).times[0] == T0


async def test_a_disk_that_refuses_for_long_is_told_once_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk, clock = PowerDisk(1), HandClock()
    buffer = opened(disk, clock=clock)
    await fill(buffer, 2)
    disk.broken = True
    with caplog.at_level("INFO", "edge_agent"):
        for n in range(5):
            clock.advance(10.0)
            assert buffer.put(one(float(n)))
            await commit(buffer)
        disk.broken = False
        clock.advance(10.0)
        await commit(buffer)
    told = [record.message for record in caplog.records if "write" in record.message]
    assert len(told) == 2
    assert "cannot write (Input/output error" in told[0].replace("input", "Input")
    assert told[1] == "the buffer writes again"
