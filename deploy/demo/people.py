"""What people of the simulated plant did with its figures: decisions told by the floor, a month closed by
finance. Said over the service's own API with keys of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx

from deploy.demo.catalogue import SITE, ZONE
from deploy.demo.parts import DemoError, Parts, program
from deploy.demo.plant import Stories

ROLES = ("finance", "floor", "engineer")


@dataclass(frozen=True, slots=True)
class People:
    """The keys of those who work with the demo, by role."""

    url: str
    keys: dict[str, str]

    def tell(self, stories: Stories) -> int:
        """Notes on the decisions behind the stories; how many."""
        notes = list(_notes(stories))
        for note in notes:
            _refuse(self._send("finance", "/v1/notes", {"site": SITE, **note}))
        return len(notes)

    def close_last_month(self, today: date, within_s: float) -> str:
        """Close the month before this one, as soon as its hours are computed; its name."""
        month = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
        deadline = time.monotonic() + within_s
        while (
            answer := self._send("finance", f"/v1/periods/{month}/close", {"site": SITE})
        ).status_code == 409:
            if time.monotonic() > deadline:
                raise DemoError(f"{month} could not be closed: {answer.text}")
            time.sleep(1)
        _refuse(answer)
        return month

    def _send(self, role: str, path: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[role]}"}
        return httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=60)


def hired(parts: Parts, url: str) -> People:
    """A key for each role, made as an administrator makes them."""
    keys = {}
    for role in ROLES:
        said = parts.finish(
            f"key-{role}", program("cloud_api", "key", "create", "--role", role, "--site", SITE)
        )
        keys[role] = said.split()[-1]
        (parts.folder / f"key-{role}.log").unlink()
    return People(url, keys)


def _notes(stories: Stories) -> Iterator[dict[str, Any]]:
    """The four decisions; the die and the slower feed have no end yet, though the feed's time is over."""
    resequenced = stories.anchor - timedelta(days=28)
    yield {
        "kind": "resequenced",
        "line": "stamping",
        "from": _at(resequenced, 6),
        "to": _at(stories.anchor - timedelta(days=21), 6),
        "text": "Rush orders of two customers first, lots cut to a third",
        "trade_off": "more changeovers for delivery dates",
        "expected_effect": "three changeovers a shift instead of one",
    }
    yield {
        "kind": "temporary_control",
        "machine": "press-1",
        "from": _at(stories.slow_press_from, 8),
        "to": _at(stories.slow_press_from + timedelta(days=7), 6),
        "text": "Feed set slower until the new clutch is run in",
        "trade_off": "speed for a clutch that lasts",
        "expected_effect": "back to full speed within a week",
    }
    yield {
        "kind": "accepted_lower_yield",
        "machine": "press-2",
        "product": "hinge-120",
        "from": _at(stories.worn_die_from, 6),
        "to": _at(stories.anchor + timedelta(days=7), 6),
        "text": "Die 120 is worn, regrind is booked; scrap accepted until then",
        "trade_off": "scrap for delivery",
    }
    yield {
        "kind": "overtime",
        "line": "stamping",
        "from": _at(stories.overtime_saturday, 6),
        "to": _at(stories.overtime_saturday, 14),
        "text": "Saturday shift to catch up with the hinges",
        "trade_off": "overtime premium for delivery dates",
    }


def _at(day: date, hour: int) -> str:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).isoformat()


def _refuse(answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        raise DemoError(f"the service refused: {answer.request.url}: {answer.text}")
