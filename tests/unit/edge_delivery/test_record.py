"""From readings to batches: what is reported, what vouches for it, and what happens when there is no room."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Sequence

import pytest

from edge_agent.core.report import ReportRule
from edge_agent.loops.record import Recorded, Recorder, RecordLimits
from edge_agent.ports import BufferState, Reading, Written
from shared.batch import Pending, ScanMark
from shared.sample import Quality, Sample
from tests.unit.edge_delivery.buffers import T0, HandClock

S = b"s" * 16
SECOND = 1_000_000


class NoteBuffer:
    """Notes what it is given; full: takes nothing; broken: says that it cannot be encoded."""

    def __init__(self) -> None:
        self.batches: list[Written] = []
        self.full = False
        self.broken = False

    def put(self, written: Written) -> bool:
        if self.broken:
            raise ValueError("too large")
        if not self.full:
            self.batches.append(written)
        return not self.full

    def in_use(self) -> bytes:
        return b"d" * 16

    def state(self) -> BufferState:
        return BufferState(S, 0, 0, 0, 0, None, 0, 0)

    def samples(self) -> list[Sample]:
        return [sample for batch in self.batches for sample in batch.samples]

    def marks(self) -> list[ScanMark]:
        return [mark for batch in self.batches for mark in batch.marks]


class Plant:
    """A recorder of two sources: plc-a (index 0) has signals 0 and 1, plc-b (index 1) has signal 2."""

    def __init__(self, **limits: float) -> None:
        self.clock, self.buffer = HandClock(), NoteBuffer()
        rules = [ReportRule(), ReportRule(deadband=0.5), ReportRule()]
        sources = ["plc-a", "plc-a", "plc-b"]
        signals = [
            Recorded(n, source, rule) for n, (source, rule) in enumerate(zip(sources, rules, strict=True))
        ]
        self.recorder = Recorder(
            self.buffer, self.clock, {"plc-a": 0, "plc-b": 1}, signals, RecordLimits(**limits)
        )

    def see(self, *readings: Reading, source: str = "plc-a", full: bool = False) -> None:
        self.recorder.readings(source, readings, full=full)

    def flush(self, seconds: float = 1.0) -> Written | None:
        before = len(self.buffer.batches)
        self.clock.advance(seconds)
        self.recorder.flush()
        return self.buffer.batches[-1] if len(self.buffer.batches) > before else None


def at(seconds: float) -> int:
    return T0 + int(seconds * SECOND)


def values(samples: Sequence[Sample]) -> list[tuple[int, object]]:
    return [(sample.signal, sample.value) for sample in samples]


def test_only_changes_are_reported_and_all_of_a_full_read() -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), 5.0), Reading(1, at(0), 1.0))
    plant.see(Reading(0, at(1), 5.0), Reading(1, at(1), 1.4))
    plant.see(Reading(0, at(2), 6.0), Reading(1, at(2), 1.6))
    plant.see(Reading(0, at(3), 6.0), Reading(1, at(3), 1.6), full=True)
    written = plant.flush()
    assert written is not None
    assert values(written.samples) == [(0, 5.0), (1, 1.0), (0, 6.0), (1, 1.6), (0, 6.0), (1, 1.6)]


def test_two_samples_of_a_signal_never_share_an_instant() -> None:
    """Full reads that repeat a source time, a loss at the last good scan, a clock set back."""
    plant = Plant()
    for full in (False, True, True):
        plant.see(Reading(0, at(1), 5.0), full=full)
    plant.recorder.lost("plc-a", at(1), "gone")
    plant.see(Reading(0, at(1), 5.0), full=True)
    plant.flush()
    plant.recorder.overtake([Pending(at(0), at(1))])
    plant.flush()
    plant.recorder.overtake([Pending(at(0), at(1))])
    plant.flush()
    plant.see(Reading(0, at(0), 6.0))
    plant.flush()
    times = [sample.time_us for sample in plant.buffer.samples() if sample.signal == 0]
    assert times == [*range(at(1), at(1) + 7), at(0)]


def test_integers_become_numbers_and_texts_stay() -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), 7, raw=3), Reading(1, at(0), "running", raw="R"))
    written = plant.flush()
    assert written is not None
    assert [(type(each.value), type(each.raw)) for each in written.samples] == [(float, float), (str, str)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_becomes_bad_and_keeps_its_raw(value: float) -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), value))
    written = plant.flush()
    assert written is not None
    (sample,) = written.samples
    assert (sample.value, sample.quality) == (None, Quality.BAD)
    assert isinstance(sample.raw, float)
    assert not math.isfinite(sample.raw)


def test_a_text_without_end_is_cut_and_uncertain() -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), "x" * 5000, raw="y" * 5000))
    written = plant.flush()
    assert written is not None
    (sample,) = written.samples
    assert (len(str(sample.value)), len(str(sample.raw)), sample.quality) == (1000, 1000, Quality.UNCERTAIN)
    assert plant.recorder.counters.mended == 1


def test_a_time_out_of_range_is_replaced_by_now() -> None:
    plant = Plant()
    plant.see(Reading(0, 1 << 62, 1.0, source_time_us=-(1 << 62)))
    written = plant.flush()
    assert written is not None
    (sample,) = written.samples
    assert (sample.time_us, sample.source_time_us, sample.quality) == (T0, None, Quality.UNCERTAIN)


def test_a_mark_travels_with_the_samples_it_vouches_for() -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), 1.0))
    plant.recorder.scanned("plc-a", at(0), at(1))
    plant.recorder.scanned("plc-a", at(1), at(2))
    written = plant.flush()
    assert written is not None
    assert written.marks == [ScanMark(0, at(0), at(2))]


def test_a_quiet_source_is_proven_by_marks_without_samples() -> None:
    plant = Plant(mark_s=5.0)
    plant.flush(0.1)
    for second in range(12):
        plant.recorder.scanned("plc-a", at(second), at(second + 1))
        plant.recorder.scanned("plc-b", at(second), at(second + 1))
        plant.flush(1.0)
    marks = [mark for mark in plant.buffer.marks() if mark.source == 0]
    assert marks[0].from_us == at(0)
    assert all(before.to_us == after.from_us for before, after in itertools.pairwise(marks))
    assert marks[-1].to_us >= at(10)
    assert len(plant.buffer.batches) <= 4
    assert all({mark.source for mark in batch.marks} == {0, 1} for batch in plant.buffer.batches)


def test_a_hole_between_scans_stays_a_hole() -> None:
    plant = Plant()
    plant.recorder.scanned("plc-a", at(0), at(1))
    plant.recorder.scanned("plc-a", at(3), at(4))
    plant.recorder.scanned("plc-a", at(9), at(8))
    written = plant.flush()
    assert written is not None
    assert written.marks == [ScanMark(0, at(0), at(1)), ScanMark(0, at(3), at(4))]


def test_a_lost_source_is_bad_from_its_last_good_scan_on_and_proven_until_then() -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), 1.0), Reading(1, at(0), 2.0))
    plant.recorder.scanned("plc-a", at(0), at(4))
    plant.recorder.lost("plc-a", at(3), "no answer")
    plant.recorder.lost("plc-a", at(3), "no answer")
    written = plant.flush()
    assert written is not None
    assert written.marks == [ScanMark(0, at(0), at(3))]
    bad = [sample for sample in written.samples if sample.quality is Quality.BAD]
    assert [(each.signal, each.time_us, each.value) for each in bad] == [(0, at(3), None), (1, at(3), None)]
    plant.see(Reading(0, at(9), 1.0), full=True)
    plant.recorder.lost("plc-a", at(10), "again")
    written = plant.flush()
    assert written is not None
    assert len([sample for sample in written.samples if sample.quality is Quality.BAD]) == 2


def test_a_loss_touches_no_other_source() -> None:
    plant = Plant()
    plant.see(Reading(2, at(0), 3.0), source="plc-b")
    plant.recorder.lost("plc-a", at(0), "no answer")
    written = plant.flush()
    assert written is not None
    assert [sample.signal for sample in written.samples if sample.quality is Quality.BAD] == [0, 1]


def test_overtaking_tells_what_is_pending_and_reads_everything() -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), 1.0), Reading(1, at(0), 2.0))
    plant.see(Reading(2, at(0), 3.0), source="plc-b")
    plant.recorder.scanned("plc-a", at(0), at(7))
    plant.flush()
    plant.recorder.lost("plc-b", at(2), "gone")
    plant.flush()
    plant.recorder.overtake([Pending(at(0), at(8))])
    written = plant.flush()
    assert written is not None
    assert written.pending == [Pending(at(0), at(8))]
    assert [(each.signal, each.time_us, each.value, each.quality) for each in written.samples] == [
        (0, at(7), 1.0, Quality.GOOD),
        (1, at(7), 2.0, Quality.GOOD),
        (2, at(2) + 1, None, Quality.BAD),
    ]
    plant.see(Reading(0, at(9), 4.0))
    written = plant.flush()
    assert written is not None
    assert (values(written.samples), written.pending) == ([(0, 4.0)], [])


def test_what_the_buffer_has_no_room_for_becomes_one_gap_and_a_full_read() -> None:
    plant = Plant(retry_s=1.0)
    plant.see(Reading(0, at(0), 1.0), Reading(1, at(0), 2.0))
    plant.see(Reading(2, at(0), 3.0), source="plc-b")
    plant.flush()
    plant.buffer.full = True
    for second in range(1, 6):
        plant.see(Reading(0, at(second), float(second * 10)))
        plant.recorder.scanned("plc-a", at(second - 1), at(second))
        assert plant.flush(0.4) is None
    assert plant.recorder.counters.refused == 5
    plant.buffer.full = False
    written = plant.flush(2.0)
    assert written is not None
    (gap,) = written.gaps
    assert (gap.stream, gap.seq_from, gap.seq_to, gap.count) == (S, 0, 0, 5)
    assert (gap.from_us, gap.signals) == (at(1), [0])
    assert gap.to_us >= at(5)
    assert values(written.samples) == [(0, 50.0), (1, 2.0)]
    assert all(at(5) <= sample.time_us <= at(5) + 1 for sample in written.samples)
    assert written.marks == [ScanMark(0, at(0), at(5))]
    plant.see(Reading(0, at(6), 60.0))
    written = plant.flush()
    assert written is not None
    assert (written.gaps, values(written.samples)) == ([], [(0, 60.0)])


def test_a_batch_that_cannot_be_encoded_is_a_gap_too() -> None:
    plant = Plant()
    plant.see(Reading(0, at(0), 1.0))
    plant.buffer.broken = True
    assert plant.flush() is None
    plant.buffer.broken = False
    written = plant.flush()
    assert written is not None
    assert "encoded" in written.gaps[0].reason


def test_very_many_rows_do_not_wait_for_the_clock() -> None:
    plant = Plant(batch_rows=100)
    plant.see(*(Reading(0, at(0) + n, float(n)) for n in range(250)))
    assert len(plant.buffer.samples()) == 250


def test_a_signal_that_the_config_does_not_know_is_passed_over() -> None:
    plant = Plant()
    plant.see(Reading(99, at(0), 1.0))
    assert plant.flush() is None


async def test_the_last_batch_is_made_when_the_recorder_ends() -> None:
    plant = Plant()
    task = asyncio.create_task(plant.recorder.run())
    await asyncio.sleep(0)
    plant.see(Reading(0, at(0), 1.0))
    plant.recorder.scanned("plc-a", at(0), at(1))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert values(plant.buffer.samples()) == [(0, 1.0)]
    assert plant.buffer.marks() == [ScanMark(0, at(0), at(1))]
