"""Parts of a plant model put by request: the rules, versions and marks of a load."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cloud_api.errors import CloudError
from cloud_api.plant.load import load_directory
from cloud_api.plant.places import PlantRefused
from cloud_api.plant.put import put_rows, put_site
from cloud_api.store import plant as store
from cloud_api.store.pool import connect

EXAMPLE = Path("configs/plants/columbus")


@pytest.fixture
def site(plain_database: str) -> str:
    with connect(plain_database) as connection:
        load_directory(connection, EXAMPLE)
    return plain_database


def test_a_row_is_added_and_the_others_stay(site: str) -> None:
    with connect(site) as connection:
        row = {"material": "carton", "from": "2026-12-01", "standard": 0.41, "actual": Decimal("0.415")}
        done = put_rows(connection, "columbus", "prices", [row])
        assert (done.added, done.changed, done.ended) == (1, 0, 0)
        assert put_rows(connection, "columbus", "prices", [row]).version is None
        plant = store.snapshot(connection, "columbus")
    assert plant is not None
    cartons = [price for price in plant.prices if price.material == "carton"]
    assert [(price.effective_from, price.standard) for price in cartons] == [
        (date(2026, 1, 1), Decimal("0.38")),
        (date(2026, 12, 1), Decimal("0.41")),
    ]
    assert cartons[1].source == "prices:1"
    assert len(plant.standards) == 7


def test_every_mistake_of_a_request_is_told_and_nothing_is_put(site: str) -> None:
    rows = [
        {"reason": "jam", "machine": "press-9", "controllable": "perhaps"},
        {"machine": "press-1", "colour": "red"},
    ]
    with connect(site) as connection:
        before = store.latest_version(connection, "columbus")
        with pytest.raises(PlantRefused) as refused:
            put_rows(connection, "columbus", "reasons", rows)
        assert store.latest_version(connection, "columbus") == before
    told = refused.value.lines()
    assert [line.split(": ")[0] for line in told] == ["reasons:1", "reasons:1", "reasons:2", "reasons:2"]
    assert "'colour' is not a column of reasons" in told[2]


def test_the_site_is_said_anew_and_its_tables_stay(site: str) -> None:
    text = (EXAMPLE / "site.yaml").read_text(encoding="utf-8")
    with connect(site) as connection:
        assert put_site(connection, "columbus", text).version is None
        done = put_site(connection, "columbus", text.replace("amount: 250", "amount: 300"))
        plant = store.snapshot(connection, "columbus")
        assert done.changed == 1
        assert plant is not None
        assert plant.materiality_amount == 300
        assert len(plant.orders) == 3
        with pytest.raises(PlantRefused) as refused:
            put_site(connection, "columbus", text.replace("id: packer-1", "id: packer-2"))
        assert "the machine 'packer-1' is named here but would be gone" in refused.value.lines()[0]
        with pytest.raises(PlantRefused, match="mistake"):
            put_site(connection, "columbus", text.replace("site: columbus", "site: dayton"))


def test_an_unknown_table_or_site_is_told(site: str) -> None:
    with connect(site) as connection:
        with pytest.raises(CloudError, match="did you mean 'prices'"):
            put_rows(connection, "columbus", "price", [])
        with pytest.raises(CloudError, match="there is no plant model of 'ohio'"):
            put_rows(connection, "ohio", "prices", [])
