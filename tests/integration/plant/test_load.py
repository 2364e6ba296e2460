"""A plant model into a real database: loaded once, versioned, corrected, read back whole."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from cloud_api.plant.files import read_directory
from cloud_api.plant.load import load_directory, record
from cloud_api.plant.load_command import load
from cloud_api.plant.places import PlantRefused
from cloud_api.store import plant as store
from cloud_api.store.pool import connect

EXAMPLE = Path("configs/plants/columbus")
WRITTEN_BY_LOAD = ("sites", "machines", "plant_versions", "plant_rows", "marks", "entries")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the example plant that a test may change."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "columbus"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(f"select count(*) from {table}".encode()).fetchone()[0]
            for table in WRITTEN_BY_LOAD
        }


def give_data(url: str, machine: str, first: datetime, last: datetime) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select machine_id from machines where machine = %s", (machine,)
        ).fetchone()
        connection.execute("insert into machine_spans values (%s, %s, %s, null)", (found[0], first, last))
        return int(found[0])


def marked_hours(url: str) -> set[tuple[int, datetime]]:
    with psycopg.connect(url) as connection:
        found = set(connection.execute("select machine_id, hour from marks").fetchall())
        connection.execute("delete from marks")
        return found


def test_the_example_is_read_back_as_it_was_written(database: str) -> None:
    with connect(database) as connection:
        done = load_directory(connection, EXAMPLE)
        plant = store.snapshot(connection, "columbus")
    assert done.version is not None
    assert done.warnings == ()
    assert plant is not None
    assert plant.time_zone == "America/New_York"
    assert plant.currency == "USD"
    assert [line.id for line in plant.lines] == ["stamping", "packing"]
    assert [m.id for line in plant.lines for m in line.machines] == ["press-1", "press-2", "packer-1"]
    press = plant.lines[0].machines[1]
    assert press.cost_centre == "CC-411"
    assert press.counters["good_count"].rollover == Decimal(10000)
    assert press.rates[0].standard == Decimal(92)
    assert plant.calendar.day_start_min == 360
    assert plant.calendar.shifts[0].days == (0, 1, 2, 3, 4)
    assert plant.calendar.shifts[1].breaks[0].paid
    assert plant.calendar.exceptions[-1].shifts[0].overtime
    standard = next(s for s in plant.standards if s.machine == "press-2" and s.product == "bracket-a")
    assert (standard.ideal_cycle_s, standard.crew, standard.lot_size) == (
        Decimal("5.5"),
        Decimal("1.5"),
        Decimal(2000),
    )
    assert standard.effective_from == date(2026, 1, 1)
    assert standard.source == "standards.csv:4"
    assert plant.charges[0].time == datetime(2026, 11, 2, 21, 30, tzinfo=UTC)
    assert plant.charges[1].machine is None
    assert plant.maintenance[0].cost == 0
    assert plant.maintenance[0].in_rate
    assert plant.budget[-1].fixed_amount == Decimal(4200)
    assert {len(getattr(plant, kind)) for kind in ("quality", "reasons", "orders")} == {3}
    assert plant.materiality_amount == 250


def test_loading_identical_files_again_records_nothing(plain_database: str) -> None:
    with connect(plain_database) as connection:
        load_directory(connection, EXAMPLE)
    before = counts(plain_database)
    with connect(plain_database) as connection:
        assert load_directory(connection, EXAMPLE).version is None
        assert load_directory(connection, EXAMPLE, correction=True).version is None
    assert counts(plain_database) == before


def test_one_bad_row_is_named_and_nothing_is_loaded(plain_database: str, directory: Path) -> None:
    edit(directory / "standards.csv", "bracket-b,press-2,2026-01-01,6.8", "bracket-b,press-9,2026-01-01,six")
    printed: list[str] = []
    assert load(plain_database, directory, say=printed.append, complain=printed.append) == 1
    place = f"{directory}/standards.csv:5"
    assert printed[0].startswith(
        f"{place}: machine: 'press-9' is not a machine of site.yaml: did you mean 'press-"
    )
    assert printed[1].startswith(f"{place}: ideal_cycle_s: 'six' is not a number")
    assert set(counts(plain_database).values()) == {0}


def test_a_changed_standard_stands_beside_the_one_known_before(plain_database: str, directory: Path) -> None:
    old = datetime(2026, 1, 1, tzinfo=UTC)
    with connect(plain_database) as connection:
        record(connection, read_directory(directory), recorded_at=old)
    edit(directory / "standards.csv", "bracket-a,press-2,2026-01-01,5.5", "bracket-a,press-2,2026-01-01,5.8")
    with connect(plain_database) as connection:
        done = load_directory(connection, directory)
        now = store.snapshot(connection, "columbus")
        then = store.snapshot(connection, "columbus", datetime(2026, 1, 2, tzinfo=UTC))
    assert (done.added, done.changed, done.ended) == (0, 1, 0)
    assert now is not None
    assert then is not None
    pick = [(s.ideal_cycle_s, s.recorded_at == old) for s in now.standards if s.machine == "press-2"]
    assert (Decimal("5.5"), True) in pick
    assert (Decimal("5.8"), False) in pick
    assert next(s.ideal_cycle_s for s in then.standards if s.machine == "press-2") == Decimal("5.5")
    assert len(then.standards) + 1 == len(now.standards)


def test_a_correction_takes_the_place_and_the_moment_of_what_it_corrects(
    plain_database: str, directory: Path
) -> None:
    old = datetime(2026, 1, 1, tzinfo=UTC)
    with connect(plain_database) as connection:
        record(connection, read_directory(directory), recorded_at=old)
    edit(directory / "standards.csv", "bracket-a,press-2,2026-01-01,5.5", "bracket-a,press-2,2026-01-01,5.8")
    edit(directory / "bill.csv", "coil-3mm,2026-01-01", "coil-3mm,2026-02-01")
    with connect(plain_database) as connection:
        load_directory(connection, directory, correction=True)
        plant = store.snapshot(connection, "columbus")
    assert plant is not None
    found = [s for s in plant.standards if s.machine == "press-2" and s.product == "bracket-a"]
    assert [(s.ideal_cycle_s, s.recorded_at) for s in found] == [(Decimal("5.8"), old)]
    moved = [b for b in plant.bill if b.material == "coil-3mm"]
    assert [(b.effective_from, b.recorded_at) for b in moved] == [(date(2026, 2, 1), old)]


def test_events_left_out_end_and_dated_rows_left_out_stay_and_are_told(
    plain_database: str, directory: Path
) -> None:
    with connect(plain_database) as connection:
        load_directory(connection, directory)
    edit(directory / "charges.csv", "2026-11-03T08:00:00,,,,usage,60.00,waste disposal\n", "")
    edit(directory / "prices.csv", "carton,2026-01-01,0.38,0.38\n", "")
    (directory / "orders.csv").unlink()
    with connect(plain_database) as connection:
        done = load_directory(connection, directory)
        plant = store.snapshot(connection, "columbus")
    assert done.ended == 1
    assert plant is not None
    assert len(plant.charges) == 1
    assert len(plant.orders) == 3
    assert "carton" in {p.material for p in plant.prices}
    assert any(
        "1 dated rows are gone but still count (carton" in warning.message for warning in done.warnings
    )


def test_a_change_marks_only_its_machines_from_its_date_on(plain_database: str, directory: Path) -> None:
    with connect(plain_database) as connection:
        load_directory(connection, directory)
    first, last = datetime(2026, 9, 30, 22, 30, tzinfo=UTC), datetime(2026, 10, 1, 6, 30, tzinfo=UTC)
    one = give_data(plain_database, "press-1", first, last)
    give_data(plain_database, "press-2", first, last)
    marked_hours(plain_database)
    edit(directory / "standards.csv", "bracket-a,press-1,2026-10-01,5.9", "bracket-a,press-1,2026-10-01,5.8")
    with connect(plain_database) as connection:
        load_directory(connection, directory)
    midnight = datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert marked_hours(plain_database) == {(one, midnight + timedelta(hours=n)) for n in range(4)}


def test_a_holiday_to_come_marks_nothing_and_one_that_was_marks_its_days(
    plain_database: str, directory: Path
) -> None:
    with connect(plain_database) as connection:
        load_directory(connection, directory)
    first = datetime(2026, 9, 1, tzinfo=UTC)
    one = give_data(plain_database, "press-1", first, datetime(2026, 9, 20, tzinfo=UTC))
    marked_hours(plain_database)
    line = "    - {date: 2026-07-03, closed: true}\n"
    edit(directory / "site.yaml", line, line + "    - {date: 2027-01-01, closed: true}\n")
    with connect(plain_database) as connection:
        assert load_directory(connection, directory).marked == 0
    edit(directory / "site.yaml", line, line + "    - {date: 2026-09-07, closed: true}\n")
    with connect(plain_database) as connection:
        load_directory(connection, directory)
    begin = datetime(2026, 9, 7, 4, tzinfo=UTC)
    assert marked_hours(plain_database) == {(one, begin + timedelta(hours=n)) for n in range(48)}


def test_days_with_data_but_without_a_rate_are_told(plain_database: str, directory: Path) -> None:
    with connect(plain_database) as connection:
        load_directory(connection, directory)
    first = datetime(2025, 12, 1, tzinfo=UTC)
    give_data(plain_database, "press-1", first, datetime(2026, 2, 1, tzinfo=UTC))
    with connect(plain_database) as connection:
        done = load_directory(connection, directory)
    told = [warning.message for warning in done.warnings]
    assert "'press-1' has data from 2025-11-30 but there is no rate before 2026-01-01" in told
    assert len(told) == 3


def test_a_machine_with_data_cannot_vanish(plain_database: str, directory: Path) -> None:
    with connect(plain_database) as connection:
        load_directory(connection, directory)
    give_data(plain_database, "packer-1", datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC))
    edit(directory / "site.yaml", "id: packer-1", "id: packer-2")
    for file in ("standards.csv", "bill.csv", "orders.csv", "budget.csv"):
        path = directory / file
        path.write_text(path.read_text().replace("packer-1", "packer-2"))
    with connect(plain_database) as connection, pytest.raises(PlantRefused) as refused:
        load_directory(connection, directory)
    assert "'packer-1' has data but is not in the model any more" in refused.value.faults[0].message


def test_a_price_without_an_actual_has_none_yet(plain_database: str, directory: Path) -> None:
    """Actual prices equal the standard until they are recorded."""
    (directory / "prices.csv").write_text(
        "material,from,standard,actual\nsteel,2026-01-01,2.5,\n", encoding="utf-8"
    )
    with connect(plain_database) as connection:
        load_directory(connection, directory)
        plant = store.snapshot(connection, "columbus")
    assert plant is not None
    assert [(price.material, price.standard, price.actual) for price in plant.prices] == [
        ("steel", Decimal("2.5"), None)
    ]
