"""History files into a real database: stored once, refused whole, finished after an interruption."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from cloud_api.errors import CloudError
from cloud_api.ingest.backfill import BackfillRefused, backfill
from cloud_api.ingest.backfill_command import run
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect

HEADER = "time,machine,role,value,quality\n"
ROWS = """\
2026-03-02T06:00:00-05:00,press-1,state,running,
2026-03-02T06:00:00-05:00,press-1,product,bracket-a,good
2026-03-02T06:00:00-05:00,press-1,good_count,100,good
2026-03-02T06:30:00-05:00,press-1,good_count,160.5,uncertain
2026-03-02T07:00:00-05:00,press-1,good_count,,bad
2026-03-02T07:10:00-05:00,press-1,order,,good
2026-03-02T07:20:00-05:00,press-1,material:coil-2mm,12.25,good
2026-03-02T07:30:00-05:00,press-1,measure:oil temp,41.5,good
2026-03-02T07:31:00-05:00,press-1,measure:oil temp,cold,good
2026-03-12T07:30:00-05:00,packer-1,state,idle,good
"""


@pytest.fixture
def site(database: str) -> str:
    """A database with the example plant in it."""
    with connect(database) as connection:
        load_directory(connection, Path("configs/plants/columbus"))
    return database


@pytest.fixture
def plain_site(plain_database: str) -> str:
    with connect(plain_database) as connection:
        load_directory(connection, Path("configs/plants/columbus"))
    return plain_database


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def stored(url: str) -> list[tuple[object, ...]]:
    query = (
        "select time, machine, role, item, value, text, quality, origin "
        "from samples join series using (series_id) join machines using (machine_id) "
        "order by 1, 2, 3, 4, 5, 6"
    )
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def marks(url: str) -> list[tuple[object, ...]]:
    query = "select machine, hour from marks join machines using (machine_id) order by 1, 2"
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_every_row_is_stored_once_with_its_meaning(site: str, tmp_path: Path) -> None:
    done = backfill(site, "columbus", [written(tmp_path / "h.csv", HEADER + ROWS)])
    assert (done.read, done.stored, done.hours) == (10, 10, 3)
    rows = stored(site)
    at = datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert rows[0] == (at, "press-1", "good_count", None, 100.0, None, 0, 1)
    assert rows[1][5] == "bracket-a"
    assert rows[2][5] == "running"
    assert rows[3][4:7] == (160.5, None, 1)
    assert rows[4][4:7] == (None, None, 2)
    assert rows[5][2:7] == ("order", None, None, None, 0)
    assert rows[6][2:5] == ("material", "coil-2mm", 12.25)
    assert rows[7][2:6] == ("measure", "oil temp", 41.5, None)
    assert rows[8][2:6] == ("measure", "oil temp", None, "cold")
    with psycopg.connect(site) as connection:
        spans = connection.execute(
            "select machine, first_sample, last_sample "
            "from machine_spans join machines using (machine_id) order by 1"
        ).fetchall()
    assert spans == [
        ("packer-1", datetime(2026, 3, 12, 12, 30, tzinfo=UTC), datetime(2026, 3, 12, 12, 30, tzinfo=UTC)),
        ("press-1", at, datetime(2026, 3, 2, 12, 31, tzinfo=UTC)),
    ]
    assert marks(site) == [
        ("packer-1", datetime(2026, 3, 12, 12, tzinfo=UTC)),
        ("press-1", at),
        ("press-1", datetime(2026, 3, 2, 12, tzinfo=UTC)),
    ]


def test_the_same_again_and_a_shuffled_overlap_store_nothing_twice(site: str, tmp_path: Path) -> None:
    lines = ROWS.splitlines(keepends=True)
    half = written(tmp_path / "half.csv", HEADER + "".join(lines[:6]))
    backfill(site, "columbus", [half])
    random.Random(4).shuffle(lines)
    whole = written(tmp_path / "whole.csv", HEADER + "".join(lines) + "".join(lines[:5]))
    assert backfill(site, "columbus", [whole]).stored == 4
    before, marked = stored(site), marks(site)
    again = backfill(site, "columbus", [whole, half])
    assert (again.stored, again.hours) == (0, 0)
    assert (stored(site), marks(site)) == (before, marked)
    assert len(before) == 10


def test_every_bad_row_is_named_and_nothing_is_stored(plain_site: str, tmp_path: Path) -> None:
    bad = written(
        tmp_path / "bad.csv",
        HEADER
        + ROWS
        + "2026-03-08T02:30:00,press-1,state,running,good\n"
        + "\n"
        + "2026-03-09T02:30:00,pres-1,state,running,good\n"
        + "2026-03-09T02:30:00,press-1,stat,running,good\n"
        + 'not a time,press-1,good_count,"1,5",fine\n'
        + "2026-03-09T02:30:00,press-1,good_count,1,5,good\n"
        + "2026-03-09T02:31:00,press-1,good_count,nan,good\n"
        + "2026-03-09T02:32:00,packer-1,material,3,good\n"
        + '2026-03-09T02:33:00,press-1,good_count,"1,5",good\n',
    )
    printed: list[str] = []
    assert run(plain_site, "columbus", [bad], say=printed.append, complain=printed.append) == 1
    lines = [int(line.split(":")[1]) for line in printed[:-1]]
    assert lines == sorted(lines)
    told = {str(number): "\n".join(printed[lines.index(number) :][: lines.count(number)]) for number in lines}
    assert "was skipped by the clocks of America/New_York" in told["12"]
    assert "'pres-1' is not a machine" in told["14"]
    assert "did you mean 'press-" in told["14"]
    assert "'stat' is not a role" in told["15"]
    assert "did you mean 'state'?" in told["15"]
    assert "'not a time' is not a time" in told["16"]
    assert "'fine' is not a quality" in told["16"]
    assert "'1,5' has a comma" in told["16"]
    assert "6 cells where the header has 5" in told["17"]
    assert "'nan' is not a number" in told["18"]
    assert "19" not in told
    assert "'1,5' has a comma: write 1.5" in told["20"]
    assert printed[-1].startswith("the history has 9 mistakes, nothing was stored")
    assert stored(plain_site) == []
    assert marks(plain_site) == []
    with psycopg.connect(plain_site) as connection:
        assert connection.execute("select count(*) from series").fetchone() == (0,)


def test_only_the_first_bad_rows_are_listed_and_the_rest_counted(plain_site: str, tmp_path: Path) -> None:
    rows = "".join(f"2026-03-02T06:00:00Z,press-1,good_count,x{n}\n" for n in range(1500))
    with pytest.raises(BackfillRefused) as refused:
        backfill(plain_site, "columbus", [written(tmp_path / "h.csv", "time,machine,role,value\n" + rows)])
    assert len(refused.value.lines()) == 1001
    assert refused.value.lines()[-1] == "... and 500 more"


def test_a_row_of_the_future_is_a_mistake_among_rows_of_the_past(plain_site: str, tmp_path: Path) -> None:
    past = "".join(f"2026-03-02T06:0{n}:00Z,press-1,good_count,{n}\n" for n in range(3))
    ahead = "2199-03-02T06:00:00Z,press-1,good_count,3\n"
    path = written(tmp_path / "h.csv", "time,machine,role,value\n" + past + ahead)
    with pytest.raises(BackfillRefused) as refused:
        backfill(plain_site, "columbus", [path])
    (told,) = refused.value.lines()
    assert told.startswith(f"{path}:5: 2199-03-02T06:00Z lies in the future: mend its date or offset")
    assert stored(plain_site) == []


def test_where_most_rows_are_of_the_future_the_clock_is_doubted(plain_site: str, tmp_path: Path) -> None:
    rows = "".join(f"2199-03-02T0{n}:00:00Z,press-1,good_count,{n}\n" for n in range(3))
    path = written(tmp_path / "h.csv", "time,machine,role,value\n" + rows)
    printed: list[str] = []
    assert run(plain_site, "columbus", [path], say=lambda line: None, complain=printed.append) == 0
    (told,) = printed
    assert told.startswith(f"{path}:2: warning: 2199-03-02T00:00Z lies in the future: mend")
    assert told.endswith("(2 more like it)")
    assert len(stored(plain_site)) == 3


def test_a_time_without_offset_is_on_the_clock_of_the_site(plain_site: str, tmp_path: Path) -> None:
    text = (
        "\ufefftime;machine;role;value\r\n"
        "2026-07-01 06:00;press-1;good_count;1\r\n"
        "2026-11-01T01:30:00;press-1;good_count;2\r\n"
        "2026-11-01T01:30:00-05:00;press-1;good_count;3\r\n"
    )
    backfill(plain_site, "columbus", [written(tmp_path / "h.csv", text)])
    assert [(row[0], row[4]) for row in stored(plain_site)] == [
        (datetime(2026, 7, 1, 10, tzinfo=UTC), 1.0),
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), 2.0),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 3.0),
    ]


def test_parquet_gives_what_csv_gives(plain_site: str, tmp_path: Path) -> None:
    six, seven = datetime.fromisoformat("2026-03-02T06:00"), datetime.fromisoformat("2026-03-02T07:00")
    table = pa.table(
        {
            "time": pa.array([six, seven, None], pa.timestamp("ms")),
            "machine": ["press-1"] * 3,
            "role": ["good_count", "good_count", "state"],
            "value": ["1", "2.5", "running"],
        }
    )
    path = tmp_path / "h.parquet"
    parquet.write_table(table, path)
    with pytest.raises(BackfillRefused) as refused:
        backfill(plain_site, "columbus", [path])
    assert refused.value.lines() == [f"{path}:3: 'time' is empty: give the time"]
    parquet.write_table(table.slice(0, 2), path)
    assert backfill(plain_site, "columbus", [path]).stored == 2
    rows = "2026-03-02T06:00:00,press-1,good_count,1\n2026-03-02 12:00Z,press-1,good_count,2.5\n"
    csv = written(tmp_path / "h.csv", "time,machine,role,value\n" + rows)
    assert backfill(plain_site, "columbus", [csv]).stored == 0


def test_an_unknown_site_and_a_missing_file_are_told(plain_site: str, tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="there is no site 'ohio'"):
        backfill(plain_site, "ohio", [])
    with pytest.raises(BackfillRefused) as refused:
        backfill(plain_site, "columbus", [tmp_path / "no.csv"])
    assert "no.csv:1: the file cannot be read" in refused.value.lines()[0]
