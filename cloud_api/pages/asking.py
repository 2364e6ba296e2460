"""What a page is asked, and the questions that it passes on to the answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from psycopg import Connection

from cloud_api.access.gate import Principal
from cloud_api.answers.options import Option
from cloud_api.answers.places import Places, Site
from cloud_api.answers.question import FILTERS, SPANS_OF_TIME, Question, read
from cloud_api.answers.standing import data_spans
from cloud_api.store.times import to_us

TAKES = (
    "from",
    "to",
    "period",
    "site",
    "line",
    "machine",
    "product",
    "order",
    "shift",
    "resource",
    "cause",
    "reason",
)
PAGED = (*TAKES, "limit", "cursor")
DAYS = 28
"""Production days that the page shows where its address names no window."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A connection in one snapshot, the places that the reader may see, the present, the address."""

    connection: Connection[Any]
    places: Places
    principal: Principal
    now: dt.datetime
    given: Sequence[tuple[str, str]]
    path: Mapping[str, str] = field(default_factory=dict)
    languages: str = ""
    """The Accept-Language header of the reader."""

    @property
    def form_token(self) -> str:
        """What the page's forms must send as `token`; empty where nobody is logged in, and no form works."""
        return self.principal.form_token

    @property
    def site(self) -> Site | None:
        """The site of the page: the one named, else the first with a plant model, else the first."""
        named = self.value("site")
        sites = self.places.sites
        if named is not None:
            return next((site for site in sites if site.name == named), None)
        return next((site for site in sites if site.book is not None), sites[0] if sites else None)

    def value(self, name: str) -> str | None:
        """A parameter of the address, None where it is absent or empty."""
        return next((value for key, value in self.given if key == name and value), None)

    def question(
        self, parameters: Sequence[tuple[str, str]], *by: str, options: Sequence[Option] = ()
    ) -> Question:
        """A question to the answers. Raises QuestionError for what the address gets wrong."""
        return read(
            [*parameters, *(("by", name) for name in by)],
            self.places,
            allowed=(*PAGED, "by"),
            by=(*FILTERS, *SPANS_OF_TIME),
            withheld=self.principal.withheld,
            options=options,
        )

    def parameters(self, *, paged: bool = False, options: Sequence[Option] = ()) -> list[tuple[str, str]]:
        """The address as parameters of a question: its site, its window (28 production days, where it names
        none), its filters, and the options of its page. An empty field of a form asks for nothing."""
        takes = (*(PAGED if paged else TAKES), *(option.name for option in options))
        stated = [
            (key, value)
            for key, value in self.given
            if value or key not in ("from", "to", "period", *FILTERS, *(option.name for option in options))
        ]
        unknown = [(key, value) for key, value in stated if key not in takes]
        kept = [(key, value) for key, value in stated if key in takes and key != "site"]
        if self.site is not None and self.value("site") is None:
            kept.append(("site", self.site.name))
        kept += [(key, value) for key, value in stated if key == "site"]
        if not any(self.value(key) for key in ("from", "to", "period")):
            kept += self.window(DAYS)
        return kept + unknown

    def window(self, days: int) -> list[tuple[str, str]]:
        """The last so many production days, this one included."""
        today = self.today
        return [
            ("from", (today - dt.timedelta(days=days - 1)).isoformat()),
            ("to", (today + dt.timedelta(days=1)).isoformat()),
        ]

    @property
    def today(self) -> dt.date:
        """The last production day that the page shows by itself: of the present, or of the last data where
        nothing came since."""
        if self.site is None:
            return self.now.date()
        ids = [machine.machine_id for machine in self.site.machines]
        lasts = [last for _, last in data_spans(self.connection, ids)]
        return self.site.day_of(to_us(min(self.now, max(lasts, default=self.now))))


def address(path: str, parameters: Sequence[tuple[str, str]]) -> str:
    """A path with its parameters."""
    return f"{path}?{urlencode(parameters)}" if parameters else path
