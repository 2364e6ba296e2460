"""The polling loop: on its grid, alone with its faults, ended when asked to, whatever a library swallows."""

from __future__ import annotations

import asyncio

import pytest

from edge_agent.loops.poll import PolledSource, run_sources
from edge_agent.ports import Group, Reading, Scan
from tests.integration.edge_sources.parts import Memory, RealClock, until


class Fake:
    """A scanner that answers at once, or as told."""

    def __init__(self, name: str = "plc", groups: tuple[Group, ...] = (Group(20_000, (0,)),)) -> None:
        self.name, self.groups, self.grace_us, self.connected = name, groups, 60_000, True
        self.scanned: list[tuple[int, float]] = []
        self.takes_s = 0.0
        self.swallows = False
        self.fault: Exception | None = None
        self.closed = 0

    async def scan(self, place: int) -> Scan:
        self.scanned.append((place, asyncio.get_running_loop().time()))
        if self.fault is not None:
            raise self.fault
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            if not self.swallows:
                raise
        now_us = RealClock().now_us()
        return Scan([Reading(signal, now_us, 1.0) for signal in self.groups[place].signals])

    async def read(self, signals) -> list[Reading]:
        return []

    async def close(self) -> None:
        self.closed += 1


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 2)


async def test_scans_stay_on_their_grid_and_slow_ones_are_not_made_up_for():
    fake = Fake()
    task = asyncio.create_task(PolledSource(fake, RealClock()).run(Memory()))
    await until(lambda: len(fake.scanned) == 3)
    fake.takes_s = 0.11
    await until(lambda: len(fake.scanned) == 4)
    fake.takes_s = 0.0
    await until(lambda: len(fake.scanned) == 6)
    await ended(task)
    times = [at for _, at in fake.scanned]
    assert times[4] - times[3] >= 0.11
    assert times[5] - times[4] > 0.005, "no burst after a slow scan"
    assert fake.closed == 1


async def test_each_group_has_its_own_interval():
    fake = Fake(groups=(Group(20_000, (0,)), Group(200_000, (1, 2))))
    source = PolledSource(fake, RealClock())
    task = asyncio.create_task(source.run(Memory()))
    await until(lambda: len(fake.scanned) >= 25)
    assert source.health().configured == source.health().live == 3
    await ended(task)
    slow = sum(place for place, _ in fake.scanned)
    assert 2 <= slow <= 6


async def test_a_cancellation_that_the_library_swallows_still_ends_the_source():
    fake = Fake()
    fake.takes_s, fake.swallows = 5.0, True
    task = asyncio.create_task(PolledSource(fake, RealClock()).run(Memory()))
    await until(lambda: fake.scanned)
    await ended(task)


async def test_a_fault_in_one_source_never_ends_another(caplog):
    good, broken = Fake("good"), Fake("broken")
    broken.fault = ZeroDivisionError("a fault of ours")
    sink = Memory()
    sources = [PolledSource(fake, RealClock()) for fake in (broken, good)]
    task = asyncio.create_task(run_sources(sources, sink, RealClock()))
    await until(lambda: len(good.scanned) > 5)
    await ended(task)
    assert "the source starts again" in caplog.text
    assert sink.losses[0][1] == "source starts again"
