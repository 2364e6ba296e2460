"""How much a small gateway writes to its card in a day, counted in blocks that a synchronisation touches."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_agent.adapters.buffer_files import File
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.ports import Written
from shared.control import Ack
from shared.sample import Sample
from tests.fault.edge_delivery.power import PowerDisk, PowerFile
from tests.unit.edge_delivery.buffers import T0, HandClock, commit, opened

BLOCK = 4096
METADATA = 4 * BLOCK
"""Inode, allocation, directory and journal, where names or sizes change: generous."""


@dataclass
class Counted(PowerDisk):
    """A disk that counts what reaches the medium: each touched block once a synchronisation."""

    written: int = 0
    dirty: set[tuple[int, int]] = field(default_factory=set)

    def __init__(self) -> None:
        super().__init__(1)
        self.written, self.dirty = 0, set()
        self.on_step = self._count

    def create(self, name: str) -> PowerFile:
        return Noted(self, super().create(name)._inode)

    def open(self, name: str) -> PowerFile:
        return Noted(self, super().open(name)._inode)

    def _count(self, what: str) -> None:
        if what.startswith(("create", "rename", "unlink", "sync names", "cut")):
            self.written += METADATA


class Noted(PowerFile, File):
    """A file whose writes are noted by block."""

    def write(self, offset: int, data: bytes) -> None:
        disk, grows = self._disk, offset + len(data) > self.size()
        super().write(offset, data)
        assert isinstance(disk, Counted)
        disk.dirty |= {
            (id(self._inode), at) for at in range(offset // BLOCK, (offset + len(data) - 1) // BLOCK + 1)
        }
        disk.written += METADATA * grows

    def sync(self) -> None:
        super().sync()
        assert isinstance(self._disk, Counted)
        self._disk.written += BLOCK * len(self._disk.dirty)
        self._disk.dirty.clear()


async def test_fifty_values_a_second_write_less_than_two_gigabytes_a_day() -> None:
    disk, clock = Counted(), HandClock()
    buffer = opened(disk, clock=clock, limits=BufferLimits())
    seconds = 600
    for tick in range(seconds * 4):
        clock.advance(0.25)
        for part in range(2):
            at = T0 + tick * 250_000 + part * 100_000
            assert buffer.put(Written([Sample(0, at + n, float(tick * 13 % 97 + n)) for n in range(6)]))
        await commit(buffer)
        if tick % 4 == 0:
            buffer.acknowledge(Ack(buffer.state().stream.hex(), buffer.state().committed, T0))
        buffer._keep_house()
    assert buffer.state().committed == seconds * 8
    a_day = disk.written * 86_400 / seconds
    assert 0.5e9 < a_day < 2e9, f"{a_day / 1e9:.2f} GB a day"
