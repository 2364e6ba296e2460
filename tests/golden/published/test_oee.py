"""OEE against a published worked example."""

from __future__ import annotations

from decimal import Decimal as D

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
