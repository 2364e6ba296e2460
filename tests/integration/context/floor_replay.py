"""Weeks of a floor lived again: questions raised by the hour, answered truthfully, what that explained."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from cloud_api.access.gate import Principal
from cloud_api.access.roles import KeyRole
from cloud_api.acts.actor import Actor
from cloud_api.acts.questions import answer_question
from cloud_api.answers.explanation import explained_by
from cloud_api.answers.places import Atlas, Places, Site
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.questions import Answer
from cloud_api.interpret.asking import shift_at
from cloud_api.store.times import to_us
from cloud_api.work.questions import raise_questions


@dataclass
class Lived:
    """What the floor was asked: by line and shift in which it was asked, and by line and shift of the stop;
    (machine, from, to) of every question; unexplained cost before and after."""

    by_asking: Counter[tuple[str | None, int]] = field(default_factory=Counter)
    by_stop: Counter[tuple[str | None, int]] = field(default_factory=Counter)
    spans: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)

    @property
    def explained(self) -> Decimal:
        """Share of the unexplained cost that the answers explained."""
        return 1 - self.after / self.before


def live(connection: Connection[Any], name: str, since: datetime, until: datetime, every: timedelta) -> Lived:
    """Lives [since, until) again. The connection may be in a transaction, which the caller ends."""
    site = next(site for site in Atlas().places(connection).sites if site.name == name)
    lived = Lived(before=unexplained(connection, site, since, until))
    for now in _moments(since, until, every):
        for question in raise_questions(connection, site, now):
            _count(connection, site, question, now, lived)
            actor = Actor(
                connection, Principal(KeyRole.FLOOR, None, None), Places((site,)), now, {"id": str(question)}
            )
            answer_question(actor, Answer(answer="what it really was"))
    lived.after = unexplained(connection, site, since, until)
    return lived


def unexplained(connection: Connection[Any], site: Site, since: datetime, until: datetime) -> Decimal:
    """Cost of stops, and of time without data, that neither a reason nor a word explains."""
    question = Question(
        sites=(site,),
        from_us=to_us(since),
        to_us=to_us(until),
        wanted={
            "cause": ("downtime", "unexplained"),
            "resource": ("machine", "labour", "energy", "material"),
        },
    )
    shares = explained_by(connection, question).values()
    return sum((share.size - share.explained for share in shares), Decimal(0))


def _moments(since: datetime, until: datetime, every: timedelta) -> Iterator[datetime]:
    now = since
    while now < until:
        yield now
        now += every


def _count(connection: Connection[Any], site: Site, question: int, now: datetime, lived: Lived) -> None:
    row = connection.execute(
        "select line, machine, starts_at, ends_at from questions join machines using (machine_id) "
        "where question_id = %s",
        (question,),
    ).fetchone()
    assert row is not None
    assert site.book is not None
    line, machine, starts_at, ends_at = row
    lived.by_asking[line, shift_at(site.book.almanac, to_us(now)).from_us] += 1
    lived.by_stop[line, shift_at(site.book.almanac, to_us(starts_at)).from_us] += 1
    lived.spans.append((machine, starts_at, ends_at))


SITE = """\
site: weeks
time_zone: America/New_York
currency: USD
calendar:
  day_start: "06:00"
  shifts: [{name: A, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}]
materiality: {amount: 250, share: 0.02}
labour: [{from: 2026-01-01, standard: 32, actual: 32, overtime_multiplier: 1.5}]
energy: [{from: 2026-01-01, standard: 0.1, actual: 0.1}]
lines:
  - id: only
    machines:
      - {id: first, cost_centre: C1, rate: [{from: 2026-01-01, standard: 85, actual: 85}]}
      - {id: second, cost_centre: C2, rate: [{from: 2026-01-01, standard: 60, actual: 60}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,first,2026-01-01,30,2,0,0,0,0,0.9,0
P,second,2026-01-01,30,1,0,0,0,0,0.9,0
"""
FIRST_DAY = datetime(2026, 2, 2, 6, tzinfo=ZoneInfo("America/New_York"))
"""A Monday; the clocks change in the last of the five weeks."""
WEEKS = 5


def write_weeks(folder: Path, seed: int) -> tuple[Path, Path]:
    """A plant model and five weeks of history: stops short and long, most of the long ones with a reason."""
    model = folder / "weeks"
    model.mkdir()
    (model / "site.yaml").write_text(SITE, encoding="utf-8")
    (model / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    chance = random.Random(seed)
    rows: list[tuple[datetime, str, str, str]] = []
    for day in (number for number in range(7 * WEEKS) if number % 7 < 5):
        start = FIRST_DAY + timedelta(days=day)
        for machine in ("first", "second"):
            rows += _shift(chance, machine, start.astimezone(UTC))
    text = "".join(f"{time.isoformat()},{','.join(said)}\n" for time, *said in sorted(rows))
    history = folder / "weeks.csv"
    history.write_text(f"time,machine,role,value\n{text}", encoding="utf-8")
    return model, history


def _shift(chance: random.Random, machine: str, start: datetime) -> Iterator[tuple[datetime, str, str, str]]:
    end = start + timedelta(hours=8)
    yield (start, machine, "state", "running")
    yield (start, machine, "product", "P")
    now = start + timedelta(minutes=chance.expovariate(1 / 100) + 1)
    while now < end - timedelta(minutes=45):
        minutes = (
            chance.uniform(0.7, 3) if chance.random() < 0.5 else min(40, chance.lognormvariate(2.2, 0.6) + 5)
        )
        over = now + timedelta(minutes=minutes)
        yield (now, machine, "state", "down")
        if minutes > 4 and chance.random() < 0.7:
            yield (
                now + timedelta(seconds=30),
                machine,
                "reason",
                chance.choice(("jam", "no parts", "other")),
            )
            yield (over, machine, "reason", "")
        yield (over, machine, "state", "running")
        now = over + timedelta(minutes=chance.expovariate(1 / 100) + 1)
    yield (end, machine, "state", "idle")
