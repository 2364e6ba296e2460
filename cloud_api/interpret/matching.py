"""What a person's word explains: which cells a kind of note can move, over which span, of which segments.

A note explains only cells that its kind can move, on the machine and time it names, at most one production
day unless it has an end of its own. A reason marked `other` explains nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from cloud_api.interpret.model import Span
from cloud_api.interpret.money import CONTEXT
from cloud_api.interpret.plant import Plant

NOTE_KINDS = (
    "overtime",
    "workaround",
    "resequenced",
    "accepted_lower_yield",
    "expedited",
    "reassigned_labour",
    "held_wip",
    "temporary_control",
    "judgement",
    "cause",
    "fix",
    "other",
)
"""Kinds of notes, in the order of the contract."""

ANY = "*"
_LOSSES = ("scrap", "rework", "speed_loss", "usage", "crew")
_STOPS = ("downtime", "changeover", "waiting", "unexplained")

MOVES: dict[str, frozenset[tuple[str, str]]] = {
    "overtime": frozenset({("labour", "overtime"), ("labour", "crew")}),
    "workaround": frozenset((ANY, cause) for cause in (*_LOSSES, "downtime", "waiting")),
    "resequenced": frozenset((ANY, cause) for cause in ("changeover", "waiting")),
    "accepted_lower_yield": frozenset(
        {(ANY, "scrap"), (ANY, "rework"), (ANY, "scrap_upstream"), ("material", "usage")}
    ),
    "expedited": frozenset(
        {("other", ANY), ("material", "usage"), ("labour", "overtime"), (ANY, "changeover"), (ANY, "waiting")}
    ),
    "reassigned_labour": frozenset(
        {("labour", "crew"), ("labour", "overtime"), (ANY, "speed_loss"), (ANY, "waiting"), (ANY, "downtime")}
    ),
    "held_wip": frozenset((ANY, cause) for cause in ("waiting", "wip_change")),
    "temporary_control": frozenset((ANY, cause) for cause in (*_LOSSES, "downtime", "waiting")),
    "judgement": frozenset((ANY, cause) for cause in (*_LOSSES, *_STOPS)),
    "cause": frozenset((ANY, cause) for cause in (*_LOSSES, *_STOPS, "scrap_upstream", "wip_change")),
    "fix": frozenset((ANY, cause) for cause in ("downtime", "changeover", "waiting")),
    "other": frozenset(),
}
"""The cells (resource, cause) that a kind of note can move; `*` is any."""

SPEAKS_FOR_ITSELF = frozenset({"production", "price", "planned_stop", "idle"})
"""Causes that leave nothing to explain: good units at standard, a price, a stop or a rest as planned."""

REASONED = frozenset({"downtime", "changeover", "waiting"})
"""Causes that the reason of a stop explains."""

OTHER = "other"


class Said(Struct, frozen=True, kw_only=True):
    """What a note says of where and when. `to_us` None: it has no end; `day_end_us`: the end of the
    production day in which it begins. `causes` None: every cause that its kind can move."""

    note_id: int
    kind: str
    from_us: int
    to_us: int | None
    day_end_us: int
    machine: str | None = None
    line: str | None = None
    product: str | None = None
    order: str | None = None
    causes: frozenset[str] | None = None

    @property
    def span(self) -> Span:
        """The time that it can explain."""
        return Span(self.from_us, self.day_end_us if self.to_us is None else self.to_us)

    def is_at(self, machine: str, line: str | None) -> bool:
        """Whether it names the machine, by itself or by its line; one that names neither explains nothing
        unless it names a product or an order."""
        if self.machine is not None:
            return self.machine == machine
        if self.line is not None:
            return self.line == line
        return self.product is not None or self.order is not None

    def fits(self, product: str | None, order: str | None) -> bool:
        """Whether a segment runs what the note names."""
        return self.product in (None, product) and self.order in (None, order)

    def moves(self, resource: str, cause: str) -> bool:
        """Whether the cell is one that this note can explain."""
        return moves(self.kind, resource, cause) and (self.causes is None or cause in self.causes)


@lru_cache(maxsize=4096)
def moves(kind: str, resource: str, cause: str) -> bool:
    """Whether a note of a kind can move a cell."""
    cells = MOVES.get(kind, frozenset())
    return any(cell in cells for cell in ((resource, cause), (ANY, cause), (resource, ANY)))


def covered_us(spans: Iterable[Span], from_us: int, to_us: int) -> int:
    """Time of [from_us, to_us) that lies in any of the spans."""
    total, reached = 0, from_us
    for span in sorted(spans):
        start, end = max(span.from_us, reached), min(span.to_us, to_us)
        if end > start:
            total += end - start
            reached = end
    return total


def part(amount: Decimal, covered: int, duration: int) -> Decimal:
    """The part of an amount that falls on a part of its time."""
    if covered == duration:
        return amount
    return CONTEXT.divide(CONTEXT.multiply(amount, Decimal(covered)), Decimal(duration))


def silent_reasons(plant: Plant | None) -> frozenset[str]:
    """Reasons that explain nothing: `other`, and those of category other."""
    named = () if plant is None else plant.reasons
    return frozenset({OTHER, *(row.reason for row in named if (row.category or "").casefold() == OTHER)})


def reason_explains(cause: str, reason: str | None, silent: frozenset[str]) -> bool:
    """Whether the reason of a stop says why it cost."""
    return cause in REASONED and reason is not None and reason.casefold() != OTHER and reason not in silent


def explained_part(
    said: Sequence[Said],
    resource: str,
    cause: str,
    product: str | None,
    order: str | None,
    window: Span,
    duration: int,
    amount: Decimal,
) -> Decimal:
    """The part of an entry of a segment, [window), that some note explains."""
    spans = [one.span for one in said if one.moves(resource, cause) and one.fits(product, order)]
    covered = covered_us(spans, window.from_us, window.to_us)
    return part(amount, covered, duration) if covered else Decimal(0)
