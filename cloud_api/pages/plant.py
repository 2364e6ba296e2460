"""The page of the plant model: its tables and versions, rows of one table, and the form that changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_api.access.roles import Area, may_read
from cloud_api.acts.actor import Actor, Conflict
from cloud_api.acts.plant import area_of, put_site_document, put_table
from cloud_api.answers.plant import current, tables, versions
from cloud_api.answers.question import Mistake, QuestionError, near
from cloud_api.answers.shapes.plant import PlantChanged, SiteText, TableRows
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.plant.tables import TABLES
from cloud_api.store.plant import StoredRow

ROWS, VERSIONS = 200, 12
"""Rows and versions on the page; the rest is in the export and in the API."""
NAMES = {table.name: table for table in TABLES}


def plant_model(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a table that is none."""
    site = asking.site
    chosen = asking.value("table")
    if chosen is not None and chosen not in NAMES:
        raise QuestionError([Mistake("table", f"{chosen!r} is no table{near(chosen, NAMES)}")])
    question = asking.question([("site", site.name)] if site else [])
    told = tables(asking.connection, question, False, asking.now)
    made = versions(asking.connection, question, False, asking.now)
    zone = site.time_zone if site else "UTC"
    here = [("site", site.name)] if site else []
    return {
        "place": "" if site is None else f"{site.name}, {zone}",
        "site": site.name if site else "",
        "version": told.version,
        "tables": [
            {
                "name": one.table,
                "file": "site.yaml" if one.table == "site" else f"{one.table}.csv",
                "rows": one.rows,
                "at": words.clock(one.recorded_at, zone),
                "address": None if one.table == "site" else address("/plant", [*here, ("table", one.table)]),
                "export": address(f"/v1/plant/{one.table}", here),
            }
            for one in told.rows
        ],
        "versions": [
            {**_version(one), "at": words.clock(one.recorded_at, zone)} for one in made.rows[:VERSIONS]
        ],
        "chosen": chosen,
        "columns": [column.name for column in NAMES[chosen].columns] if chosen else [],
        "rows": _rows(asking, chosen) if chosen and site else [],
        "most": ROWS,
        "names": ["site", *NAMES],
        "may": asking.principal.is_known and may_read(asking.principal.role, Area.PLANT_KEPT),
        "done": asking.value("done"),
    }


def _version(one: Any) -> dict[str, Any]:
    return {
        "version": one.version,
        "author": one.author or "–",
        "correction": one.correction,
        "added": one.added,
        "ended": one.ended,
    }


def _rows(asking: Asking, table: str) -> list[list[str]]:
    """Cells of the rows of a table; those of a resource that the reader may not see are left out."""
    assert asking.site is not None
    own: list[StoredRow] = [
        row
        for row in current(asking.connection, asking.site.name)
        if row.kind == table and row.body.get("resource") not in asking.principal.withheld
    ]
    columns = [column.name for column in NAMES[table].columns]
    return [[_cell(row.body.get(column)) for column in columns] for row in own[: ROWS + 1]]


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def change(actor: Actor, fields: Mapping[str, str]) -> str:
    """The form that checks or changes a table by the text of its file, or site.yaml by its text."""
    table = fields.get("table", "")
    if table != "site" and table not in NAMES:
        raise QuestionError([Mistake("table", f"{table!r} is no table{near(table, NAMES)}")])
    text = fields.get("file") or fields.get("text") or ""
    if not text.strip():
        raise QuestionError([Mistake("file", "is empty; choose a file, or paste its text")])
    if not may_read(actor.principal.role, area_of(table)):
        raise Conflict(f"a key of role {actor.principal.role} does not change {table}")
    site, correction = fields.get("site") or None, fields.get("correction") == "yes"
    check = fields.get("check") == "yes"
    if table == "site":
        done = put_site_document(actor, SiteText(site=site, text=text, correction=correction, check=check))
    else:
        done = put_table(table)(actor, TableRows(site=site, csv=text, correction=correction, check=check))
    said = ("done", _story(done, check))
    return address("/plant", [*([("site", site)] if site else []), said])


def _story(done: PlantChanged, check: bool) -> str:
    """One line on what a change did, or would do."""
    if done.waits_for_second_person:
        return "asked for: another person must send the same file"
    if not (done.added or done.changed or done.ended):
        return f"nothing new, {done.unchanged} rows are as they were"
    parts = f"{done.added} rows added, {done.changed} changed, {done.ended} ended"
    warned = f"; {len(done.warnings)} warnings: {done.warnings[0]}" if done.warnings else ""
    begin = "no mistake found; it would be" if check else f"version {done.version}:"
    return f"{begin} {parts}, {done.machines_to_compute} machines to compute again{warned}"[:500]
