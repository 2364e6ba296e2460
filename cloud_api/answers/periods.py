"""Fiscal periods of the sites, and what came too late for those that are closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.places import Period, Site
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.periods import Adjustment, PeriodRow, Periods
from cloud_api.answers.standing import data_spans
from cloud_api.interpret.money import whole_and_parts
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us

Rows = Sequence[tuple[Any, ...]]


def periods(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Periods:
    """Periods of the sites asked for from their first data up to the present one, oldest first."""
    ids = [machine.machine_id for machine in question.machines]
    firsts = [to_us(first) for first, _ in data_spans(connection, ids)]
    begin, end = min(firsts, default=to_us(now)), to_us(now)
    known = _Known(connection, question, ids)
    return Periods(
        rows=[
            known.row(site, period)
            for site in question.sites
            for period in site.periods
            if (period.to_us > begin and period.from_us <= end) or known.speaks_of(site, period)
        ]
    )


class _Known:
    """What the database says of the periods of a question's sites."""

    def __init__(self, connection: Connection[Any], question: Question, machines: list[int]) -> None:
        sites = [site.name for site in question.sites]
        at = {"sites": sites, "machines": None, "withheld": sorted(question.withheld)}
        self.belongs: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
        self.booked: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
        named = {site.name: site for site in question.sites}
        for site, period, *said in connection.execute(statement("periods.adjustments"), at):
            booked_in = named[site].period_of(named[site].day_start_us(said[3]))
            self.belongs[site, period].append((booked_in, *said))
            self.booked[site, booked_in] += said[5]
        self.kept = {
            (site, period): said
            for site, period, *said in connection.execute(statement("periods.told"), {"sites": sites})
        }
        asked = connection.execute(statement("periods.open_approvals"), {"sites": sites}).fetchall()
        self.asked = {(row[1], row[3]): row[5] for row in asked if row[2] == "period close"}
        self.waiting: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for site, hour, count in connection.execute(statement("periods.marked"), {"machines": machines}):
            self.waiting[site].append((to_us(hour), count))

    def speaks_of(self, site: Site, period: Period) -> bool:
        """Whether something is kept of it, or booked in it."""
        return (site.name, period.name) in self.kept or (site.name, period.name) in self.booked

    def row(self, site: Site, period: Period) -> PeriodRow:
        name = (site.name, period.name)
        total, adjustments = _told(self.belongs.get(name, ()))
        booked, _ = whole_and_parts([self.booked.get(name, Decimal(0))])
        version, since, by = self.kept.get(name, (None, None, None))
        return PeriodRow(
            id=period.name,
            site=site.name,
            from_=from_us(period.from_us),
            to=from_us(period.to_us),
            status=period.status,
            currency=site.currency,
            adjustments=adjustments,
            adjusted=total if period.status == "closed" else None,
            booked=booked,
            plant_version=version,
            since=since,
            by=by,
            pending_hours=sum(count for hour, count in self.waiting[site.name] if hour < period.to_us),
            waits_for_second_person=self.asked.get(name),
        )


def _told(rows: Rows) -> tuple[Decimal, list[Adjustment]]:
    """The rounded sum of adjustments, and each so that they add up to it."""
    total, amounts = whole_and_parts([row[6] for row in rows])
    return total, [
        Adjustment(
            machine=row[1],
            resource=row[2],
            cause=row[3],
            amount=amount,
            booked_in=row[0],
            booked_on=row[4],
            booked_at=row[5],
        )
        for row, amount in zip(rows, amounts, strict=True)
    ]
