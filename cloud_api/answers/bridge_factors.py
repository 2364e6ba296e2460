"""Names of the bars of a bridge: which factor a cell of cost belongs to, in what order they stand."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from cloud_api.answers.question import CAUSES

OF_RESOURCE = frozenset({"price", "usage"})
"""Causes that mean another thing for each resource: the price of material is not that of labour."""

VOLUME, MIX = "volume", "mix"
STANDARD_VS_BUDGET = "standard_vs_budget"
LIST_PRICE, SALES_PRICE, STOCK = "list_price", "sales_price", "stock"
PARTS = ("lot_size", "sequence", "duration")
"""What a changeover of machine and labour is made of against standard."""

FIRST = (VOLUME, MIX, STANDARD_VS_BUDGET, LIST_PRICE)
LAST = (SALES_PRICE, STOCK)
_PLACES = {name: place for place, name in enumerate((*FIRST, *PARTS, *CAUSES))}
_TAKEN = frozenset({*FIRST, *LAST, *PARTS})


APART = (*sorted(OF_RESOURCE | _TAKEN), "idle", "waiting")
"""Causes whose resources a bridge tells apart: those, and unused capacity, which is the machine's alone."""


class Factor(Struct, frozen=True, gc=False):
    """One step of a bridge. `cause` is None for volume, mix and what is not a cause; `resource` is None where
    a cause takes several; `part` is of a changeover."""

    name: str
    cause: str | None = None
    resource: str | None = None
    part: str | None = None

    def holds(self, resource: str, cause: str) -> bool:
        """Whether entries of a cell stand behind this bar."""
        return cause == self.cause and self.resource in (None, resource)

    @property
    def cell_name(self) -> str:
        """The name of its cells, whatever part of them it is."""
        return self.name if self.part is None else str(self.cause)

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands among the bars."""
        word = self.part or self.cause or self.name
        if self.name in LAST:
            return len(_PLACES) + 1 + LAST.index(self.name), self.name
        return _PLACES.get(word, len(_PLACES)), self.name


@lru_cache(maxsize=1024)
def factor_of(resource: str | None, cause: str, part: str | None = None) -> Factor:
    """The factor of a cell: its cause; with its resource where the cause means another thing for each."""
    if resource == "revenue":
        return Factor(LIST_PRICE)
    if part is not None:
        return Factor(part, cause, None, part)
    if cause in OF_RESOURCE or cause in _TAKEN:
        return Factor(f"{resource}/{cause}", cause, resource)
    return Factor(cause, cause)
