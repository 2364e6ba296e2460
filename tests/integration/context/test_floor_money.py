"""`floor: {shows_money: true}` of site.yaml: read, stored, told where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_api.plant.load import load_directory
from cloud_api.plant.places import PlantRefused
from cloud_api.store.plant import snapshot
from cloud_api.store.pool import connect
from tests.integration.api.shop import write_plant


@pytest.mark.parametrize(
    ("said", "shows"), [("", False), ("{shows_money: true}", True), ("{shows_money: false}", False)]
)
def test_a_site_says_whether_its_floor_sees_money(
    plain_database: str, tmp_path: Path, said: str, shows: bool
) -> None:
    directory = write_plant(tmp_path)
    if said:
        with (directory / "site.yaml").open("a", encoding="utf-8") as file:
            file.write(f"floor: {said}\n")
    with connect(plain_database) as connection:
        load_directory(connection, directory)
        plant = snapshot(connection, "tiny")
    assert plant is not None
    assert plant.floor_shows_money is shows


def test_what_it_says_wrong_is_told_by_its_place(plain_database: str, tmp_path: Path) -> None:
    directory = write_plant(tmp_path)
    with (directory / "site.yaml").open("a", encoding="utf-8") as file:
        file.write("floor: {shows_mony: true}\n")
    with connect(plain_database) as connection, pytest.raises(PlantRefused) as refused:
        load_directory(connection, directory)
    assert "shows_mony" in refused.value.lines()[0]
