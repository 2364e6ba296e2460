"""The page of the plant model: its tables and versions, rows of one table, and the form that changes it."""

from __future__ import annotations

import csv
import io
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from cloud_api.access.roles import Area, may_read
from cloud_api.acts.actor import Actor, Conflict
from cloud_api.acts.plant import area_of, put_site_document, put_table, put_whole
from cloud_api.answers.plant import DIFFERENCES, current, differences, tables, versions
from cloud_api.answers.question import Mistake, QuestionError, near
from cloud_api.answers.shapes.plant import PlantChange, PlantChanged, PlantFiles, SiteText, TableRows
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.page import Told
from cloud_api.plant.tables import TABLES
from cloud_api.plant.upload import zipped
from cloud_api.store.plant import StoredRow

ROWS, VERSIONS, PREVIEWED = 200, 12, 200
"""Rows, versions and changes on the page; the rest is in the export and in the API."""
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
            {
                **_version(one),
                "at": words.clock(one.recorded_at, zone),
                "address": address("/plant/differences", [*here, ("newer", str(one.version))]),
            }
            for one in made.rows[:VERSIONS]
        ],
        "chosen": chosen,
        "columns": [column.name for column in NAMES[chosen].columns] if chosen else [],
        "rows": _rows(asking, chosen) if chosen and site else [],
        "most": ROWS,
        "text": _text(asking, chosen) if chosen and site else "",
        "may_all": asking.principal.is_known and may_read(asking.principal.role, Area.PLANT_PRICED),
        "names": ["site", *NAMES],
        "may": asking.principal.is_known and may_read(asking.principal.role, Area.PLANT_KEPT),
        "done": asking.value("done"),
    }


def plant_differences(asking: Asking) -> dict[str, Any]:
    """What one version says otherwise than an earlier one. Raises QuestionError for what is no version."""
    site = asking.site
    here = [("site", site.name)] if site else []
    options = [(name, value) for name in ("older", "newer") if (value := asking.value(name))]
    question = asking.question([*here, *options], options=DIFFERENCES)
    told = differences(asking.connection, question, False, asking.now)
    return {
        "place": "" if site is None else f"{site.name}, {site.time_zone}",
        "told": told,
        "changes": [_change(one) for one in told.rows],
        "back": address("/plant", here),
        "export": address("/v1/plant/differences", [*here, *options]),
    }


def _change(one: PlantChange) -> dict[str, Any]:
    """A row that is said otherwise, with the columns in which it is."""
    before, after = one.before or {}, one.after or {}
    key = set(one.key)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {
        "file": one.file if one.file != "site.yaml" else f"site.yaml: {one.part}",
        "key": ", ".join(word for word in one.key if word),
        "kind": "new" if one.before is None else "gone" if one.after is None else "changed",
        "columns": [
            {"name": name, "before": _cell(before.get(name)), "after": _cell(after.get(name))}
            for name in names
            if str((after or before).get(name)) not in key or (one.before and one.after)
        ],
    }


def upload(actor: Actor, fields: Mapping[str, str]) -> str | Told:
    """The form that takes a plant model as a whole: files, or a zip. It tells what would change, and applies
    it when that is sent back."""
    site = actor.site(fields.get("site") or None).name
    given = {
        name.removeprefix("files "): b64decode(text)
        for name, text in fields.items()
        if name.startswith("files ")
    }
    zips = [name for name in given if name.lower().endswith(".zip")]
    packed = fields.get("zip") or (b64encode(given[zips[0]]).decode() if len(given) == len(zips) == 1 else "")
    if not given and not packed:
        raise QuestionError([Mistake("files", "choose a zip, or the files of the plant model")])
    if not packed:
        packed = b64encode(zipped(given)).decode()
    correction = fields.get("correction") == "yes"
    check = fields.get("apply") != "yes"
    try:
        content = b64decode(packed, validate=True)
    except ValueError:
        raise QuestionError([Mistake("files", "were not sent whole; choose them again")]) from None
    done = put_whole(actor, PlantFiles(site=site, zip=content, correction=correction, check=check))
    if not check:
        return address("/plant", [("site", site), ("done", _story(done, check=False))])
    return Told(
        "preview.html",
        {
            "site": site,
            "story": _story(done, check=True),
            "done": done,
            "changes": [_change(one) for one in done.changes[:PREVIEWED]],
            "more": done.added + done.changed + done.ended - len(done.changes[:PREVIEWED]),
            "zip": packed,
            "correction": correction,
            "back": address("/plant", [("site", site)]),
        },
    )


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


def _text(asking: Asking, table: str) -> str:
    """The rows of a table as its CSV, to be edited where they are; empty where they are too many."""
    rows = _rows(asking, table)
    if len(rows) > ROWS:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in NAMES[table].columns])
    writer.writerows([["" if cell == "–" else cell for cell in row] for row in rows])
    return out.getvalue()


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
