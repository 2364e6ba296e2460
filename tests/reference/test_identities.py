"""Identities that hold exactly for every plant, checked on random ones (cost model, identities A and B)."""

import os
from collections import defaultdict
from fractions import Fraction as F
from pathlib import Path

import pytest

from tests.reference import Result, compute
from tests.reference.allowances import standard_unit_cost
from tests.reference.plants import make_plant
from tests.reference.pricing import booked, costs_time, overtime_factor, paid_pause
from tests.reference.tables import both
from tests.reference.variances import Cell, counted_at_line_end
from tests.reference.versions import ANTE

SEEDS = range(int(os.environ.get("PLANTLEDGER_TEST_PLANTS", "60")))
"""Random plants in each run of the suite; 200 and more are for a quiet hour."""
BATCH = 20


def resource_use_at_actual_prices(result: Result) -> dict[str, F]:
    """Hours, crew hours, kWh and material x actual prices, by resource, without any cause."""
    plant, sums = result.plant, defaultdict(F)
    for piece in result.pieces:
        machine, day = piece.machine.id, piece.day
        booking = booked(piece, plant)
        _, wage, multiplier = plant.wage(machine, piece.span.shift, day, ANTE)
        if costs_time(piece):
            sums["machine"] += piece.hours * both(plant.rates, machine, day, ANTE)[1]
            sums["labour"] += piece.hours * booking.crew * wage * overtime_factor(piece, multiplier)
        elif paid_pause(piece):
            sums["labour"] += piece.hours * booking.crew * wage
        sums["energy"] += booking.kwh * both(plant.tariffs, (), day, ANTE)[1]
        for item, used in booking.used.items():
            sums["material"] += used * both(plant.prices, item, day, ANTE)[1]
    start, end = result.window
    sums["other"] = sum((charge.amount for charge in plant.charges if start <= charge.at < end), F(0))
    return {resource: amount for resource, amount in sums.items() if amount}


def output_at_standard(result: Result) -> F:
    """Good units at the last machine of a line x standard unit cost of the machines with a standard."""
    total = F(0)
    for piece in result.pieces:
        counted = counted_at_line_end(piece, result.plant)
        for machine in result.plant.lines[piece.machine.line] if counted else ():
            where = (machine, piece.unit_product, piece.day, piece.span.shift)
            total += counted * (standard_unit_cost(result.plant, *where, ANTE) or 0)
    return total


@pytest.mark.parametrize("first", SEEDS[::BATCH])
def test_both_identities_hold_exactly_on_random_plants(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + BATCH):
        made = make_plant(seed, tmp_path / str(seed), days=3 if seed % BATCH == 0 else 1)
        result = compute(made.directory, made.histories, *made.window)
        spent = {key[0]: amount for key, amount in result.costs(("resource",)).items() if amount}
        assert spent == resource_use_at_actual_prices(result), seed
        total = Cell()
        for cell in result.variances(("resource", "cause")).values():
            total.add(cell)
        assert total.actual == sum(spent.values()), seed
        assert total.variance == total.actual - output_at_standard(result), seed
        assert total.planning == 0, seed


@pytest.mark.parametrize("seed", [3, 14, 25])
def test_windows_add_up_to_the_whole(tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path)
    start, end = made.window
    first, last = made.odd_window
    by = ("machine", "product", "shift", "resource", "cause")
    summed: dict[tuple, F] = defaultdict(F)
    for window in ((start, first), (first, last), (last, end)):
        for key, amount in compute(made.directory, made.histories, *window).costs(by).items():
            summed[key] += amount
    whole = compute(made.directory, made.histories, start, end)
    assert {k: v for k, v in summed.items() if v} == {k: v for k, v in whole.costs(by).items() if v}


@pytest.mark.parametrize("seed", [7, 18])
def test_parts_of_changeovers_sum_to_their_cells(tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path)
    result = compute(made.directory, made.histories, *made.window)
    cells = result.variances(("machine", "resource", "cause"))
    parted = {key: cell for key, cell in cells.items() if cell.parts}
    assert parted
    for key, cell in parted.items():
        assert key[2] == "changeover"
        assert sum(cell.parts.values()) == cell.variance


@pytest.mark.parametrize("seed", [2, 9])
def test_segments_tile_each_time_line_and_carry_all_amounts(tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path)
    result = compute(made.directory, made.histories, *made.window)
    for machine in made.machines:
        own = [segment for segment in result.segments if segment.machine == machine]
        assert [segment.end for segment in own[:-1]] == [segment.start for segment in own[1:]]
        assert own[0].start == result.histories[machine].first
        assert own[-1].end == result.histories[machine].watermark
        costs = result.costs(("resource",), machine=machine)
        assert sum(segment.amount for segment in own) == sum(
            amount for key, amount in costs.items() if key[0] != "other"
        )


def test_a_seed_gives_the_same_files_always(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        make_plant(5, tmp_path / folder)
    files = sorted(
        path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()
    )
    assert files
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
