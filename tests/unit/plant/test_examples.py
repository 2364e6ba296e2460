"""Every example plant of the repository is sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_api.plant.files import read_directory
from cloud_api.plant.tables import TABLES

PLANTS = sorted(path.parent for path in Path("configs/plants").glob("*/site.yaml"))


@pytest.mark.parametrize("directory", PLANTS, ids=lambda path: path.name)
def test_an_example_is_read_without_a_word(directory: Path) -> None:
    model = read_directory(directory)
    assert model.warnings == ()
    assert model.site == directory.name


def test_one_example_has_every_file_of_the_contract() -> None:
    assert {table.file for table in TABLES} <= {
        path.name for path in Path("configs/plants/columbus").iterdir()
    }


def test_a_misspelt_file_is_a_mistake_and_a_strange_one_a_warning(tmp_path: Path) -> None:
    for path in Path("configs/plants/columbus").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "machines-old.csv").write_text("a,b\n", encoding="utf-8")
    assert [warning.message for warning in read_directory(tmp_path).warnings] == [
        "'machines-old.csv' is not a file of a plant model"
    ]
    (tmp_path / "standard.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(Exception, match="1 mistake") as refused:
        read_directory(tmp_path)
    assert "did you mean 'standards.csv'?" in str(refused.value.faults[0])  # type: ignore[attr-defined]
