"""Notes: what people said, found again by place, time and words; and which of them may explain a segment.

No person is a filter. An author is named to the own line only, unless released.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from psycopg import Connection

from cloud_api.answers.envelope import envelope
from cloud_api.answers.memory import remembered
from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.shapes.notes import NoteRef, NoteRow, Notes
from cloud_api.interpret.matching import NOTE_KINDS, Said
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.units import DAY_US

Source = Any
OPTIONS = (
    Option("q", "Words that all stand in a note, or begin a word of it.", "text", example="guide pin"),
    Option("kind", "Only notes of this kind.", "word", NOTE_KINDS),
    Option("withdrawn", "Whether withdrawn notes are told too.", "word", ("yes", "no"), "no"),
)
_WORD = re.compile(r"\w+")


def notes(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Notes:
    """Notes of a question, newest first. Who sees no money here is the floor: it is told the authors of the
    line that it asks about."""
    lines = question.names("line") if not sees_money else None
    rows = found(connection, question, own_lines=frozenset(lines or ()))
    page, next_cursor = one_page(rows, question)
    said = envelope(connection, question, now)
    if not sees_money:
        said["currency"] = None
    return Notes(**said, next_cursor=next_cursor, rows=page)


def found(
    connection: Connection[Any], question: Question, *, own_lines: frozenset[str | None] = frozenset()
) -> list[NoteRow]:
    """Every note that the filters, the window and the options of a question let through."""
    machines = question.names("machine")
    kind = question.options.get("kind")
    lines = {machine.line for machine in question.machines if machines and machine.name in machines}
    parameters = {
        "sites": [site.name for site in question.sites],
        "notes": None,
        "kinds": None if kind is None else [kind],
        "machines": _names(machines),
        "lines_of_machines": sorted(line for line in lines if line is not None),
        "lines": _names(question.names("line")),
        "machines_of_lines": [machine.name for machine in question.machines],
        "products": _names(question.names("product")),
        "orders": _names(question.names("order")),
        "from": None if question.from_us is None else from_us(question.from_us),
        "to": None if question.to_us is None else from_us(question.to_us),
        "words": search(question.options.get("q")),
        "withdrawn": question.options.get("withdrawn") == "yes",
    }
    sites = {site.name: site for site in question.sites}
    stored = connection.execute(statement("context.notes"), parameters).fetchall()
    return [note_row(sites[row[1]], row, own_lines) for row in stored]


def by_id(
    connection: Connection[Any], sites: Sequence[Site], ids: Sequence[int], own_lines: frozenset[str | None]
) -> list[NoteRow]:
    """Notes of some sites by their ids, newest first."""
    parameters: dict[str, Any] = dict.fromkeys(
        (
            "kinds",
            "machines",
            "lines_of_machines",
            "lines",
            "machines_of_lines",
            "products",
            "orders",
            "from",
            "to",
            "words",
        )
    )
    names = {site.name: site for site in sites}
    parameters |= {"sites": list(names), "notes": list(ids), "withdrawn": True}
    stored = connection.execute(statement("context.notes"), parameters).fetchall()
    return [note_row(names[row[1]], row, own_lines) for row in stored]


def notes_over(
    connection: Connection[Any], site: Site, machine: str, from_us_: int, to_us_: int
) -> list[NoteRef]:
    """Living notes that may explain something of a machine in [from_us_, to_us_), oldest first."""
    line = next((one.line for one in site.machines if one.name == machine), None)
    fitting = [
        one.note_id
        for one in said_at(connection, site, from_us_, to_us_)
        if one.is_at(machine, line) and one.span.from_us < to_us_ and one.span.to_us > from_us_
    ]
    rows = by_id(connection, [site], fitting, frozenset())
    return [ref(row) for row in reversed(rows)]


def ref(row: NoteRow) -> NoteRef:
    """A note as it stands beside a figure."""
    return NoteRef(id=row.id, kind=row.kind, text=row.text, from_=row.from_, to=row.to, href=_href(row))


@remembered
def said_at(connection: Connection[Any], site: Site, from_us_: int | None, to_us_: int | None) -> list[Said]:
    """Living notes of a site that may reach into a window, as the matching takes them."""
    window = {
        "site": site.name,
        "from": None if from_us_ is None else from_us(from_us_),
        "to": None if to_us_ is None else from_us(to_us_),
    }
    rows = connection.execute(statement("context.said"), window).fetchall()
    return [_said(site, row) for row in rows]


def said_by(connection: Connection[Any], site: Site, note_id: int) -> list[Said]:
    """A living note and those that reach further for it, as the matching takes them."""
    rows = connection.execute(statement("context.said_by"), {"note": note_id}).fetchall()
    return [_said(site, row) for row in rows]


def _said(site: Site, row: tuple[Any, ...]) -> Said:
    note_id, kind, starts_at, ends_at, machine, line, product, order, causes = row
    return Said(
        note_id=note_id,
        kind=kind,
        from_us=to_us(starts_at),
        to_us=None if ends_at is None else to_us(ends_at),
        day_end_us=day_end(site, to_us(starts_at)),
        machine=machine,
        line=line,
        product=product,
        order=order,
        causes=None if causes is None else frozenset(causes),
    )


def day_end(site: Site, us: int) -> int:
    """The end of the production day of an instant."""
    if site.book is None:
        return us - us % DAY_US + DAY_US
    return site.book.almanac.day_span(site.day_of(us)).to_us


def search(words: str | None) -> str | None:
    """A text search query for all the words, each as the beginning of one; None for no words."""
    found_ = _WORD.findall(words or "")
    return " & ".join(f"'{word}':*" for word in found_) or None


def note_row(site: Site, row: tuple[Any, ...], own_lines: frozenset[str | None]) -> NoteRow:
    """A stored note; its author where the reader may know."""
    note_id, _, kind, text, machine, line, product, order, starts_at, ends_at = row[:10]
    trade_off, expected_effect, author, released, causes, question, like_of, decision = row[10:18]
    created_at, changed_at, withdrawn_at = row[18:]
    end = from_us(day_end(site, to_us(starts_at))) if ends_at is None else ends_at
    home = line or next((one.line for one in site.machines if one.name == machine), None)
    names = ((name, value) for name, value in (("machine", machine), ("line", line), ("product", product)))
    where = [("site", site.name), *((name, value) for name, value in names if value)]
    where += [("from", told(to_us(starts_at)) or ""), ("to", told(to_us(end)) or "")]
    return NoteRow(
        id=note_id,
        site=site.name,
        kind=kind,
        text=text,
        machine=machine,
        line=home,
        product=product,
        order=order,
        from_=starts_at,
        to=ends_at,
        explains_to=end,
        trade_off=trade_off,
        expected_effect=expected_effect,
        author=author if released or (home is not None and home in own_lines) else None,
        released=released,
        source=_source(question, like_of, decision),
        question=question,
        like_of=like_of,
        causes=causes,
        created_at=created_at,
        changed_at=changed_at,
        withdrawn_at=withdrawn_at,
        segments=f"/v1/segments?{urlencode(where)}",
    )


def _source(question: int | None, like_of: int | None, decision: int | None) -> Source:
    if like_of is not None:
        return "like"
    if question is not None:
        return "answer"
    return "person" if decision is None else "decision"


def _href(row: NoteRow) -> str:
    where = [("site", row.site), ("from", told(to_us(row.from_)) or "")]
    where.append(("to", told(to_us(row.explains_to)) or ""))
    return f"/v1/notes?{urlencode(where)}"


def _names(wanted: Sequence[str | None] | None) -> list[str] | None:
    return None if wanted is None else [value for value in wanted if value is not None]
