"""The rule on lessons can fail: for a rule without a test, with one that is not there, or left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules import lessons


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("| D1 | bounded | `tests/test_a.py::test_one` |\n", []),
        ("| D1 | bounded | |\n", ["docs/x.md:1: rule D1 has no test"]),
        (
            "| D1 | a | `tests/test_a.py::test_two` |\n",
            ["docs/x.md:1: there is no test test_two in tests/test_a.py"],
        ),
        ("| D1 | a | `tests/test_b.py::test_one` |\n", ["docs/x.md:1: there is no tests/test_b.py"]),
        ("| D2 | a | `tests/test_a.py` |\n", ["docs/x.md:1: rule D1 is missing before it"]),
        ("nothing\n", ["docs/x.md:1: no rule D1"]),
    ],
)  # fmt: skip
def test_every_rule_needs_a_test_that_is_there(
    rows: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "PROVEN", {"docs/x.md": "D"})
    for folder in ("docs", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "docs/x.md").write_text(rows, "utf-8")
    (tmp_path / "tests/test_a.py").write_text("async def test_one() -> None: ...\n", "utf-8")
    assert list(lessons.breaches(tmp_path)) == told
