"""The active period method on a tie, and on a shift of the constraint as its authors define it."""

from __future__ import annotations

import pytest

from cloud_api.interpret.constraints import ActivePeriod, Moment, moments, shares, walk

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE


@pytest.mark.parametrize("shifts", [1, 3])
def test_two_machines_active_alike_are_both_shifting(shifts: int) -> None:
    """08:10 to 09:00 each shift: 50 minutes for both, sole for none."""
    spans = [(day * DAY + 490 * MINUTE, day * DAY + 540 * MINUTE) for day in range(shifts)]
    found = moments(walk([ActivePeriod(*span, machine) for span in spans for machine in ("m1", "m2")]))
    assert found == [Moment(*span, ("m1", "m2")) for span in spans]
    for share in shares(found).values():
        assert (share.sole_us, share.shifting_us) == (0, shifts * 50 * MINUTE)
        assert (share.sole, share.shifting) == (0, 1)


def test_a_constraint_that_shifts() -> None:
    """Two machines: the overlap of consecutive longest periods is shifting, the rest sole; the short periods
    of a machine within a longer one of the other never count."""
    periods = [
        ActivePeriod(0, 60, "m1"),
        ActivePeriod(10, 20, "m2"),
        ActivePeriod(30, 40, "m2"),
        ActivePeriod(50, 120, "m2"),
        ActivePeriod(70, 80, "m1"),
    ]
    found = moments(walk(periods))
    assert found == [Moment(0, 50, ("m1",)), Moment(50, 60, ("m1", "m2")), Moment(60, 120, ("m2",))]
