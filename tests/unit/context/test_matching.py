"""What a note explains: the cells of its kind, its machine, its time, and no more."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.interpret.matching import (
    MOVES,
    NOTE_KINDS,
    Said,
    covered_us,
    explained_part,
    moves,
    reason_explains,
)
from cloud_api.interpret.model import RESOURCES, Span

CAUSES = (
    "production", "price", "planned_stop", "idle", "scrap", "rework", "speed_loss", "downtime", "changeover",
    "waiting", "usage", "crew", "overtime", "unexplained",
)  # fmt: skip
DAY_END = 1000


def said(kind: str, from_us: int = 0, to_us: int | None = None, **more: Any) -> Said:
    return Said(
        note_id=1, kind=kind, from_us=from_us, to_us=to_us, day_end_us=DAY_END, **{"machine": "m1", **more}
    )


def test_every_kind_moves_something_but_other() -> None:
    assert set(MOVES) == set(NOTE_KINDS)
    moving = {kind for kind in NOTE_KINDS if any(moves(kind, r, c) for r in RESOURCES for c in CAUSES)}
    assert moving == set(NOTE_KINDS) - {"other"}


@pytest.mark.parametrize("kind", NOTE_KINDS)
def test_no_note_explains_what_speaks_for_itself(kind: str) -> None:
    for cause in ("production", "price", "idle", "planned_stop"):
        assert not any(
            moves(kind, resource, cause) for resource in ("machine", "labour", "energy", "material")
        )


@pytest.mark.parametrize(
    ("kind", "resource", "cause", "does"),
    [
        ("overtime", "labour", "overtime", True),
        ("overtime", "machine", "scrap", False),
        ("accepted_lower_yield", "material", "usage", True),
        ("accepted_lower_yield", "energy", "usage", False),
        ("resequenced", "labour", "changeover", True),
        ("expedited", "other", "courier", True),
        ("held_wip", "line", "wip_change", True),
        ("reassigned_labour", "labour", "crew", True),
    ],
)
def test_a_kind_moves_its_cells(kind: str, resource: str, cause: str, does: bool) -> None:
    assert moves(kind, resource, cause) is does


def test_a_note_is_where_it_says() -> None:
    assert said("cause").is_at("m1", "L")
    assert not said("cause").is_at("m2", "L")
    assert said("cause", machine=None, line="L").is_at("m2", "L")
    assert not said("cause", machine=None, line="L").is_at("m2", "K")
    assert said("cause", machine=None, order="A1").is_at("m2", "K")
    assert not said("cause", machine=None).is_at("m2", "K"), "it names nothing"
    assert not said("cause", order="A1").fits("P", "A2")
    assert said("cause").span == Span(0, DAY_END)
    assert said("cause", to_us=5000).span == Span(0, 5000)
    assert not said("cause", causes=frozenset({"downtime"})).moves("machine", "scrap")


def test_a_reason_marked_other_explains_nothing() -> None:
    silent = frozenset({"other", "misc"})
    assert reason_explains("downtime", "jam", silent)
    assert not any(reason_explains("downtime", reason, silent) for reason in (None, "other", "Other", "misc"))
    assert not reason_explains("speed_loss", "jam", silent)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 60)), max_size=6), st.integers(1, 30))
def test_notes_that_overlap_explain_no_second_twice(drawn: list[tuple[int, int]], length: int) -> None:
    spans = [Span(start, start + lasting) for start, lasting in drawn]
    window = Span(20, 20 + length)
    seconds = {at for span in spans for at in range(span.from_us, span.to_us)} & set(range(20, 20 + length))
    assert covered_us(spans, window.from_us, window.to_us) == len(seconds)
    notes = [said("cause", span.from_us, span.to_us) for span in spans]
    amount = Decimal(length) * 7
    part = explained_part(notes, "machine", "downtime", "P", None, window, length, amount)
    assert part == 7 * len(seconds)
