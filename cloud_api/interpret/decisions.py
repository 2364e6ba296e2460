"""Decisions that the data shows: drafted as notes, never known until somebody confirms them. Pure.

Signs: running in off time, an order before another that was planned earlier, a speed override other than
100 %, a crew other than standard, scrap far above standard that went on being made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.interpret.model import Segment
from cloud_api.interpret.plant import Order
from cloud_api.interpret.standards import Book
from shared.units import HOUR_US, MINUTE_US

OFF_TIME_US, OFF_TIME_GAP_US = 15 * MINUTE_US, HOUR_US
CREW_US, CREW_GAP_US = 30 * MINUTE_US, 30 * MINUTE_US
OVERRIDE_US = 10 * MINUTE_US
LEAST_UNITS, LEAST_SCRAP, TIMES, SIGMAS = 50, 10, 2, 4.0
"""Scrap is far above standard from so many times the rate, and so many sigma of a binomial count, on."""
AGAIN_US = 24 * HOUR_US
"""The same sign within a day of the last is the same decision, going on."""
WAITS = timedelta(days=7)
"""An order that was planned longer before another was given up, not passed over."""
FULL_SPEED = Decimal(100)
MADE = ("running", "changeover")


class Draft(Struct, frozen=True, kw_only=True):
    """A decision that the data shows. `detail`: what was seen, numbers as text."""

    kind: str
    sign: str
    machine: str
    from_us: int
    to_us: int
    product: str | None = None
    order: str | None = None
    detail: Mapping[str, str] = {}

    def goes_on(self, sign: str, from_us: int, to_us: int, order: str | None) -> bool:
        """Whether a decision that was drafted before is this one."""
        if sign != self.sign or (self.sign == "sequence" and order != self.order):
            return False
        if self.sign == "scrap" and order != self.order and None not in (order, self.order):
            return False
        return self.from_us <= to_us + AGAIN_US and self.to_us >= from_us - AGAIN_US


def off_time(segments: Sequence[Segment]) -> list[Draft]:
    """Running or changing over outside all shifts: overtime that the calendar does not know."""
    made = [one for one in segments if one.calendar == "off" and one.state in MADE]
    return [
        Draft(
            kind="overtime",
            sign="off_time",
            machine=run[0].machine,
            from_us=run[0].from_us,
            to_us=run[-1].to_us,
            product=run[0].product,
            order=run[0].order,
            detail={"hours": _hours(run), "crew": _plain(max(one.crew for one in run))},
        )
        for run in _runs(made, OFF_TIME_GAP_US, _any)
        if _lasted(run) >= OFF_TIME_US
    ]


def crew(segments: Sequence[Segment], book: Book) -> list[Draft]:
    """Running with more or fewer people than the standard says, as a crew signal tells."""
    standard: dict[tuple[str | None, str], Decimal | None] = {}
    other: list[Segment] = []
    for one in segments:
        if one.state != "running" or one.calendar != "scheduled" or one.crew_assumed_us:
            continue
        known = book.standard(one.machine, one.product, one.effective, "ante")
        people = None if known is None else known.crew
        if people is not None and people != one.crew:
            other.append(one)
            standard[one.product, one.effective.isoformat()] = people
    drafts = []
    for run in _runs(other, CREW_GAP_US, _crew):
        if _lasted(run) < CREW_US:
            continue
        people = standard[run[0].product, run[0].effective.isoformat()]
        detail = {"hours": _hours(run), "crew": _plain(run[0].crew), "standard": _plain(people or Decimal(0))}
        drafts.append(
            Draft(
                kind="reassigned_labour",
                sign="crew",
                machine=run[0].machine,
                from_us=run[0].from_us,
                to_us=run[-1].to_us,
                product=run[0].product,
                order=run[0].order,
                detail=detail,
            )
        )
    return drafts


def scrap(segments: Sequence[Segment], book: Book) -> list[Draft]:
    """An order whose scrap was far above standard, and which was made on all the same."""
    by_order: dict[tuple[str | None, str | None], list[Segment]] = {}
    for one in segments:
        if one.state == "running" and one.product is not None:
            by_order.setdefault((one.product, one.order), []).append(one)
    drafts = []
    for (product, order), run in by_order.items():
        known = book.standard(run[0].machine, product, run[-1].effective, "ante")
        good, bad = sum(one.good for one in run), sum(one.scrap for one in run)
        if known is None or not _is_far(Decimal(good), Decimal(bad), known.scrap_rate):
            continue
        units = Decimal(good) + Decimal(bad)
        drafts.append(
            Draft(
                kind="accepted_lower_yield",
                sign="scrap",
                machine=run[0].machine,
                from_us=run[0].from_us,
                to_us=run[-1].to_us,
                product=product,
                order=order,
                detail={
                    "scrap": _plain(Decimal(bad)),
                    "units": _plain(units),
                    "percent": f"{bad / units * 100:.1f}",
                    "standard": f"{known.scrap_rate * 100:.1f}",
                },
            )
        )
    return drafts


def in_a_row(drafts: Sequence[Draft]) -> list[Draft]:
    """What `scrap` told, with orders of a product that followed each other within a day as one decision: of a
    whole history nobody confirms order by order."""
    kept: list[Draft] = []
    for draft in sorted(drafts, key=lambda one: (one.product or "", one.from_us)):
        last = kept[-1] if kept else None
        if last is None or last.product != draft.product or draft.from_us > last.to_us + AGAIN_US:
            kept.append(draft)
            continue
        bad, units = (Decimal(last.detail[name]) + Decimal(draft.detail[name]) for name in ("scrap", "units"))
        said = {"scrap": _plain(bad), "units": _plain(units), "percent": f"{bad / units * 100:.1f}"}
        kept[-1] = replace(
            last,
            to_us=max(last.to_us, draft.to_us),
            order=last.order if last.order == draft.order else None,
            detail={**draft.detail, **said},
        )
    return kept


def sequence(segments: Sequence[Segment], planned: Iterable[Order], begun: Mapping[str, int]) -> list[Draft]:
    """Orders that began before another which was planned earlier, within a week. `planned`: orders of this
    machine; `begun`: when those of it that ran until now first did."""
    plan = {order.order: order for order in planned}
    drafts = []
    for name, run in _first_runs(segments).items():
        own = plan.get(name)
        if own is None:
            continue
        since = begun.get(name, run[0].from_us)
        passed = [
            one
            for one in sorted(plan.values(), key=_planned)
            if own.planned_start - WAITS <= one.planned_start < own.planned_start
            and begun.get(one.order, since + 1) > since
        ]
        if passed:
            drafts.append(
                Draft(
                    kind="resequenced",
                    sign="sequence",
                    machine=run[0].machine,
                    from_us=run[0].from_us,
                    to_us=run[-1].to_us,
                    product=own.product,
                    order=name,
                    detail={"order": name, "before": passed[0].order, "orders": str(len(passed))},
                )
            )
    return drafts


def override(
    machine: str, values: Sequence[tuple[int, Decimal | None]], to_us: int, segments: Sequence[Segment]
) -> list[Draft]:
    """Running with a speed override other than 100 %. `values`: (since, percent) in order, up to `to_us`."""
    drafts = []
    ends = [*(since for since, _ in values[1:]), to_us]
    for (since, percent), end in zip(values, ends, strict=True):
        if percent is None or percent == FULL_SPEED:
            continue
        ran = [one for one in segments if one.state == "running" and one.from_us < end and one.to_us > since]
        lasted = sum(min(one.to_us, end) - max(one.from_us, since) for one in ran)
        if lasted >= OVERRIDE_US:
            drafts.append(
                Draft(
                    kind="temporary_control",
                    sign="override",
                    machine=machine,
                    from_us=max(ran[0].from_us, since),
                    to_us=min(ran[-1].to_us, end),
                    product=ran[0].product,
                    order=ran[0].order,
                    detail={"percent": _plain(percent), "hours": f"{lasted / HOUR_US:.1f}"},
                )
            )
    return drafts


def joined(drafts: Sequence[Draft]) -> list[Draft]:
    """Drafts in which the same decision goes on are one, from the first to the last."""
    kept: list[Draft] = []
    for draft in sorted(drafts, key=lambda one: (one.machine, one.sign, one.from_us)):
        last = kept[-1] if kept else None
        same = last is not None and (last.machine, last.detail.get("percent")) == (
            draft.machine,
            draft.detail.get("percent"),
        )
        if last is not None and same and draft.goes_on(last.sign, last.from_us, last.to_us, last.order):
            kept[-1] = Draft(
                kind=last.kind,
                sign=last.sign,
                machine=last.machine,
                from_us=last.from_us,
                to_us=max(last.to_us, draft.to_us),
                product=last.product if last.product == draft.product else None,
                order=last.order if last.order == draft.order else None,
                detail=draft.detail,
            )
        else:
            kept.append(draft)
    return kept


def _runs(segments: Sequence[Segment], gap_us: int, kind: Callable[[Segment], object]) -> list[list[Segment]]:
    """Segments with at most a gap between them, and of one kind."""
    runs: list[list[Segment]] = []
    for one in segments:
        last = runs[-1][-1] if runs else None
        if last is not None and one.from_us - last.to_us <= gap_us and kind(last) == kind(one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _first_runs(segments: Sequence[Segment]) -> dict[str, list[Segment]]:
    found: dict[str, list[Segment]] = {}
    for one in segments:
        if one.state == "running" and one.order is not None:
            found.setdefault(one.order, []).append(one)
    return found


def _is_far(good: Decimal, bad: Decimal, rate: Decimal) -> bool:
    units = good + bad
    if units < LEAST_UNITS or bad < LEAST_SCRAP or bad < TIMES * rate * units:
        return False
    expected = float(rate * units)
    return float(bad) - expected >= SIGMAS * math.sqrt(max(expected * (1 - float(rate)), 1.0))


def _any(_: Segment) -> object:
    return None


def _crew(one: Segment) -> object:
    return one.crew, one.product


def _planned(order: Order) -> datetime:
    return order.planned_start


def _lasted(run: Sequence[Segment]) -> int:
    return sum(one.to_us - one.from_us for one in run)


def _hours(run: Sequence[Segment]) -> str:
    return f"{_lasted(run) / HOUR_US:.1f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
