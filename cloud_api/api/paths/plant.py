"""Paths of the plant model: each table is read and changed as JSON, CSV, Excel or Parquet."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from cloud_api.access.roles import Area
from cloud_api.acts.plant import area_of, put_site_document, put_table, put_whole
from cloud_api.answers import plant as answers
from cloud_api.answers.shapes import plant as shapes
from cloud_api.answers.shapes.ledger import Stated
from cloud_api.api import parameters
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint
from cloud_api.plant.tables import TABLES, Column, Table

LARGEST_MODEL = 32 << 20
"""Bytes of the largest plant model that is sent."""
_SITE = ("site", "format")
_PAGE = (*_SITE, *parameters.PAGE)
_TYPES: dict[str, Any] = {
    "number": Decimal,
    "date": dt.date,
    "instant": dt.datetime,
    "flag": bool,
    "month": Annotated[str, msgspec.Meta(description="YYYY-MM-DD, the first of the month.")],
}


def _fields(table: Table) -> list[Any]:
    return [("site", str), *(_field(column) for column in table.columns)]


def _field(column: Column) -> Any:
    type_ = _TYPES.get(column.holds, str)
    optional = not column.filled or not column.header
    name = f"{column.name}_" if column.name == "from" else column.name
    renamed = msgspec.field(name=column.name) if name != column.name else None
    if not optional:
        return (name, type_) if renamed is None else (name, type_, renamed)
    default = msgspec.field(default=None, name=column.name)
    return (name, type_ | None, default)


def _shapes(table: Table) -> tuple[type[msgspec.Struct], type[msgspec.Struct]]:
    title = table.name.title()
    row = msgspec.defstruct(
        f"{title}Row",
        _fields(table),
        kw_only=True,
        frozen=True,
        namespace={"__doc__": f"A row of {table.file}."},
    )
    answer = msgspec.defstruct(
        f"{title}Rows",
        [("next_cursor", str | None), ("withheld", list[str]), ("rows", list[row])],  # type: ignore[valid-type]
        bases=(Stated,),
        kw_only=True,
        frozen=True,
        namespace={"__doc__": f"Rows of {table.file} that count, in its order."},
    )
    return row, answer


def _endpoint(table: Table) -> Endpoint:
    row, answer = _shapes(table)
    columns = ", ".join(column.name for column in table.columns)
    return Endpoint(
        f"/plant/{table.name}",
        Area.PLANT,
        _PAGE,
        (),
        answer,
        f"The plant model: {table.file}",
        f"Its rows as they were recorded last. Columns: site, {columns}.",
        answers.rows_of(table.name, row, answer),
    )


def _action(table: Table) -> Action:
    return Action(
        "PUT",
        f"/plant/{table.name}",
        area_of(table.name),
        shapes.TableRows,
        shapes.PlantChanged,
        f"Change rows of {table.file}",
        "Rows are added or said otherwise; those that are not named stay. Every mistake is told at once, "
        "`rows[0]` being the first row, or by the line of the CSV. Hours that it touches are computed again.",
        put_table(table.name),
        200,
        {"check": True, "rows": []},
    )


ENDPOINTS = (
    Endpoint(
        "/plant",
        Area.PLANT,
        _SITE,
        (),
        shapes.PlantTables,
        "The plant model, table by table",
        "How many rows of each table count, and when the last was recorded.",
        answers.tables,
    ),
    Endpoint(
        "/plant/versions",
        Area.PLANT,
        _PAGE,
        (),
        shapes.PlantVersions,
        "Versions of the plant model",
        "Loads and changes, newest first.",
        answers.versions,
    ),
    Endpoint(
        "/plant/differences",
        Area.PLANT,
        _PAGE,
        (),
        shapes.PlantDifferences,
        "Differences between two versions of the plant model",
        "Rows that `newer` (absent: the latest) says otherwise than `older` (absent: the one before it), "
        "and what they said before and after. Wages are withheld from engineers.",
        answers.differences,
        answers.DIFFERENCES,
    ),
    Endpoint(
        "/plant/site",
        Area.PLANT,
        ("site",),
        (),
        shapes.SiteDocument,
        "The plant model: site.yaml",
        "Calendar, wages, tariffs, lines, machines and rates as one object, which can be sent back. Wages "
        "are withheld from engineers.",
        answers.site_document,
    ),
    *(_endpoint(table) for table in TABLES),
)

ACTIONS = (
    Action(
        "PUT",
        "/plant",
        Area.PLANT_PRICED,
        shapes.PlantFiles,
        shapes.PlantChanged,
        "Change the plant model as a whole",
        "Its files as text, or a zip of the folder. With site.yaml it is loaded as `cloud-api load` does; "
        "without, the tables are added to what stands. Every mistake of every file is told, by file and "
        "line; all or nothing, in one version. `check` tells what would change.",
        put_whole,
        200,
        {"check": True, "files": {"standards.csv": "product,machine,from,...", "bill.csv": "..."}},
        LARGEST_MODEL,
    ),
    Action(
        "PUT",
        "/plant/site",
        Area.PLANT_KEPT,
        shapes.SiteText,
        shapes.PlantChanged,
        "Change site.yaml",
        "It replaces the whole of it; the tables stay. What an engineer sends leaves wages, tariffs and "
        "rates.",
        put_site_document,
        200,
        {"check": True, "text": "site: columbus\n..."},
    ),
    *(_action(table) for table in TABLES),
)
