"""A bridge in two or three plain sentences, made by rules; each number with the rows that add up to it.

The first sentence says how far it moved, the second what moved it (causes below the site's materiality are
left out), the third what stands behind the largest of these and whether it stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from cloud_api.answers.bridge_base import ENOUGH
from cloud_api.answers.bridge_rounding import Told
from cloud_api.answers.grouping import evidence
from cloud_api.answers.question import Question, told
from cloud_api.answers.shapes.bridge import BridgeBar, EvidenceRow, StatementLink

ZERO = Decimal(0)
MOST = 3
"""Causes that a statement names."""

WORDS = {
    "volume": "the volume made",
    "mix": "the mix of products",
    "standard_vs_budget": "standards other than budgeted",
    "list_price": "list prices",
    "sales_price": "prices other than list",
    "stock": "change of stock",
    "lot_size": "lots other than standard",
    "sequence": "the sequence of changeovers",
    "duration": "the length of changeovers",
    "production": "cost of good units",
    "speed_loss": "speed loss",
    "planned_stop": "planned stops",
    "crew": "crews other than standard",
    "unexplained": "time without a known cause",
    "scrap_upstream": "scrap after earlier machines",
    "wip_change": "stock between machines",
}
FIGURES = {"unit_cost": "Unit cost", "total_cost": "Cost", "margin": "Margin"}
STATES = {"down": "down", "changeover": "changing over", "planned_stop": "in a planned stop"}


@dataclass(slots=True)
class Statement:
    """Sentences as they grow, and the links of their numbers."""

    question: Question
    measure: str
    links: list[StatementLink] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    @property
    def currency(self) -> str:
        return self.question.currency or ""

    def figure(
        self, amount: Decimal, text: str, rows: tuple[str, str, str], factor: str | None = None
    ) -> str:
        """A number in the text, with its link: address, list and field."""
        address, within, name = rows
        link = StatementLink(
            text=text,
            amount=amount,
            address=address,
            rows=within,  # type: ignore[arg-type]
            field=name,
            factor=factor,
        )
        self.links.append(link)
        return text

    def said(self, amount: Decimal, signed: bool = False) -> str:
        """Money as the sentence has it: whole units, or four decimals of a small figure per unit."""
        step = "1"
        if self.measure == "unit_cost":
            step = "0.01" if abs(amount) >= 10 else "0.0001"
        text = f"{abs(amount).quantize(Decimal(step)):,}"
        mark = ("+" if amount > 0 else "\u2212") if signed else "\u2212" if amount < 0 else ""
        return f"{mark}{self.currency} {text}".replace("  ", " ")


def statement(
    question: Question,
    base: Question | None,
    base_name: str,
    measure: str,
    bars: Sequence[BridgeBar],
    figures: Told,
    has_data: Decimal | None,
) -> Statement:
    """The statement of a bridge. `has_data`: the share of the base window for which there is any."""
    made, named = opening(question, base, base_name, measure, figures, has_data)
    if named:
        _behind(made, [bar for bar in bars if bar.factor == named[0]])
    return made


def opening(
    question: Question,
    base: Question | None,
    base_name: str,
    measure: str,
    figures: Told,
    has_data: Decimal | None,
) -> tuple[Statement, list[str]]:
    """How far it moved and what moved it, for which figures are enough; and the factors that are named."""
    made = Statement(question, measure)
    _moved(made, base, base_name, figures)
    if has_data is not None and has_data < ENOUGH:
        made.sentences.append("Most of that time has no data, so this comparison says little.")
        return made, []
    return made, _causes(made, _wholes(figures), figures)


def _moved(made: Statement, base: Question | None, base_name: str, figures: Told) -> None:
    change = figures.end - figures.start
    against = base_name if base is None else f"the {_span(made.question, base)} before"
    if base is not None and base.to_us != made.question.from_us:
        against = _span(made.question, base)
    each = " per good unit" if made.measure == "unit_cost" else ""
    here = bridge_address(made.question, "machine")
    what = FIGURES[made.measure]
    if not change:
        end = made.figure(figures.end, made.said(figures.end), (here, "groups", "end"))
        made.sentences.append(f"{what} stands at {end}{each}, as against {against}.")
        return
    share = f" ({abs(change / figures.start):.1%})" if figures.start else ""
    moved = made.figure(abs(change), made.said(abs(change)), (here, "bars", "amount"))
    start = made.figure(figures.start, made.said(figures.start), (here, "groups", "start"))
    end = made.figure(figures.end, made.said(figures.end), (here, "groups", "end"))
    if base is None:
        side = "above" if change > 0 else "below"
        made.sentences.append(f"{what} is {moved}{share}{each} {side} {base_name}: {end}, not {start}.")
        return
    verb = "rose" if change > 0 else "fell"
    made.sentences.append(f"{what} {verb} by {moved}{share}, from {start} to {end}{each}, against {against}.")


def _span(question: Question, base: Question) -> str:
    """A base window in words: its production days, or its hours."""
    assert base.from_us is not None
    assert base.to_us is not None
    site = next((site for site in question.sites if site.book is not None), None)
    first = None if site is None else site.day_of(base.from_us)
    last = None if site is None else site.day_of(base.to_us)
    whole = (
        site is not None
        and first is not None
        and last is not None
        and site.day_start_us(first) == base.from_us
        and site.day_start_us(last) == base.to_us
    )
    if whole and first is not None and last is not None:
        days = (last - first).days
        if base.to_us == question.from_us:
            return "day" if days == 1 else f"{days} days"
        return f"{first} to {last - dt.timedelta(days=1)}" if days > 1 else f"{first}"
    hours = Decimal(base.to_us - base.from_us) / 3_600_000_000
    if base.to_us == question.from_us:
        return f"{hours.normalize():f} hours" if hours == hours.to_integral_value() else f"{hours:.1f} hours"
    return f"{told(base.from_us)} to {told(base.to_us)}"


def _wholes(figures: Told) -> dict[str, Decimal]:
    wholes: dict[str, Decimal] = {}
    for (factor, _), amount in figures.amounts.items():
        wholes[factor.name] = wholes.get(factor.name, ZERO) + amount
    return wholes


def _causes(made: Statement, wholes: dict[str, Decimal], figures: Told) -> list[str]:
    """Names what moved it most, in its direction and against it; the names of the factors."""
    change = figures.end - figures.start
    floor = _materiality(made, figures)
    material = {name: amount for name, amount in wholes.items() if amount and abs(amount) >= floor}
    if not material:
        if wholes:
            made.sentences.append("No single cause is material.")
        return []
    with_it = [name for name, amount in material.items() if (amount > 0) == (change >= 0)]
    against = [name for name in material if name not in with_it]
    with_it.sort(key=lambda name: -abs(material[name]))
    against.sort(key=lambda name: -abs(material[name]))
    parts = [_told(made, name, material[name]) for name in with_it[:MOST]]
    sentence = f"Most of it: {', '.join(parts)}" if parts else ""
    if against:
        contrary = _told(made, against[0], material[against[0]])
        sentence = f"{sentence}; against it: {contrary}" if parts else f"The largest: {contrary}"
    made.sentences.append(f"{sentence}.")
    return [*with_it, *against]


def _told(made: Statement, name: str, amount: Decimal) -> str:
    here = bridge_address(made.question, "machine")
    number = made.figure(amount, made.said(amount, signed=True), (here, "bars", "amount"), name)
    return f"{word(name)} {number}"


def word(factor: str) -> str:
    """A factor in the middle of a sentence."""
    resource, _, cause = factor.partition("/")
    if cause:
        return f"{cause} of {resource}"
    return WORDS.get(factor, factor.replace("_", " "))


def _materiality(made: Statement, figures: Told) -> Decimal:
    """What a bar must reach to be named, in the measure: the least `materiality.amount` of the sites."""
    amounts = [
        site.plant.materiality_amount
        for site in made.question.sites
        if site.plant is not None and site.plant.materiality_amount is not None
    ]
    floor = min(amounts, default=ZERO)
    if made.measure == "unit_cost":
        units = figures.units
        return floor / units if units else ZERO
    return floor


def _behind(made: Statement, bars: Sequence[BridgeBar]) -> None:
    """The dearest span of the largest cause, and the verdict on its largest bar."""
    rows = [row for bar in bars for row in bar.evidence if row.kind == "segment" and row.window == "end"]
    parts = []
    if rows:
        parts.append(_dearest(made, max(rows, key=lambda row: (abs(row.amount), abs(row.cost or 0)))))
    largest = max(bars, key=lambda bar: abs(bar.amount))
    persistence = largest.persistence
    if persistence is not None and persistence.verdict not in ("undetermined", "steady"):
        since = f" since {persistence.since}" if persistence.since is not None else ""
        parts.append(f"the verdict on {_of(largest)} is {persistence.verdict}{since}")
    if parts:
        text = "; ".join(parts)
        made.sentences.append(f"{text[0].upper()}{text[1:]}.")


def _of(bar: BridgeBar) -> str:
    """A bar by its cause, and the place or product that it is told for."""
    scope = [each for each in (bar.site, bar.line, bar.machine, bar.product) if each]
    return f"{word(bar.factor)} ({', '.join(scope)})" if scope else word(bar.factor)


def _dearest(made: Statement, row: EvidenceRow) -> str:
    zone = ZoneInfo(next((site.time_zone for site in made.question.sites if site.book is not None), "UTC"))
    assert row.from_ is not None
    assert row.to is not None
    assert row.cost is not None
    begin, end = row.from_.astimezone(zone), row.to.astimezone(zone)
    until = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    amount = f"{made.currency} {row.cost.quantize(Decimal(1)):,}"
    cost = made.figure(row.cost, amount, (row.rows, "rows", "amount"))
    state = STATES.get(row.state or "", row.state or "")
    why = f" ({row.reason})" if row.reason else ""
    noted = f", noted: {row.notes[0].text}" if row.notes and row.notes[0].text else ""
    return f"the dearest span is {row.machine} {state}{why}, {begin:%Y-%m-%d %H:%M} to {until}, {cost}{noted}"


def bridge_address(question: Question, by: str) -> str:
    """The address of the same bridge, cut by a dimension."""
    address = evidence(question, (), (), path="/v1/bridge")
    options = [
        (name, told(int(value)) or "" if name in ("base_from", "base_to") else value)
        for name, value in sorted(question.options.items())
    ]
    return f"{address}&{urlencode([*options, ('by', by)])}"
