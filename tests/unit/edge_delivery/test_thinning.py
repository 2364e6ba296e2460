"""What a nearly full buffer thins out: measures and readings of counters, never what was counted or said."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.core.buffer_policy import AtCap, Held, to_thin
from edge_agent.core.thinning import Thinning
from edge_agent.ports import Written
from shared.batch import Gap, batch_of, samples_of
from shared.codec import unpack
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Quality, Sample
from tests.fault.edge_delivery.power import PowerCut, PowerDisk
from tests.unit.edge_delivery.buffers import SMALL, T0, HandClock, commit, opened, waiting

STATE, COUNT, MEASURE = 0, 1, 2
PLANT = Dictionary(
    [SourceEntry("plc", "opcua")],
    [
        SignalEntry("m", "state", Role.STATE, 0),
        SignalEntry("m", "good_count", Role.GOOD_COUNT, 0),
        SignalEntry("m", "oil", Role.MEASURE, 0),
    ],
)
THIN = replace(SMALL, at_cap=AtCap.THIN, max_bytes=160 * 1024)
TIGHT = replace(SMALL, at_cap=AtCap.THIN)
ROWS = st.lists(
    st.tuples(st.sampled_from([STATE, COUNT, MEASURE]), st.integers(0, 9), st.sampled_from(Quality)),
    max_size=60,
)


def counted(values: Sequence[float]) -> float:
    """What a counter that starts again at zero has counted."""
    return sum(after - before if after >= before else after for before, after in pairwise(values))


def passes(batches: list[list[Sample]], count: int) -> tuple[list[list[Sample]], int]:
    lost = 0
    for _ in range(count):
        thinning = Thinning(PLANT.signals)
        for rows in batches:
            thinning.look(batch_of(b"d" * 16, rows))
        thinning.keep_newest()
        made = [thinning.stays(n, batch_of(b"d" * 16, rows)) for n, rows in enumerate(batches)]
        batches = [list(samples_of(each)) for each in made]
        lost += thinning.thinned.lost_measures + thinning.thinned.lost_counters
    return batches, lost


@given(ROWS, st.integers(1, 7), st.integers(1, 3))
def test_states_and_what_is_not_good_stay_and_counts_stay_exact(
    rows: list[tuple[int, int, Quality]], size: int, count: int
) -> None:
    every = [Sample(signal, T0 + n, float(value), quality) for n, (signal, value, quality) in enumerate(rows)]
    batches = [every[at : at + size] for at in range(0, len(every), size)]
    thinned, lost = passes(batches, count)
    kept = [sample for batch in thinned for sample in batch]
    assert kept == [sample for sample in every if sample in kept]
    assert len(every) - len(kept) == lost
    assert [s for s in every if s.signal == STATE or s.quality is not Quality.GOOD] == [
        s for s in kept if s.signal == STATE or s.quality is not Quality.GOOD
    ]
    for run in runs(every):
        left = [sample.value for sample in run if sample in kept]
        assert counted([s.value for s in run]) == counted(left)  # type: ignore[misc]
        assert (run[0] in kept, run[-1] in kept) == (True, True)


def runs(samples: list[Sample]) -> list[list[Sample]]:
    """The good counter values between bad ones."""
    found: list[list[Sample]] = [[]]
    for sample in samples:
        if sample.signal == COUNT and sample.quality is Quality.GOOD:
            found[-1].append(sample)
        elif sample.signal == COUNT:
            found.append([])
    return [run for run in found if run]


def test_of_a_long_run_every_second_value_goes_with_each_pass() -> None:
    rows = [Sample(MEASURE, T0 + n, float(n)) for n in range(640)]
    batches = [rows[at : at + 10] for at in range(0, 640, 10)]
    assert [sum(map(len, passes(batches, count)[0])) for count in (1, 2, 3)] == [321, 161, 81]


def test_the_segment_with_the_fewest_passes_goes_first_and_the_newest_not_at_all() -> None:
    held = [Held(n, 10, False) for n in range(5)]
    assert to_thin(held, {}, 100, 10) is None
    assert to_thin(held, {}, 90, 10) == 0
    assert to_thin(held, {0: 1}, 90, 10) == 1
    assert to_thin(held, {0: 1, 1: 1, 2: 1}, 90, 10) == 0
    assert to_thin(held, {0: 6, 1: 6, 2: 6}, 90, 10) is None


async def told(buffer: DurableBuffer, clock: HandClock, turns: int, draw: random.Random) -> list[Sample]:
    """Put and commit by turns, as long as the power lasts; the thinning is waited for, so that it is told."""
    put: list[Sample] = []
    for n in range(turns):
        clock.advance(1.0)
        at = T0 + len(put) * 1000
        rows = [Sample(MEASURE, at + k, draw.random()) for k in range(60)]
        rows += [Sample(COUNT, at + 70, float(n)), Sample(STATE, at + 80, draw.choice(["running", "down"]))]
        assert buffer.put(Written(rows))
        put += rows
        await commit(buffer)
        if (job := buffer._space._thinning) is not None:
            finished(job)
        buffer._keep_house()
        await commit(buffer)
    return put


def finished(job: Future[Any]) -> None:
    """Wait; a cut of the power in the thread is one here."""
    error = job.exception()
    if isinstance(error, PowerCut):
        raise error


def found(buffer: DurableBuffer) -> tuple[list[Sample], list[Gap]]:
    batches = [unpack(each.message)[1] for each in waiting(buffer)]
    samples = [sample for batch in batches for sample in samples_of(batch)]
    return sorted(samples, key=lambda s: (s.time_us, s.signal)), [g for b in batches for g in b.gaps]


async def test_at_the_cap_every_state_and_count_stays_and_measures_become_sparse() -> None:
    disk, clock, draw = PowerDisk(1), HandClock(), random.Random(1)
    buffer = opened(disk, clock=clock, limits=THIN, plant=PLANT)
    put = await told(buffer, clock, 300, draw)
    kept, gaps = found(buffer)
    state = buffer.state()
    assert disk.used() <= THIN.max_bytes + 3 * THIN.segment_bytes
    assert state.dropped_by[AtCap.DROP_OLDEST] == 0
    assert 0 < state.dropped_by[AtCap.THIN] == len(put) - len(kept) == sum(gap.count for gap in gaps)
    assert [s for s in put if s.signal == STATE] == [s for s in kept if s.signal == STATE]
    assert counted([s.value for s in kept if s.signal == COUNT]) == 299  # type: ignore[misc]
    assert set(kept) <= set(put)
    assert [each.seq for each in waiting(buffer)] == list(range(1, len(waiting(buffer)) + 1))
    lost = set(put) - set(kept)
    spans = [(gap.from_us, gap.to_us) for gap in gaps if MEASURE in gap.signals]
    assert all(any(a <= s.time_us < b for a, b in spans) for s in lost if s.signal == MEASURE)
    assert all(gap.signals == [COUNT] and gap.from_us == gap.to_us for gap in gaps if COUNT in gap.signals)
    buffer.close()
    again = opened(disk, b"n" * 16, clock, THIN, PLANT)
    assert found(again)[0] == kept
    assert not [name for name in disk.names() if name.endswith(".repaired")]


async def test_where_thinning_does_not_free_enough_the_oldest_goes() -> None:
    disk, clock = PowerDisk(1), HandClock()
    buffer = opened(disk, clock=clock, limits=THIN, plant=PLANT)
    for n in range(200):
        noise = "".join(chr(0x100 + (n * 7919 + k * 104729 + k * k * 31) % 0x500) for k in range(480))
        assert buffer.put(Written([Sample(STATE, T0 + n, noise)]))
        await commit(buffer)
        if (job := buffer._space._thinning) is not None:
            job.exception()
        buffer._keep_house()
    state = buffer.state()
    assert state.dropped_by[AtCap.THIN] == 0 < state.dropped_by[AtCap.DROP_OLDEST]
    assert disk.used() <= THIN.max_bytes + 2 * THIN.segment_bytes


def thinned_until(cut_at: int | None) -> tuple[PowerDisk, list[Sample]]:
    disk, clock, draw = PowerDisk(7, cut_at), HandClock(), random.Random(3)
    put: list[Sample] = []

    async def work() -> None:
        buffer = opened(disk, clock=clock, limits=TIGHT, plant=PLANT)
        for _ in range(100):
            put.extend(await told(buffer, clock, 1, draw))

    with contextlib.suppress(PowerCut):
        asyncio.run(work())
    return disk, put


@pytest.mark.parametrize("seed", range(2))
def test_a_power_cut_while_thinning_loses_nothing_that_is_not_told(seed: int) -> None:
    whole, _ = thinned_until(None)
    began = whole.first_of("rename")
    for point in random.Random(seed).sample(range(began - 40, whole.steps), 12):
        disk, put = thinned_until(point)
        buffer = opened(disk.after_the_cut(), b"n" * 16, HandClock(), TIGHT, PLANT)
        kept, gaps = found(buffer)
        spans = [(gap.from_us, gap.to_us) for gap in gaps if MEASURE in gap.signals]
        counts = sum(gap.count for gap in gaps if gap.signals == [COUNT])
        lost = set(put) - set(kept)
        untold = [s for s in lost if s.signal == MEASURE and not any(a <= s.time_us < b for a, b in spans)]
        assert not untold
        assert sum(s.signal == COUNT for s in lost) <= counts
        assert not [s for s in lost if s.signal == STATE]
