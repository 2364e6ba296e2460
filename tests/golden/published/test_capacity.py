"""OEE and time-driven activity-based costing against published worked examples."""

from __future__ import annotations

from decimal import Decimal as D

from cloud_api.interpret.capacity import Activity, capacity_cost
from cloud_api.interpret.kpis import KpiFacts, kpis

MINUTE = 60_000_000


def test_oee() -> None:
    """480 minutes of shift, 60 of breaks, 47 stopped, ideal cycle 1.0 s, 19,271 made, 423 rejected."""
    found = kpis(
        KpiFacts(
            planned_busy_us=(480 - 60) * MINUTE,
            production_us=(480 - 60 - 47) * MINUTE,
            delay_us=47 * MINUTE,
            good=D(19_271 - 423),
            scrap=D(423),
            ideal_us=D(19_271) * 1_000_000,
        )
    )
    shown = (found.availability, found.effectiveness, found.quality_ratio, found.oee)
    assert [round(each, 6) for each in shown if each is not None] == [
        D("0.888095"),
        D("0.861081"),
        D("0.978050"),
        D("0.747937"),
    ]


def test_time_driven_activity_based_costing() -> None:
    found = capacity_cost(
        D(560_000),
        D(700_000),
        [
            Activity("orders", D(49_000), D(8)),
            Activity("inquiries", D(1_400), D(44)),
            Activity("credit checks", D(2_500), D(50)),
        ],
    )
    assert found.rate == D("0.80")
    assert (found.used_minutes, found.used_amount) == (578_600, 462_880)
    assert (found.unused_minutes, found.unused_amount) == (121_400, 97_120)
    assert sum(line.amount for line in found.activities) + found.unused_amount == 560_000
