"""Changes of the plant model through the API: rows of a table, site.yaml. Nothing half applied, all in the
audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cloud_api.access.roles import Area, KeyRole
from cloud_api.acts.actor import Actor, Conflict
from cloud_api.acts.approval import agreed, name_of
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, QuestionError
from cloud_api.answers.shapes.plant import PlantChange, PlantChanged, PlantFiles, SiteText, TableRows
from cloud_api.errors import CloudError
from cloud_api.plant.files import SITE_KINDS
from cloud_api.plant.load import Loaded
from cloud_api.plant.places import PlantRefused
from cloud_api.plant.put import put_csv, put_rows, put_site
from cloud_api.plant.upload import put_files, unpacked
from cloud_api.plant.versions import BITEMPORAL, Change

PRICED = ("labour", "energy", "rate")
"""Parts of site.yaml that finance alone changes: a PUT of an engineer leaves them as they are."""
MOST_AUDITED = 500
"""Rows whose words before and after stand in the audit; of more, the rest is counted."""


BY_ENGINEERS = ("site", "reasons", "quality", "maintenance", "orders", "changeovers", "confirmations")
"""Tables that engineers change too; finance changes all."""


def area_of(table: str) -> Area:
    """Who may change a table, or site.yaml (`site`)."""
    return Area.PLANT_KEPT if table in BY_ENGINEERS else Area.PLANT_PRICED


class _OnlyChecked(Exception):
    """Carries what would have been done out of the transaction that is rolled back."""

    def __init__(self, done: Loaded) -> None:
        self.done = done


def put_table(table: str) -> Callable[[Actor, TableRows], PlantChanged]:
    """What adds or changes rows of one table. It raises QuestionError with every mistake."""

    def put(actor: Actor, body: TableRows) -> PlantChanged:
        if (body.rows is None) == (body.csv is None):
            raise QuestionError([Mistake("rows", "give either `rows` or `csv`")])
        site = actor.site(body.site)

        def perform() -> Loaded:
            options: dict[str, Any] = {"correction": body.correction, "author": name_of(actor)}
            if body.csv is not None:
                return put_csv(actor.connection, site.name, table, body.csv, **options)
            return put_rows(actor.connection, site.name, table, body.rows or [], **options)

        return _change(actor, site, table, body, perform)

    return put


def put_site_document(actor: Actor, body: SiteText) -> PlantChanged:
    """Says site.yaml anew; an engineer's PUT leaves prices and wages. Raises QuestionError with every
    mistake."""
    if (body.document is None) == (body.text is None):
        raise QuestionError([Mistake("document", "give either `document` or `text`")])
    site = actor.site(body.site)
    text = body.text if body.text is not None else _written(body.document)
    kept = () if actor.principal.role is KeyRole.FINANCE else PRICED

    def perform() -> Loaded:
        return put_site(
            actor.connection,
            site.name,
            text,
            correction=body.correction,
            author=name_of(actor),
            kept=kept,
        )

    return _change(actor, site, "site", body, perform)


def put_whole(actor: Actor, body: PlantFiles) -> PlantChanged:
    """Records the files of a plant model, all or nothing. Raises QuestionError with every mistake."""
    if (body.files is None) == (body.zip is None):
        raise QuestionError([Mistake("files", "give either `files` or `zip`")])
    site = actor.site(body.site)
    try:
        contents = unpacked(body.zip) if body.zip is not None else None
    except CloudError as error:
        raise QuestionError([Mistake("zip", str(error))]) from None
    if contents is None:
        contents = {name: text.encode() for name, text in (body.files or {}).items()}
    if not contents:
        raise QuestionError([Mistake("files", "hold no file of a plant model")])

    def perform() -> Loaded:
        options: dict[str, Any] = {"correction": body.correction, "author": name_of(actor)}
        return put_files(actor.connection, site.name, contents, **options)

    return _change(actor, site, "all", body, perform)


def _written(document: object) -> str:
    """A document as text of which places can be told: JSON over many lines."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _change(
    actor: Actor,
    site: Site,
    table: str,
    body: TableRows | SiteText | PlantFiles,
    perform: Callable[[], Loaded],
) -> PlantChanged:
    try:
        checked = only_checked(actor, perform)
        if body.check or checked.version is None:
            return _told(checked, changed=False)
        if _needs_two(checked) and not agreed(
            actor, site, "plant change", table, msgspec.to_builtins(body), rows=len(checked.changes)
        ):
            return msgspec.structs.replace(_told(checked, changed=False), waits_for_second_person=True)
        done = perform()
    except PlantRefused as refused:
        raise QuestionError(
            [Mistake(_field(fault.place), f"{fault.message}: {fault.mend}") for fault in refused.faults]
        ) from None
    except CloudError as error:
        raise Conflict(str(error)) from None
    changes = [_said(change) for change in done.changes[:MOST_AUDITED]]
    actor.audit(
        "plant model changed",
        site.name,
        table=table,
        version=done.version,
        correction=body.correction,
        changes=changes,
        more=len(done.changes) - len(changes),
    )
    return _told(done, changed=True)


def only_checked(actor: Actor, perform: Callable[[], Loaded]) -> Loaded:
    """What a change would do; nothing of it stays."""
    try:
        with actor.connection.transaction():
            raise _OnlyChecked(perform())
    except _OnlyChecked as checked:
        return checked.done


def _needs_two(done: Loaded) -> bool:
    """Whether standards, bills or prices change."""
    return any(change.kind in BITEMPORAL for change in done.changes)


def _field(place: Any) -> str:
    """A place as the field of a request: rows[0] is the first row."""
    if "." in place.file:
        return str(place)
    return f"rows[{place.line - 1}]"


def _said(change: Change) -> dict[str, Any]:
    before = None if change.before is None else _body(change.before.body)
    after = None if change.after is None else _body(change.after.content)
    return {"kind": change.kind, "key": list(change.key), "before": before, "after": after}


def _body(said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "source"}


def _told(done: Loaded, *, changed: bool) -> PlantChanged:
    return PlantChanged(
        site=done.site,
        version=done.version if changed else None,
        added=done.added,
        changed=done.changed,
        ended=done.ended,
        unchanged=done.unchanged,
        machines_to_compute=done.marked,
        warnings=[str(warning) for warning in done.warnings],
        changes=[
            PlantChange(
                file="site.yaml" if change.kind in SITE_KINDS else f"{change.kind}.csv",
                part=change.kind,
                key=list(change.key),
                before=None if change.before is None else _body(change.before.body),
                after=None if change.after is None else _body(change.after.content),
            )
            for change in done.changes[:MOST_AUDITED]
        ],
    )
