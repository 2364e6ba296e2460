"""Key figures from the outputs of a time line."""

from __future__ import annotations

from decimal import Decimal as D

from cloud_api.interpret.kpis import KpiFacts, Kpis, kpi_facts, kpis
from cloud_api.interpret.model import Output
from tests.unit.interpret.scenes import MINUTE, WEEK, Shift, Story, outputs, plant, run


def cycle(output: Output) -> D | None:
    return D(60) if output.made_product == "P" else None


def day() -> list[Output]:
    """08:00 to 09:00 scheduled: 10 min planned stop, 5 down, 5 changeover, 30 running, 10 idle."""
    story = Story()(
        "07:50", state="running", product="P", good_count=0, scrap_count=0, rework_count=0, crew=2
    )
    story("07:55", good_count=3)
    story("08:00", state="planned_stop")("08:10", state="down")("08:15", state="changeover")
    story("08:20", state="running")("08:40", good_count=19, scrap_count=5, rework_count=4)
    story("08:50", state="idle")("09:00", state="running")("09:20", good_count=24)
    return outputs(run(story, plant(shifts=[Shift("A", 480, 540, WEEK)])))


def test_times_and_counts_come_from_scheduled_time_only() -> None:
    facts = kpi_facts(day(), cycle)
    assert facts == KpiFacts(
        planned_busy_us=50 * MINUTE,
        production_us=30 * MINUTE,
        setup_us=5 * MINUTE,
        delay_us=5 * MINUTE,
        good=D(16),
        scrap=D(5),
        rework=D(4),
        ideal_us=D(25 * MINUTE),
        crew_us=D(2 * 60 * MINUTE),
        crew_busy_us=D(2 * 35 * MINUTE),
    )


def test_ratios() -> None:
    found = kpis(kpi_facts(day(), cycle))
    assert found.availability == D("0.6")
    assert found.quality_ratio == D("0.64")
    assert round(found.setup_rate or D(0), 6) == D("0.142857")
    assert (found.scrap_ratio, found.rework_ratio) == (D("0.2"), D("0.16"))
    rounded = [
        round(each, 6)
        for each in (
            found.effectiveness,
            found.oee,
            found.nee,
            found.technical_efficiency,
            found.worker_efficiency,
        )
        if each is not None
    ]
    assert rounded == [D("0.833333"), D("0.32"), D("0.373333"), D("0.857143"), D("0.583333")]


def test_facts_add_up_over_any_cut() -> None:
    rows = day()
    parts = [kpi_facts([row], cycle) for row in rows]
    assert sum(parts, KpiFacts()) == kpi_facts(rows, cycle)


def test_units_without_a_standard_are_named() -> None:
    facts = kpi_facts(day(), lambda output: None)
    assert (facts.ideal_us, facts.no_standard) == (0, 25)


def test_without_time_there_is_no_ratio() -> None:
    assert kpis(KpiFacts()) == Kpis(**dict.fromkeys(Kpis.__struct_fields__))
