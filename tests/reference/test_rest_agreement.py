"""The product's answers against the reference: every (resource, cause) cell of random plants."""

from pathlib import Path

import pytest

from tests.integration.api.serving import client, served, told
from tests.reference import compute
from tests.reference.agreement import disagreements
from tests.reference.plants import make_plant


@pytest.mark.parametrize("seed", range(8))
def test_every_cell_agrees(plain_database: str, tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path, days=2)
    told(plain_database, made.site, made.directory, list(made.histories))
    with served(plain_database) as address, client(address) as http:
        for window in (made.window, made.odd_window):
            result = compute(made.directory, made.histories, *window)
            assert disagreements(http, result, made.site) == []
