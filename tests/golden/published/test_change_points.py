"""Series of the Turing Change Point Dataset, whose changes people have marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_api.interpret.persistence import persistence

HERE = Path(__file__).parent / "tcpd"


def series(number: int) -> list[float]:
    text = (HERE / f"quality_control_{number}.json").read_text(encoding="utf-8")
    return [float(value) for value in json.loads(text)["series"][0]["raw"]]


def test_a_shift_where_the_annotators_saw_it() -> None:
    """They marked 143 to 146, in a series with a small trend."""
    found = persistence(series(1))
    assert found.verdict == "structural"
    assert found.effect is not None
    assert found.effect.kind == "shift"
    assert 143 <= found.effect.onset <= 146
    assert [effect.kind for effect in found.effects] == ["slope", "shift"]


def test_a_shift_of_known_place_and_size() -> None:
    found = persistence(series(2))
    assert found.verdict == "structural"
    assert found.effect is not None
    assert (found.effect.kind, found.effect.onset) == ("shift", 97)
    assert found.effect.size == pytest.approx(1.5, abs=2 * found.effect.error)
    assert found.weights["shift"] > 0.99


def test_nothing_where_nobody_saw_a_change() -> None:
    found = persistence(series(5))
    assert (found.verdict, found.effects) == ("steady", ())
