"""Text on its way to a spreadsheet and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.answers.spreadsheets import guarded, plain


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\ufeff=1", "\u200b=1", "＝1",
     "＋1", "－1", "＠A1", "\x00=1", "'=1"],
)  # fmt: skip
def test_what_begins_like_a_formula_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "press-1", "a=b", "1-2", "'quoted'", "x\t=1"])
def test_the_rest_stays(text: str) -> None:
    assert guarded(text) == text
    assert plain(text) == text


@given(st.text(alphabet=st.sampled_from("'=+-@＝ \ta1\u200b"), max_size=8))
def test_nothing_is_lost(text: str) -> None:
    assert plain(guarded(text)) == text
