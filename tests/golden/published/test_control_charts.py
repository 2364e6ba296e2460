"""CUSUM and EWMA against the worked examples of the NIST/SEMATECH e-Handbook of Statistical Methods."""

from __future__ import annotations

import pytest

from cloud_api.interpret.drift import cusum, ewma, limit_for, run_length

CUSUM_DATA = [
    *(324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600),
    *(324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350),
]
EWMA_DATA = [
    *(52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5),
    *(49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1),
]


def test_cusum() -> None:
    points = cusum(CUSUM_DATA, 325, 0.3175, 4.1959)
    assert next(at for at, point in enumerate(points, 1) if point.alarm) == 14
    assert points[13].high == pytest.approx(4.94, abs=0.005)
    assert points[19].high == pytest.approx(19.035, abs=0.01)


def test_ewma() -> None:
    chart = ewma(EWMA_DATA, 50, 2.0539, 0.3, 3)
    assert chart.values[-1] == pytest.approx(51.99, abs=0.005)
    assert (chart.upper, chart.lower) == pytest.approx((52.5884, 47.4115), abs=1e-4)
    assert chart.alarms() == []


def test_run_length_of_the_textbook_design() -> None:
    """Montgomery: k = 1/2, h = 5 gives about 938.2 for one side, 469.1 for two."""
    assert run_length(5) == pytest.approx(469.1, abs=0.05)
    assert limit_for(469.1) == pytest.approx(5, abs=1e-4)
