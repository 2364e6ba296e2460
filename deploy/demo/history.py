"""Weeks of history of the simulated plant as a historian would export it, and the plant model with its dates.

States, products, orders, reasons and crews are written at every change; counters every two minutes, energy
every five, measurements every ten, and besides before each change of their machine's state, product or order.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path

from deploy.demo import office
from deploy.demo.catalogue import LINES
from deploy.demo.plant import MINUTE, SECOND, Event, Plant, Stories, day_of, start_us

MODEL = Path(__file__).resolve().parent / "model"
_EVERY = {"good_count": 2 * MINUTE, "scrap_count": 2 * MINUTE, "material": 2 * MINUTE, "energy": 5 * MINUTE}
_MEASURE_EVERY = 10 * MINUTE
_CUTS = frozenset({"state", "product", "order"})


def write(file: Path, since: datetime, until: datetime) -> int:
    """Write ``time,machine,role,value`` of [since, until), whole from the start of its first day; the rows.

    The stories are dated back from the day of ``until``.
    """
    plant, from_us, to_us = _span(since, until)
    events = sorted(chain(*(thinned(plant.events(line, from_us, to_us)) for line in LINES)))
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(("time", "machine", "role", "value"))
        for event in events:
            table.writerow((_text(event.time_us), event.machine, event.role, _shown(event.value)))
    return len(events)


def write_model(folder: Path, since: datetime, until: datetime) -> Path:
    """The plant model of model/, and what planning, maintenance, quality and the office know of
    [since, until); the folder."""
    shutil.copytree(MODEL, folder, dirs_exist_ok=True)
    plant, from_us, to_us = _span(since, until)
    first = day_of(from_us)
    days = [first + timedelta(days=number) for number in range((until - since).days + 2)]
    office.write(folder, plant, days, to_us)
    return folder


def thinned(events: Iterable[Event]) -> Iterator[Event]:
    """Fewer rows that tell the same: counters now and then, and as they stood before each cut."""
    held: dict[str, dict[str, Event]] = {}
    told: dict[tuple[str, str], int] = {}
    for event in events:
        every = _every(event.role)
        waiting = held.setdefault(event.machine, {})
        if every is None:
            if event.role in _CUTS:
                yield from sorted(waiting.values())
                waiting.clear()
            yield event
        elif event.value == 0 or event.time_us - told.get((event.machine, event.role), 0) >= every:
            waiting.pop(event.role, None)
            told[event.machine, event.role] = event.time_us
            yield event
        else:
            waiting[event.role] = event
    yield from sorted(event for waiting in held.values() for event in waiting.values())


def _every(role: str) -> int | None:
    head = role.partition(":")[0]
    return _MEASURE_EVERY if head == "measure" else _EVERY.get(head)


def _span(since: datetime, until: datetime) -> tuple[Plant, int, int]:
    to_us = round(until.timestamp() * SECOND)
    return _plant(day_of(to_us)), start_us(day_of(round(since.timestamp() * SECOND))), to_us


@lru_cache(maxsize=1)
def _plant(anchor: date) -> Plant:
    """History and orders are of one plant, which remembers its orders."""
    return Plant(Stories(anchor))


def _text(time_us: int) -> str:
    moment = datetime.fromtimestamp(time_us // SECOND, UTC).replace(microsecond=time_us % SECOND)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}" if value < 1e5 else str(value)
