"""How far a number can be trusted: facts that add up over hours, and a grade with fixed thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.model import Output

ZERO, ONE = Decimal(0), Decimal(1)
GRADES = (
    ("A", Decimal("0.98"), Decimal("0.02"), Decimal("0.90"), Decimal("0.005")),
    ("B", Decimal("0.95"), Decimal("0.05"), Decimal("0.75"), Decimal("0.01")),
    ("C", Decimal("0.90"), Decimal("0.10"), Decimal("0.50"), Decimal("0.02")),
)
"""Grade, least coverage, most unexplained share, least reason coverage, most difference of counts."""


class TrustFacts(Struct, frozen=True):
    """Microseconds of a machine's time line, additive over hours and machines.

    `scheduled_us` is scheduled time inside the time line, `trusted_us` of it with a known state (uncertain
    counts), `stop_us` of it down, `reasoned_us` of that with a reason; `uncertain_us` of all time with an
    uncertain state."""

    scheduled_us: int = 0
    trusted_us: int = 0
    stop_us: int = 0
    reasoned_us: int = 0
    uncertain_us: int = 0


def trust_facts(outputs: Iterable[Output]) -> TrustFacts:
    """The facts of outputs."""
    scheduled = trusted = stop = reasoned = uncertain = 0
    for output in outputs:
        uncertain += output.uncertain_us
        if output.calendar != "scheduled":
            continue
        scheduled += output.duration_us
        if output.state != "unknown":
            trusted += output.duration_us
        if output.state == "down":
            stop += output.duration_us
            reasoned += output.duration_us if output.reason is not None else 0
    return TrustFacts(scheduled, trusted, stop, reasoned, uncertain)


def share(part: Decimal | int, whole: Decimal | int, empty: Decimal = ONE) -> Decimal:
    """part / whole, or `empty` where there is no whole (no stop at all is full reason coverage)."""
    return Decimal(part) / Decimal(whole) if whole else empty


def coverage(facts: TrustFacts, beyond_us: int = 0) -> Decimal:
    """Trusted time / scheduled time; `beyond_us`: scheduled time after the watermark, which is not
    covered."""
    return share(facts.trusted_us, facts.scheduled_us + beyond_us)


def reason_coverage(facts: TrustFacts) -> Decimal:
    """Reasoned stop time / stop time."""
    return share(facts.reasoned_us, facts.stop_us)


def unexplained_share(unexplained: Decimal, total: Decimal) -> Decimal:
    """Amounts of cause `unexplained` / total cost."""
    return share(unexplained, total, ZERO)


def grade(
    coverage: Decimal,
    unexplained: Decimal,
    reasons: Decimal,
    counts: Decimal | None,
    standards_missing: bool,
) -> str:
    """The worst of the measures: 'A' to 'D'. `counts`: relative difference of confirmed and counted good
    units, None where nothing was confirmed. A missing standard costs the A only."""
    for letter, least_coverage, most_unexplained, least_reasons, most_counts in GRADES:
        if (
            coverage >= least_coverage
            and unexplained <= most_unexplained
            and reasons >= least_reasons
            and (counts is None or abs(counts) <= most_counts)
            and not (letter == "A" and standards_missing)
        ):
            return letter
    return "D"
