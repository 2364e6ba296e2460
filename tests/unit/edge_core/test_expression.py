"""Expressions over tags."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.expression import UnknownValue, evaluate, names_in, parse_expression

VALUES = {"run": 1.0, "fault": 0.0, "speed": 0.75, "word": 12.0, "mode": "AUTO", "gone": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 - 2 - 1", 4),
        ("8 / 4 / 2", 1),
        ("7 % 4", 3),
        ("-2 * -3", 6),
        ("0x10", 16),
        ("run and speed > 0.5", 1),
        ("run and speed > 0.75", 0),
        ("fault != 0 or not run", 0),
        ("not fault and run", 1),
        ("not (fault or run)", 0),
        ("fault == 0", 1),
        ("speed >= 0.75 and speed <= 0.75", 1),
        ("bit(word, 2)", 1),
        ("bit(word, 1 - 1)", 0),
        ("mode == 'AUTO'", 1),
        ("mode != 'HAND' and true", 1),
        ("fault and gone", 0),
        ("run or gone", 1),
        ("false", 0),
    ],
)
def test_values(text: str, value: float) -> None:
    assert evaluate(parse_expression(text), VALUES) == value


@pytest.mark.parametrize(
    "text", ["gone", "run and gone", "gone and fault", "gone == 0", "1 / fault", "mode > 1", "other", "-mode"]
)
def test_what_is_not_known(text: str) -> None:
    with pytest.raises(UnknownValue):
        evaluate(parse_expression(text), VALUES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("run = 1", "write =="),
        ("run and", "missing before the end"),
        ("run speed", "an operator is missing before 'speed'"),
        ("(run", "'\\)' is missing before the end"),
        ("bit(run)", "',' is missing"),
        ("1 < 2 < 3", "an operator is missing before '<'"),
        ("run; exit", "not understood"),
        ("__import__('os')", "an operator is missing before '\\('"),
        ("(" * 40 + "1" + ")" * 40, "nested deeper"),
        ("1" * 501, "longer than"),
        ("and", "a name or a number is missing"),
    ],
)
def test_what_is_no_expression(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_expression(text)


def test_names() -> None:
    assert sorted(names_in(parse_expression("a + bit(b, 3) > c and not a"))) == ["a", "a", "b", "c"]


@settings(deadline=None)
@given(st.text(alphabet="ab01 .+-*/%<>=!(),'andortbi", max_size=40))
def test_any_text_is_an_expression_or_a_mistake(text: str) -> None:
    with contextlib.suppress(UnknownValue, ValueError):
        evaluate(parse_expression(text), {"a": 1.0, "b": 2.0})


@settings(deadline=None)
@given(st.floats(), st.floats(), st.sampled_from(["bit(a, b)", "a / b", "a % b", "a * b > 1", "-a < b"]))
def test_any_number_has_a_result_or_none(a: float, b: float, text: str) -> None:
    with contextlib.suppress(UnknownValue):
        assert evaluate(parse_expression(text), {"a": a, "b": b}) is not None
