"""Named SQL: shared conditions are put in, and none is left out by a slip."""

from __future__ import annotations

from pathlib import Path

import pytest

import cloud_api.store
from cloud_api.errors import CloudError
from cloud_api.store.statements import names, statement

SQL = sorted((Path(cloud_api.store.__file__).parent / "sql").glob("*.sql"))


@pytest.mark.parametrize("file", SQL, ids=lambda file: file.stem)
def test_every_shared_condition_is_put_in(file: Path) -> None:
    for name in names(file.stem):
        assert b"-- use" not in statement(f"{file.stem}.{name}"), name


def test_a_shared_condition_stands_where_it_is_named() -> None:
    assert statement("parts.days").splitlines()[-1] in statement("answers.trust_times")


def test_a_name_without_a_statement_is_refused() -> None:
    with pytest.raises(CloudError, match="no such SQL statement"):
        statement("answers.nothing")
