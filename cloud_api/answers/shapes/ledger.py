"""Shapes of the answers, as they leave the API: names and units of the contract.

Money is in the answer's currency with 4 decimals, times are UTC, shares lie between 0 and 1, energy is
kWh. A positive variance is unfavourable. Group columns stand in a row only where `by` asks for them.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

Money = Annotated[Decimal, Meta(description="In `currency`; 4 decimals.")]
Share = Annotated[Decimal, Meta(description="Share of a whole, 0 to 1.")]
Time = Annotated[dt.datetime, Meta(description="RFC 3339, UTC.")]
Status = Literal["provisional", "locked", "closed"]
Grade = Literal["A", "B", "C", "D"]


class MissingStandard(Struct, frozen=True, kw_only=True):
    """A machine ran a product (null: no product was known) for which there was no standard."""

    machine: str
    product: str | None
    since: dt.date
    days: Annotated[int, Meta(description="Dates on which it was missing.")]


class Missing(Struct, frozen=True, kw_only=True):
    """Something else that the plant model lacks: kind crew, rate, wage, tariff or price."""

    kind: str
    subject: str
    since: dt.date
    days: Annotated[int, Meta(description="Dates on which it was missing.")]


class Finding(Struct, frozen=True, kw_only=True):
    """Something that the data shows and a person should know: what, of which machine, how often."""

    machine: str
    kind: str
    subject: str
    detail: str
    count: int


class Confidence(Struct, frozen=True, kw_only=True):
    """How far a number can be trusted. A measure without anything to measure is null and not graded."""

    grade: Annotated[Grade, Meta(description="The worst of the measures below.")]
    coverage: Annotated[Share | None, Meta(description="Trusted machine time / scheduled time.")]
    unexplained_share: Annotated[Share | None, Meta(description="Cost of cause unexplained / total cost.")]
    reason_coverage: Annotated[Share | None, Meta(description="Reasoned stop minutes / stop minutes.")]
    count_closure: Annotated[
        Share | None,
        Meta(description="Largest |floor - confirmed| / confirmed good of an order; null without any."),
    ]
    clock_offset_s: Annotated[
        Decimal | None, Meta(description="Largest clock offset of the agents behind it, seconds.")
    ]
    late_rows: Annotated[int, Meta(description="Samples that came behind the watermark.")]
    missing_standards: list[MissingStandard]
    missing: list[Missing] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Stated(Struct, frozen=True, kw_only=True):
    """An answer without money: what every answer says of itself is put to it as it leaves the API."""

    status: Status | UnsetType = UNSET
    computed_through: (
        Annotated[Time, Meta(description="Everything before it that came in is in the figures.")]
        | UnsetType
        | None
    ) = UNSET
    pending_hours: Annotated[int, Meta(description="Machine-hours still to be interpreted.")] | UnsetType = (
        UNSET
    )
    confidence: Confidence | UnsetType = UNSET


class Envelope(Struct, frozen=True, kw_only=True):
    """What every answer says of itself."""

    status: Annotated[Status, Meta(description="The least final of the periods in the window.")]
    basis: Literal["posting", "event"]
    currency: Annotated[str | None, Meta(description="ISO 4217; null where no site has a plant model.")]
    from_: Time | None = field(name="from")
    to: Time | None
    computed_through: Annotated[
        Time | None, Meta(description="Everything before it that came in is in the figures.")
    ]
    pending_hours: Annotated[int, Meta(description="Machine-hours still to be interpreted.")]
    confidence: Confidence
    withheld: Annotated[
        list[str], Meta(description="Resources that the key's role does not see; totals lack them.")
    ]
    next_cursor: Annotated[str | None, Meta(description="Send as `cursor` for the rows after these.")] = None


class Grouped(Struct, frozen=True, kw_only=True):
    """The columns that `by` asked for; null is a value (no product, no order, ...)."""

    site: str | UnsetType = UNSET
    line: str | UnsetType | None = UNSET
    machine: str | UnsetType | None = UNSET
    product: str | UnsetType | None = UNSET
    order: str | UnsetType | None = UNSET
    shift: str | UnsetType | None = UNSET
    resource: str | UnsetType = UNSET
    cause: str | UnsetType = UNSET
    reason: str | UnsetType | None = UNSET
    hour: Annotated[Time, Meta(description="Start of the UTC hour.")] | UnsetType = UNSET
    day: Annotated[dt.date, Meta(description="Production day.")] | UnsetType = UNSET
    week: Annotated[dt.date, Meta(description="Its Monday.")] | UnsetType = UNSET
    period: str | UnsetType | None = UNSET


class CostRow(Grouped, frozen=True, kw_only=True):
    """Actual cost of one group."""

    amount: Money
    quantity: Annotated[Decimal | None, Meta(description="Null where the row spans units of measure.")]
    unit: Annotated[str | None, Meta(description="h, kWh, or the unit of the material.")]
    segments: Annotated[str, Meta(description="Address of the segments behind the row.")]


class Costs(Envelope, frozen=True, kw_only=True):
    """Actual cost: resource use x actual prices, by cause. The rows of all pages add up to `total`."""

    total: Money
    rows: list[CostRow]


class Textbook(Struct, frozen=True, kw_only=True):
    """The variances of the textbooks, as sums of cells. They need not add up to the variance of the row."""

    labour_rate: Annotated[Money, Meta(description="labour/price.")]
    labour_overtime: Annotated[Money, Meta(description="labour/overtime.")]
    labour_efficiency: Annotated[Money, Meta(description="The other labour cells.")]
    material_price: Annotated[Money, Meta(description="material/price.")]
    material_quantity: Annotated[Money, Meta(description="The other material cells.")]
    capacity_not_used: Annotated[Money, Meta(description="machine/idle + machine/waiting.")]


class Parts(Struct, frozen=True, kw_only=True):
    """What a changeover variance of machine and labour is made of; the three add up to it."""

    lot_size: Annotated[
        Money | UnsetType,
        Meta(
            description="(changeovers - good / lot size) x standard hours x standard cost per hour: planning."
        ),
    ] = UNSET
    duration: Annotated[
        Money | UnsetType, Meta(description="Hours beyond the standard x standard cost per hour: the floor.")
    ] = UNSET
    sequence: Annotated[
        Money | UnsetType,
        Meta(description="(standard of the pair - changeover_min) x standard cost per hour."),
    ] = UNSET


class Variance(Struct, frozen=True, kw_only=True):
    """variance = actual - allowance = planning + operational."""

    actual: Money
    allowance: Annotated[Money, Meta(description="Good units x allowance of the standard of its time.")]
    variance: Money
    planning: Annotated[Money, Meta(description="The standard was wrong.")]
    operational: Annotated[Money, Meta(description="The run was different.")]


class VarianceRow(Grouped, frozen=True, kw_only=True):
    """Actual against flexed standard of one group."""

    actual: Money
    allowance: Money
    variance: Money
    planning: Money
    operational: Money
    parts: Parts
    segments: str


class VarianceTotal(Variance, frozen=True, kw_only=True):
    """The whole; the same whatever `by` says."""

    parts: Parts
    textbook: Textbook


class CountedAt(Struct, frozen=True, kw_only=True):
    """The machine at which the output of a line is counted: the last one with a standard for the product."""

    site: str
    line: str
    machine: str
    good_units: Decimal


class Variances(Envelope, frozen=True, kw_only=True):
    """Actual against flexed standard. The rows of all pages add up to `total`."""

    total: VarianceTotal
    good_units: Annotated[Decimal, Meta(description="Good units where they are counted; see `counted_at`.")]
    counted_at: list[CountedAt]
    rows: list[VarianceRow]


class CausedBy(Struct, frozen=True, kw_only=True):
    """Why a machine waited: a neighbour in its line that stood meanwhile."""

    kind: Annotated[Literal["starved", "blocked"], Meta(description="It was not fed, or could not give on.")]
    machine: str
    state: Annotated[str, Meta(description="What the neighbour was in for the longest part.")]
    cause: Annotated[str, Meta(description="The cause of cost that this state is.")]
    reason: Annotated[str | None, Meta(description="The reason given for it.")]


class SegmentRow(Struct, frozen=True, kw_only=True):
    """A span of a machine in which nothing changed that costs; half-open [from, to)."""

    site: str
    line: str | None
    machine: str
    from_: Time = field(name="from")
    to: Time
    hours: Annotated[Decimal, Meta(description="Length in hours.")]
    state: str
    product: str | None
    order: str | None
    reason: str | None
    crew: Annotated[Decimal | None, Meta(description="People, as booked.")]
    shift: str | None
    calendar: Annotated[str, Meta(description="scheduled, break or off.")]
    production_day: dt.date
    good: Decimal
    scrap: Decimal
    rework: Decimal
    energy_kwh: Decimal | None
    material: Annotated[dict[str, Decimal], Meta(description="Used, by item.")]
    flags: Annotated[list[str], Meta(description="assumed, late_seen, uncertain, ...")]
    amount: Annotated[
        Money | None, Meta(description="Cost of the entries asked for; null for a role that sees no money.")
    ]
    samples: Annotated[str, Meta(description="Address of the raw samples behind it.")]
    caused_by: Annotated[
        CausedBy | None, Meta(description="Of a wait: whose stop it was, where the line shows it.")
    ] = None


class Segments(Envelope, frozen=True, kw_only=True):
    """The evidence."""

    total: Annotated[Money | None, Meta(description="Cost of all segments asked for, of all pages.")]
    rows: list[SegmentRow]


class SampleRow(Struct, frozen=True, kw_only=True):
    """A value as it came: raw where it was mapped or scaled."""

    time: Time
    site: str
    machine: str
    signal: str
    role: str
    item: str | None
    unit: str | None
    value: float | str | None
    raw: float | str | None
    quality: Literal["good", "uncertain", "bad"]
    origin: Literal["live", "history"]
    source_time: Annotated[Time | None, Meta(description="What the source said, where it was not believed.")]
    received_at: Time


class Samples(Stated, frozen=True, kw_only=True):
    """The raw evidence, in the order of time."""

    rows: list[SampleRow]
    next_cursor: str | None = None


class ConfidenceAnswer(Confidence, frozen=True, kw_only=True):
    """Can I trust the number?"""

    status: Status
    from_: Time | None = field(name="from")
    to: Time | None
    computed_through: Time | None
    pending_hours: int
    confidence: Annotated[Confidence, Meta(description="The same, where every answer has it.")]


class AgentSource(Struct, frozen=True, kw_only=True):
    """A source of an agent: signals configured, signals alive, and why they differ."""

    name: str
    configured: int
    live: int
    connected: bool
    last_scan: Time | None
    reason: str | None


class AgentRow(Struct, frozen=True, kw_only=True):
    """A gateway, as it last told of itself."""

    id: str
    site: str
    instance: Annotated[str | None, Meta(description="The installation, hex.")]
    online: Annotated[bool, Meta(description="It said so, and was heard of within the last minute.")]
    heard_at: Time | None
    version: str
    config_hash: str
    certificate_expires: Time | None
    stream: Annotated[str | None, Meta(description="The run it writes now, hex.")]
    buffer_depth: Annotated[int | None, Meta(description="Batches on its disk that are not acknowledged.")]
    buffer_days_left: float | None
    lag_s: Annotated[float | None, Meta(description="Age of the oldest sample that is not acknowledged.")]
    clock_offset_s: Annotated[float | None, Meta(description="Its clock - ours, seconds.")]
    conflict: Annotated[bool, Meta(description="Two live copies of it were seen; one is set aside.")]
    sources: list[AgentSource]


class Agents(Stated, frozen=True, kw_only=True):
    """Gateways by site and name."""

    rows: list[AgentRow]
