"""Seeded faults against the whole chain: nothing owed is lost or doubled, no hole is unexplained."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fault.chain.chain import SCAN_US, SOURCES, Chain, now_us
from tests.fault.chain.judge import faults_of, owed, read_truth
from tests.fault.chain.process import wait_for
from tests.fault.chain.schedule import schedule

MARK_US = 10_000_000
"""A source's scan marks are at most this far apart."""
SEEDS = range(10)

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(900)]


def suffered(folder: Path, seed: int) -> list[str]:
    """What the judge finds after the schedule of a seed; an empty list is what we want."""
    folder.mkdir()
    with Chain(folder, seed) as chain:
        for kind in SOURCES:
            wait_for(f"values of {kind}", lambda kind=kind: chain.watches(kind), 60, chain.agent, chain.cloud)
        for step in schedule(seed):
            chain.suffer(step)
        until_us = now_us() + 2_000_000
        for kind in SOURCES:
            wait_for(
                f"{kind} is covered through the end",
                lambda kind=kind: chain.settled_through(kind) >= until_us,
                120,
                chain.agent,
                chain.cloud,
            )
        wait_for("the backlog is in", lambda: not open_backlog(chain), 60, chain.agent, chain.cloud)
        return [f"{kind}: {fault}" for kind in SOURCES for fault in judged(chain, kind)]


def judged(chain: Chain, kind: str) -> list[str]:
    truth, rows, covered = read_truth(chain.truth_log(kind)), chain.rows(kind), chain.covered(kind)
    owing = owed(truth, covered, SCAN_US * 5 // 4 + 150_000, chain.outages[kind])
    if len(owing) < 20:
        return [f"only {len(owing)} changes were owed: the schedule proves nothing"]
    return faults_of(truth, rows, covered, chain.outages[kind], SCAN_US, MARK_US)


def open_backlog(chain: Chain) -> bool:
    """Whether a stream has a hole, or announces what the database has not got."""
    return bool(
        chain.query(
            "select 1 from streams where announced - received <> '{}' "
            "or received <> '{}' and range_merge(received)::int8multirange <> received"
        )
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_schedule_of_faults(tmp_path: Path, seed: int) -> None:
    assert suffered(tmp_path / "chain", seed) == []


def test_a_copied_buffer_loses_nothing_and_shows_the_conflict(tmp_path: Path) -> None:
    """A memory card is copied while its agent runs; the copy is started beside it."""
    (tmp_path / "chain").mkdir()
    with Chain(tmp_path / "chain", 77) as chain:
        for kind in SOURCES:
            wait_for(f"values of {kind}", lambda kind=kind: chain.watches(kind), 60, chain.agent, chain.cloud)
        shutil.copytree(
            tmp_path / "chain" / "buffer",
            tmp_path / "copy",
            ignore=shutil.ignore_patterns("*.sock", "*lock*"),
        )
        copy = chain.new_agent("copy", tmp_path / "copy")
        copy.start()
        wait_for(
            "the conflict shows",
            lambda: chain.query("select 1 from agents where conflict") != [],
            60,
            copy,
            chain.cloud,
        )
        wait_for(
            "what the copy says is set aside",
            lambda: chain.query("select 1 from set_aside where reason = 'conflict'") != [],
            60,
            copy,
            chain.cloud,
        )
        until_us = now_us() + 1_000_000
        for kind in SOURCES:
            wait_for(
                f"{kind} goes on",
                lambda kind=kind: chain.settled_through(kind) >= until_us,
                60,
                chain.agent,
                chain.cloud,
            )
        found = [fault for kind in SOURCES for fault in judged(chain, kind)]
        assert found == []
