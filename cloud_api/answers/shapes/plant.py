"""Shapes of the plant model: its tables, its versions, site.yaml, and what a change of it did."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from cloud_api.answers.shapes.ledger import Stated, Time


class PlantTable(Struct, frozen=True, kw_only=True):
    """A table of a site's plant model, and how many of its rows count."""

    site: str
    table: Annotated[str, Meta(description="`site` for site.yaml, else the CSV file without its ending.")]
    rows: int
    recorded_at: Annotated[Time | None, Meta(description="When its last row was recorded.")]


class PlantTables(Stated, frozen=True, kw_only=True):
    """The plant model, table by table. `version` is the last load or change of the sites asked for."""

    version: int | None
    rows: list[PlantTable]


class PlantVersion(Struct, frozen=True, kw_only=True):
    """One load or change. `correction`: it put a typing error right, for the past too."""

    site: str
    version: int
    recorded_at: Time
    correction: bool
    author: str
    added: Annotated[int, Meta(description="Rows that it recorded.")]
    ended: Annotated[int, Meta(description="Rows that no longer count since.")]


class PlantVersions(Stated, frozen=True, kw_only=True):
    """Versions of the plant model, newest first."""

    next_cursor: str | None
    rows: list[PlantVersion]


class SiteDocument(Stated, frozen=True, kw_only=True):
    """site.yaml of a site as an object; JSON is YAML, so it can be sent back as it is."""

    site: str
    version: int
    withheld: Annotated[list[str], Meta(description="Parts that this key may not read; a PUT leaves them.")]
    document: dict[str, Any]


class SiteText(Struct, frozen=True, kw_only=True):
    """site.yaml anew: as an object (`document`) or as the text of the file (`text`). `check`: only look for
    mistakes, change nothing."""

    site: str | None = None
    document: dict[str, Any] | None = None
    text: str | None = None
    correction: bool = False
    check: bool = False


class TableRows(Struct, frozen=True, kw_only=True):
    """Rows to add, or to say otherwise: as objects (`rows`) or as the text of a CSV file (`csv`). Rows that
    are not named stay. `correction` puts a typing error right, for the past too. `check`: only look for
    mistakes."""

    site: str | None = None
    rows: list[dict[str, str | int | float | bool | None]] | None = None
    csv: str | None = None
    correction: bool = False
    check: bool = False


class PlantChange(Struct, frozen=True, kw_only=True):
    """A row that is said otherwise. `before` null: it is new; `after` null: it no longer counts."""

    file: str
    part: Annotated[str, Meta(description="The table, or the part of site.yaml: labour, energy, rate, ...")]
    key: Annotated[list[str], Meta(description="What makes it one row.")]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class PlantDifferences(Stated, frozen=True, kw_only=True):
    """What one version of a plant model says otherwise than an earlier one."""

    older: Annotated[int | None, Meta(description="Null: from before the first.")]
    newer: int | None
    withheld: list[str]
    next_cursor: str | None
    rows: list[PlantChange]


class PlantFiles(Struct, frozen=True, kw_only=True):
    """A plant model as a whole: its `files` by name as text, or a `zip` of them (base64). With site.yaml it
    is all of it; without, its tables are added to what stands. `check`: only look for mistakes and tell what
    would change."""

    site: str | None = None
    files: Annotated[dict[str, str] | None, Meta(description="Text by file: standards.csv, ...")] = None
    zip: Annotated[bytes | None, Meta(description="The folder, packed.")] = None
    correction: bool = False
    check: bool = False


class PlantChanged(Struct, frozen=True, kw_only=True):
    """What a change did. `version` null: nothing was new, or it was only checked, or waits."""

    site: str
    version: int | None
    added: int = 0
    changed: int = 0
    ended: int = 0
    unchanged: int = 0
    machines_to_compute: Annotated[int, Meta(description="Machines with hours to be computed again.")] = 0
    warnings: list[str] = field(default_factory=list)
    changes: Annotated[list[PlantChange], Meta(description="The first 500 rows that are said otherwise.")] = (
        field(default_factory=list)
    )
    waits_for_second_person: bool = False
