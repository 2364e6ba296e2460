"""The worked cases, held against the reference reading of the cost model."""

import pytest

from tests.golden.cost.cases import CostCase, cost_cases, measured
from tests.reference import Result, compute
from tests.reference.clock import microseconds

CASES = cost_cases()


def result_of(case: CostCase) -> Result:
    start, end = (microseconds(moment) for moment in case.window)
    return compute(case.plant, case.histories, start, end)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_published_variances_come_out(case: CostCase) -> None:
    cells = {key: cell.variance for key, cell in result_of(case).variances(("resource", "cause")).items()}
    found = [(name, measured(cells, resource, causes)) for name, resource, causes, _ in case.measures()]
    assert found == [(name, variance) for name, _, _, variance in case.measures()]


@pytest.mark.parametrize("case", [case for case in CASES if case.cells()], ids=lambda case: case.name)
def test_every_cell_comes_out(case: CostCase) -> None:
    by = ("machine", "product", "resource", "cause")
    cells = {
        key: tuple(round(amount, 4) for amount in (cell.actual, cell.allowance, cell.variance))
        for key, cell in result_of(case).variances(by).items()
    }
    assert {key: amounts for key, amounts in cells.items() if any(amounts)} == case.cells()


def test_no_case_is_without_figures() -> None:
    assert {case.name for case in CASES if case.measures() or case.cells()} == {case.name for case in CASES}
    assert len(CASES) >= 5
