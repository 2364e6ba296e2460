"""The filters on top of a page: window, site and boxes, all of them in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloud_api.answers.question import Question
from cloud_api.pages.asking import DAYS, Asking, address
from cloud_api.store.times import to_us

LABELS = {"line": "Line", "machine": "Machine", "product": "Product"}


def filters(
    asking: Asking, path: str, parameters: Sequence[tuple[str, str]], question: Question, *boxes: str
) -> dict[str, Any]:
    """What `filters.html` takes; `boxes` are filters to choose from, shown where there is a choice."""
    site = asking.site
    days = {"from_day": question.from_us, "to_day": question.to_us}
    return {
        "path": path,
        "sites": [one.name for one in asking.places.sites],
        "site_name": site.name if site else None,
        **{
            name: site.day_of(us).isoformat() if site is not None and us is not None else ""
            for name, us in days.items()
        },
        "boxes": [
            {"name": name, "label": LABELS[name], "options": options, "chosen": asking.value(name)}
            for name in boxes
            if len(options := _options(asking, name)) > 1
        ],
        "spans": spans(asking, path, parameters),
    }


def place(asking: Asking) -> str:
    """Where the page is, as its head tells it."""
    site = asking.site
    return "" if site is None else f"{site.name}, {site.time_zone}"


def spans(asking: Asking, path: str, parameters: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Windows that are one tap away: days up to now, and the last two fiscal periods."""
    rest = [(key, value) for key, value in parameters if key not in ("from", "to", "period")]
    chosen = {(key, value) for key, value in parameters if key in ("from", "to", "period")}
    windows = [("last day", asking.window(1))]
    windows += [(f"{days} days", asking.window(days)) for days in (7, DAYS, 91)]
    if asking.site is not None:
        begun = [period for period in asking.site.periods if period.from_us <= to_us(asking.now)]
        windows += [(period.name, [("period", period.name)]) for period in begun[-2:]]
    return [
        {"name": name, "address": address(path, [*rest, *window]), "current": chosen == set(window)}
        for name, window in windows
    ]


def _options(asking: Asking, name: str) -> list[str]:
    site = asking.site
    if site is None:
        return []
    if name == "line":
        return list(site.lines)
    if name == "machine":
        return [machine.name for machine in site.machines]
    return sorted({row.product for row in site.plant.standards}) if site.plant is not None else []
