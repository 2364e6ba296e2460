"""Groups of polled signals: what they promise, and what a read that is late costs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from edge_agent.adapters.opcua_polls import EVIDENCE_AT_LEAST_US, Polls
from edge_agent.core.evidence import Instant
from tests.integration.edge_sources.parts import signal

SECOND = 1_000_000


def made(*intervals_us: int, alone: bool = False, scan_us: int = 0) -> Polls:
    signals = [replace(signal(n, "s=a"), interval_us=us) for n, us in enumerate(intervals_us)]
    return Polls(signals, alone=alone, grace_us=SECOND, scan_us=scan_us)


def test_only_what_is_read_often_enough_is_a_witness():
    assert list(made(SECOND, SECOND, 60 * SECOND).limits_us().values()) == [1_400_000]
    assert made(60 * SECOND).limits_us() == {}
    assert made(SECOND, scan_us=2 * SECOND).limits_us().popitem()[1] == 7_400_000


def test_without_a_subscription_the_quickest_group_is_read_so_often_that_it_is_one():
    limits = made(60 * SECOND, 90 * SECOND, alone=True).limits_us()
    assert list(limits.values()) == [EVIDENCE_AT_LEAST_US * 5 // 4 + 150_000]


class Watched:
    """Takes scans, ends after some of them."""

    def __init__(self, enough: int = 0) -> None:
        self.scans: list[list[int]] = []
        self.done, self._enough = asyncio.Event(), enough

    def answered(self, signals: Any, values: Any, since_us: int, now: Instant, witness: str | None) -> None:
        self.scans.append([each.index for each in signals])
        if len(self.scans) >= self._enough:
            self.done.set()


async def test_each_group_is_read_on_its_own_grid_and_a_late_answer_is_outlived():
    polls, watched, asked = made(10_000, 30_000, 10_000), Watched(8), 0
    loop = asyncio.get_running_loop()

    async def read(signals: Any) -> dict[int, Any]:
        nonlocal asked
        asked += 1
        if asked in (2, 3):
            raise TimeoutError
        return {}

    work = asyncio.create_task(polls.run(read, watched, lambda: Instant(0, loop.time())))
    await watched.done.wait()
    work.cancel()
    assert {tuple(scan) for scan in watched.scans} == {(0, 2), (1,)}
    assert asked >= 10


async def test_time_outs_beyond_the_grace_end_the_session():
    polls, now_s = made(10_000), 0.0

    async def read(signals: Any) -> dict[int, Any]:
        nonlocal now_s
        now_s += 0.6
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await polls.run(read, Watched(), lambda: Instant(0, now_s))
    assert now_s == pytest.approx(1.2)


async def test_reads_that_take_longer_than_their_interval_are_told_once(caplog: pytest.LogCaptureFixture):
    polls, watched, now_s = made(10_000), Watched(3), 0.0

    async def read(signals: Any) -> dict[int, Any]:
        nonlocal now_s
        now_s += 0.5
        return {}

    work = asyncio.create_task(polls.run(read, watched, lambda: Instant(0, now_s)))
    await watched.done.wait()
    work.cancel()
    assert [record.getMessage() for record in caplog.records] == [
        "1 polled signals from m.s0 on: reading them takes 0.5 s: choose a longer interval for them, or fewer"
    ]
