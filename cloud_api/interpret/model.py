"""What goes into the interpretation of a machine and what comes out: frozen values, all times integer UTC
microseconds since the epoch (`*_us`), spans half-open [from, to), quantities exact.

Energy is kWh, time in entries is hours (machine hours, person-hours), money is the site's currency.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

STATES = ("running", "down", "changeover", "waiting", "idle", "planned_stop", "unknown")
RESOURCES = ("machine", "labour", "energy", "material", "other")
CAUSE_OF_STATE = {
    "down": "downtime",
    "changeover": "changeover",
    "waiting": "waiting",
    "idle": "idle",
    "planned_stop": "planned_stop",
    "unknown": "unexplained",
}

GOOD, UNCERTAIN, BAD = 0, 1, 2
"""Qualities of a sample; smaller is better."""


class Sample(Struct, frozen=True, gc=False):
    """One value of one series at its source time. `value` for numbers, `text` for words (state, product,
    order, reason); both None is an empty value. `raw` is the register value before scaling or mapping,
    where it differs. `history`: from a file (backfill); samples of an agent, live or backlog, are not
    history."""

    time_us: int
    series: int
    value: float | None = None
    text: str | None = None
    quality: int = GOOD
    history: bool = False
    raw: float | None = None
    raw_text: str | None = None


class Signal(Struct, frozen=True, kw_only=True):
    """What a series means. Series of one machine with equal role and item are one signal (live and from
    files).

    `source`: key of its scan marks, None for a series that comes from files only. `fall`, `rollover`
    (modulus in raw units), `width` (bits) and `signed` are what travelled with the data; `site.yaml` stands
    in where they are None. `factor`: value units per raw unit. `since_us`: the first live sample, before
    which coverage of the source says nothing about this signal (None: always)."""

    role: str
    item: str | None = None
    source: str | None = None
    unit: str | None = None
    fall: str | None = None
    rollover: Decimal | None = None
    width: int | None = None
    signed: bool | None = None
    factor: Decimal = Decimal(1)
    since_us: int | None = None


class Span(Struct, frozen=True, order=True):
    """[from_us, to_us)."""

    from_us: int
    to_us: int


class Loss(Struct, frozen=True, kw_only=True):
    """Data that is missing: `kind` 'pending' (a backlog is on its way; what has coverage already is used)
    or 'gap' (dropped for good). `series` None: every signal of the machine."""

    from_us: int
    to_us: int
    kind: Literal["pending", "gap"]
    reason: str | None = None
    series: frozenset[int] | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything known of one machine in [from_us, to_us): samples in any order, with duplicates;
    scan-marked spans per source; losses in force. `first_us` is the machine's first sample ever,
    `watermark_us` its latest sample, scan mark or reported loss. `to_us` is an hour's start, or beyond the
    watermark. Samples at `to_us` itself, and losses that begin there, belong in here (the end of data may be
    there). Coverage may reach beyond [from_us, to_us)."""

    from_us: int
    to_us: int
    first_us: int
    watermark_us: int
    signals: Mapping[int, Signal]
    samples: Sequence[Sample]
    coverage: Mapping[str, Sequence[Span]] = {}
    losses: Sequence[Loss] = ()


class Use(Struct, gc=False, frozen=True, order=True):
    """Material used: measured by a counter, or assumed at the bill."""

    item: str
    quantity: Decimal
    assumed: bool = False


class Turn(Struct, gc=False, frozen=True, order=True):
    """Changeovers that began, by the product that ran before (None: none known)."""

    from_product: str | None
    count: int


class Facts(Struct, gc=False, frozen=True, kw_only=True):
    """The additive facts of a span: what is enough to price it at any standard.

    `product`, `order`: of the time; `made_product`, `made_order`: of units and material (they differ in
    idle and planned_stop, and nowhere else). `effective`: the site date whose rows apply. `calendar`:
    scheduled, break or off; `overtime`: the shift is overtime; `paid`: the break is paid. `crew`: people as
    booked, for `crew_assumed_us` of the time without a trusted crew signal. `uncertain_us`: time with a
    state of uncertain quality. `energy_kwh` and `material` are as booked (`energy_assumed` without a
    counter). `late_seen`: an increase across a gap is in it."""

    production_day: dt.date
    effective: dt.date
    state: str
    product: str | None
    order: str | None
    made_product: str | None
    made_order: str | None
    reason: str | None
    shift: str | None
    calendar: str
    overtime: bool
    paid: bool
    crew: Decimal
    duration_us: int
    crew_assumed_us: int = 0
    uncertain_us: int = 0
    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)
    energy_kwh: Decimal = Decimal(0)
    energy_assumed: bool = False
    material: tuple[Use, ...] = ()
    changeovers: tuple[Turn, ...] = ()
    late_seen: bool = False


class Output(Facts, gc=False, frozen=True, kw_only=True):
    """The sum of facts of one machine-hour (or slice of it) over everything that prices alike: the rows that
    allowances, the cut anew at a later standard, KPIs and confidence are computed from."""

    machine: str
    hour_us: int
    standard_version: int | None
    calendar_version: int


class Segment(Facts, gc=False, frozen=True, kw_only=True):
    """A maximal span of constant state, product, order, reason, crew, shift and calendar status, cut at
    hours, production days and site midnights."""

    machine: str
    hour_us: int
    from_us: int
    to_us: int


class Entry(Struct, gc=False, frozen=True, kw_only=True):
    """An hourly sum of cost: resource x cause in the grain of the ledger.

    `amount` has 12 decimals. `quantity` (12 decimals) is what the cause took of the resource in `unit`
    ('h', 'kWh', the unit of the material; None for `other`): quantities of one resource and item add up to
    its use, so it is 0 for `price` and `overtime`. `rate`: price of one `unit`; for `price` actual -
    standard; None for `other`. `machine` None: a charge to the site. `item`: the material. `assumed`: the
    quantity was assumed, not measured."""

    machine: str | None
    hour_us: int
    production_day: dt.date
    product: str | None
    order: str | None
    shift: str | None
    reason: str | None
    cost_centre: str | None
    resource: str
    cause: str
    item: str | None
    amount: Decimal
    quantity: Decimal | None
    unit: str | None
    rate: Decimal | None
    standard_version: int | None
    calendar_version: int
    assumed: bool = False


class Missing(Struct, gc=False, frozen=True, order=True):
    """Something the model lacks on a date: `kind` standard, product, crew, rate, wage, tariff or price."""

    kind: str
    subject: str
    date: dt.date


class Finding(Struct, gc=False, frozen=True, order=True):
    """Something the data shows that a person should know: `kind` unmapped_state, correction (a counter fell
    for no known cause), conflict (two values for one signal and time), shadowed (history where live data
    covers), or unusable (a number where none can be, or the reverse). `count` times in this hour, first at
    `first_us`."""

    kind: str
    subject: str
    detail: str
    first_us: int
    count: int


class Held(Struct, gc=False, frozen=True):
    """The last value of a signal that is no counter. `value` None is empty; `source` of the sample it came
    from."""

    slot: str
    value: str | None
    trusted: bool
    uncertain: bool
    source: str | None


class Base(Struct, gc=False, frozen=True):
    """The base of a counter: its last trusted value and raw value, in units of 1e-12. `lost`: trust was
    lost since; `turned`: order or product changed since."""

    slot: str
    value: int
    raw: int | None
    lost: bool
    turned: bool
    source: str | None


class OpenStop(Struct, gc=False, frozen=True):
    """A stop that still waits for its reason, or goes on. `to_us` None: it lasts; `reason`: the last one
    given."""

    from_us: int
    to_us: int | None
    reason: str | None


class Carry(Struct, gc=False, frozen=True, kw_only=True):
    """All that an hour needs to know of the past; equal carries give equal futures. `begun`: the time line
    began before this hour."""

    begun: bool = False
    held: tuple[Held, ...] = ()
    bases: tuple[Base, ...] = ()
    covered: tuple[str, ...] = ()
    last_product: str | None = None
    ran: bool = False
    ran_product: str | None = None
    ran_order: str | None = None
    changeover_us: int | None = None
    stops: tuple[OpenStop, ...] = ()


class Resolution(Struct, gc=False, frozen=True):
    """The open changeover that began at `from_us` runs into this product and order."""

    from_us: int
    product: str | None
    order: str | None


class Outlook(Struct, gc=False, frozen=True, kw_only=True):
    """What the future told an hour's start about what its carry leaves open: the changeover's resolution, and
    (start, reason) of the stops that were given their reason later."""

    changeover: Resolution | None = None
    reasons: tuple[tuple[int, str], ...] = ()


class Boundary(Struct, gc=False, frozen=True, kw_only=True):
    """What is stored at the start of a machine-hour; JSON by `msgspec.json.encode`."""

    hour_us: int
    carry: Carry = Carry()
    outlook: Outlook = Outlook()


class HourResult(Struct, frozen=True, kw_only=True):
    """One machine-hour, or the slice [from_us, to_us) of it where extra cuts were asked for.

    `begin`: the boundary at `hour_us` as this run knows it; store it with the hour."""

    hour_us: int
    from_us: int
    to_us: int
    begin: Boundary
    segments: tuple[Segment, ...]
    outputs: tuple[Output, ...]
    entries: tuple[Entry, ...]
    missing: tuple[Missing, ...]
    findings: tuple[Finding, ...]


class Interpretation(Struct, frozen=True, kw_only=True):
    """Hours in order. `next`: the boundary at the end of the last hour (None where the time line ends in
    it); `settled`: it equals the stored one, so that what follows need not be recomputed. `revise_us`:
    these hours tell something new to earlier ones, which must be computed again from the boundary of that
    hour on, up to the first of these hours."""

    hours: tuple[HourResult, ...]
    next: Boundary | None
    settled: bool
    revise_us: int | None
