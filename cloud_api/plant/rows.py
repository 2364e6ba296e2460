"""The plant model as rows: one row is one thing that was said: its key, effective date and content.

Rows are what is compared, versioned and stored. Content is plain text and lists, numbers as exact text, so
that the same words always give the same row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from cloud_api.plant.places import Place

Content = dict[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """One statement of the plant model.

    ``kind`` is a table of `cloud_api.plant.tables` or a part of site.yaml (site, calendar, labour, energy,
    line, machine, rate). ``effective`` is the date in the site's zone from which it counts, None
    where it has none.
    """

    kind: str
    key: tuple[str, ...]
    effective: date | None
    content: Content
    place: Place

    @property
    def identity(self) -> tuple[str, str]:
        return self.kind, key_text(self.key)


def key_text(key: tuple[str, ...]) -> str:
    return json.dumps(list(key), ensure_ascii=False, separators=(",", ":"))
