"""Columns of history files: times on the site's clock, numbers, words and lines, many rows at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.ingest.history_files import Faults, read_columns
from cloud_api.ingest.history_rows import Targets, read_samples
from cloud_api.ingest.spool import Spool, week_start_us
from cloud_api.store.times import to_us
from cloud_api.store.wall_time import UnreadableTime, clock_to_utc, read_instant

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kathmandu",
    "UTC",
)
CLOCK = datetime(1970, 1, 1)  # noqa: DTZ001 (a wall clock has no zone)


def read(
    path: Path, text: str, zone: str | None = "Europe/Berlin"
) -> tuple[list[tuple[object, ...]], list[str]]:
    """Rows as (time, series, quality, number, word), and the faults."""
    path.write_text(text, encoding="utf-8", newline="")
    targets, faults = Targets(None, {}), Faults()
    rows: list[tuple[object, ...]] = []
    for columns in read_columns(path, faults):
        found = read_samples(columns, targets, None if zone is None else ZoneInfo(zone), faults)
        names = list(targets.numbers)
        for index, at in enumerate(found.times.tolist()):
            word = int(found.words[index])
            target = names[int(found.series[index])]
            rows.append(
                (
                    datetime.fromtimestamp(at / 1e6, UTC),
                    f"{target.machine}/{target.role}" + (f":{target.item}" if target.item else ""),
                    int(found.quality[index]),
                    float(found.numbers[index]) if found.is_number[index] else None,
                    found.strings[word] if word >= 0 else None,
                )
            )
    return rows, [str(fault).removeprefix(f"{path}:") for fault in faults.first]


def test_rows_of_every_kind_are_read(tmp_path: Path) -> None:
    rows, faults = read(
        tmp_path / "h.csv",
        "machine,role,time,value,quality\r\n"
        "m1,state,2026-07-01T08:00:00+02:00,running,Good\r\n"
        'm1,order,2026-07-01 08:00,"A ""7""",\r\n'
        "\r\n"
        "m1,material:film,2026-07-01T06:00:00.5Z, 1.5 ,uncertain\r\n"
        "m1,alarm,2026-07-01T06:00Z,guard,good\r\n"
        "m1,alarm,2026-07-01T06:01Z,3,good\r\n"
        "m1,good_count,2026-07-01T06:02Z,n/a,bad\r\n"
        "m1,reason,2026-07-01T06:02Z,,good",
    )
    at = datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert faults == []
    assert rows == [
        (at, "m1/state", 0, None, "running"),
        (at, "m1/order", 0, None, 'A "7"'),
        (at + timedelta(seconds=0.5), "m1/material:film", 1, 1.5, None),
        (at, "m1/alarm", 0, None, "guard"),
        (at + timedelta(minutes=1), "m1/alarm", 0, 3.0, None),
        (at + timedelta(minutes=2), "m1/good_count", 2, None, None),
        (at + timedelta(minutes=2), "m1/reason", 0, None, None),
    ]


def test_lines_are_counted_past_rows_of_a_wrong_length(tmp_path: Path) -> None:
    good = "2026-07-01T06:00Z,m1,good_count,1\n"
    bad = "2026-07-01T06:00Z,m1,good_count,x\n"
    short = "2026-07-01T06:00Z,m1\n"
    _, faults = read(
        tmp_path / "h.csv", "time,machine,role,value\n" + good + short + "\n" + bad + short + short + bad
    )
    assert sorted(int(fault.split(":")[0]) for fault in faults) == [3, 5, 6, 7, 8]


def test_a_time_without_offset_needs_the_zone_of_the_site(tmp_path: Path) -> None:
    text = "time,machine,role,value\n2026-07-01T06:00,m1,good_count,1\n2026-07-01T06:00Z,m1,good_count,2\n"
    rows, faults = read(tmp_path / "h.csv", text, None)
    assert [row[3] for row in rows] == [2.0]
    assert faults[0].startswith(
        "2: '2026-07-01 06:00:00' has no offset and the site's zone is not known: load the"
    )


def test_a_header_that_is_not_one_is_told(tmp_path: Path) -> None:
    for text, fault in (
        ("time,machine,role\n", "1: the column 'value' is missing"),
        ("time,machine,role,value,value\n", "1: the column 'value' stands twice"),
        ("\ntime,machine,role,value,shift\n", "2: 'shift' is not a column of a history file"),
        ("", "1: the file is empty"),
    ):
        rows, faults = read(tmp_path / "h.csv", text)
        assert rows == []
        assert faults[0].startswith(fault)


def test_windows_letters_and_utf_16_are_read(tmp_path: Path) -> None:
    text = "time,machine,role,value\n2026-07-01T06:00Z,m1,product,Träger\n"
    for encoding in ("cp1252", "utf-16"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(text.encode(encoding))
        faults = Faults()
        found = [
            read_samples(columns, Targets(None, {}), None, faults) for columns in read_columns(path, faults)
        ]
        assert [word for piece in found for word in piece.strings] == ["Träger"]


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    seconds=st.lists(st.integers(min_value=86_400, max_value=229 * 365 * 86_400), min_size=1, max_size=20),
)
def test_many_clock_times_give_what_each_gives(zone: str, seconds: list[int]) -> None:
    clocks = [CLOCK + timedelta(seconds=second) for second in seconds]
    if zone != "UTC":
        clocks += [
            datetime.fromisoformat(f"2026-{day}T{hour:02d}:40") for day in CHANGES for hour in range(24)
        ]
    us = np.array([(clock - CLOCK) // timedelta(microseconds=1) for clock in clocks], np.int64)
    found, skipped = clock_to_utc(us, ZoneInfo(zone))
    for clock, at, gone in zip(clocks, found.tolist(), skipped.tolist(), strict=True):
        assert (None if gone else at) == one(clock, ZoneInfo(zone))


def one(clock: datetime, zone: ZoneInfo) -> int | None:
    """A single time read by itself, None where it was skipped."""
    try:
        return to_us(read_instant(clock.isoformat(), zone))
    except UnreadableTime:
        return None


CHANGES = ("03-08", "03-29", "04-05", "10-04", "10-25", "11-01", "09-06", "04-04")
"""Days on which clocks change in one of the zones."""


@pytest.mark.parametrize(
    "word", ["2026-02-30", "2026-01-01T24:30", "yesterday", "1900-01-01", "2300-01-01T00:00Z", ""]
)
def test_what_is_no_instant_is_told(word: str) -> None:
    with pytest.raises(UnreadableTime):
        read_instant(word, ZoneInfo("UTC"))


def test_the_spool_gives_weeks_in_order_and_equal_rows_once(tmp_path: Path) -> None:
    header = "time,machine,role,value\n"
    first = "2026-07-06T00:00Z,m1,good_count,1\n2026-07-05T23:59Z,m1,state,running\n"
    same = "2026-07-06T00:00Z,m1,good_count,1\n"
    second = same + "2026-07-06T00:00Z,m1,good_count,2\n2026-07-07T00:00Z,m1,state,down\n"
    targets, spool, faults = Targets(None, {}), Spool(tmp_path), Faults()
    for text in (first, second, first):
        path = tmp_path / "h.csv"
        path.write_text(header + text, encoding="utf-8")
        for columns in read_columns(path, faults):
            spool.add(read_samples(columns, targets, None, faults))
    weeks = spool.weeks()
    assert [to_us(datetime(2026, 6, 29, tzinfo=UTC)), to_us(datetime(2026, 7, 6, tzinfo=UTC))] == [
        week_start_us(week) for week in weeks
    ]
    assert [len(spool.week(week)) for week in weeks] == [1, 3]
    later = spool.week(weeks[1])
    assert later["value"].tolist() == [1.0, 2.0, 0.0]
    assert [spool.strings[word] if word >= 0 else None for word in later["word"].tolist()] == [
        None,
        None,
        "down",
    ]
