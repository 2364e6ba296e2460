"""`recompute`: figures proved from raw samples, and built anew where somebody meddled with them."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from cloud_api.work.recompute_command import run
from tests.integration.work.small_plant import (
    EXPECTED,
    HISTORY,
    interpret,
    ledger,
    load,
    pending,
    plant,
    send,
    totals,
)


class Lines(list[str]):
    """What a command prints."""

    def __call__(self, line: str) -> None:
        self.append(line)


@pytest.fixture
def computed(plain_database: str, tmp_path: Path) -> str:
    load(plain_database, plant(tmp_path))
    send(plain_database, tmp_path, HISTORY)
    interpret(plain_database)
    return plain_database


def recompute(url: str, **options: str | bool) -> tuple[int, Lines]:
    printed = Lines()
    return run(url, say=printed, complain=printed, **options), printed  # type: ignore[arg-type]


def test_figures_are_proved_equal(computed: str) -> None:
    code, printed = recompute(computed, prove_=True)
    assert code == 0
    assert printed == ["tiny m1: 4 hours, 28 rows equal what the samples give"]


def test_a_figure_that_does_not_follow_is_found_and_mended(computed: str) -> None:
    before = ledger(computed)
    with psycopg.connect(computed) as connection:
        connection.execute("create temp table meddled as select * from entries where cause = 'downtime'")
        connection.execute("update meddled set amount = amount + 0.000000000001")
        connection.execute("delete from entries where cause = 'downtime'")
        connection.execute("insert into entries select * from meddled")
        connection.execute("delete from segments where state = 'down'")
    code, printed = recompute(computed, prove_=True)
    assert code == 1
    assert printed[0] == "differs from the samples: tiny m1 2026-03-02T09:00Z entries"
    assert printed[-1].startswith("2 parts of hours differ: tiny m1")
    code, printed = recompute(computed, from_="2026-03-02T09:00:00Z", to="2026-03-02T09:30Z")
    assert code == 0
    assert printed[0].startswith("1 machines, 1 machine-hours computed again")
    assert recompute(computed, prove_=True)[0] == 0
    assert ledger(computed) == before
    assert pending(computed) == 0


def test_building_everything_anew_gives_the_same(computed: str) -> None:
    before = ledger(computed)
    assert recompute(computed, site="tiny")[0] == 0
    assert ledger(computed) == before
    assert totals(computed) == EXPECTED


def test_hours_that_wait_are_left_out_and_told(computed: str, tmp_path: Path) -> None:
    send(computed, tmp_path, "2026-03-02T09:20:00Z,m1,scrap_count,1\n")
    code, printed = recompute(computed, prove_=True)
    assert code == 0
    assert printed == [
        "tiny m1: 1 hours, 8 rows equal what the samples give; 1 machine-hours wait and are left out"
    ]


def test_an_unknown_machine_and_a_bad_date_are_told(computed: str) -> None:
    assert recompute(computed, machine="m9")[1] == [
        "no machine has data: m9: mend --site and --machine, or wait for data"
    ]
    assert recompute(computed, from_="2026-03-03", to="2026-03-02") == (
        1,
        ["2026-03-02 is not after 2026-03-03: --to: give the later time; it is exclusive"],
    )
    assert recompute(computed, from_="2026-13-01")[1] == [
        "'2026-13-01' is no date: --from: write it as 2026-01-31"
    ]
