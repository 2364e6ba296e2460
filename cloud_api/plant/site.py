"""site.yaml: the site, its calendar, wages, tariffs, lines and machines, as rows with all mistakes told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

from cloud_api.plant.calendar import read_calendar
from cloud_api.plant.document import Mapping, Tree
from cloud_api.plant.fields import Fields
from cloud_api.plant.places import Faults, Place, nearest
from cloud_api.plant.rows import Content, Row
from cloud_api.plant.scalars import NOT_NEGATIVE, POSITIVE, SHARE, Bounds
from shared.topics import is_name

SITE_FILE = "site.yaml"
SITE_FIELDS = (
    "site",
    "time_zone",
    "currency",
    "calendar",
    "fiscal",
    "labour",
    "materiality",
    "labour_variable",
    "intervention_min",
    "energy",
    "floor",
    "four_eyes",
    "lines",
)
FISCAL_PATTERNS = ("calendar", "4-4-5", "4-5-4", "5-4-4")
COUNTER_ROLES = ("good_count", "scrap_count", "rework_count", "total_count", "energy")
FALLS = ("reset", "rollover", "correction")
_LABOUR = ("from", "standard", "actual", "overtime_multiplier", "line", "shift")
_PRICE = ("from", "standard", "actual")
_LINE = ("id", "machines", "name")
_MACHINE = ("id", "cost_centre", "rate", "counters", "name")
_COUNTER = ("fall", "rollover")
_MULTIPLIER = Bounds(low=Decimal(1))
_NAME = re.compile(r"[^\s/+#,;|](?:[^/+#,;|\n\r\t]*[^\s/+#,;|])?")


@dataclass(frozen=True, slots=True)
class SitePart:
    """What a site.yaml says: the site's id and zone, its machines in order, and everything as rows."""

    site: str
    zone: ZoneInfo
    machines: tuple[str, ...]
    rows: tuple[Row, ...]


def read_site(tree: Tree, faults: Faults) -> SitePart | None:
    """The site, or None (with faults) where the document is no mapping; usable only without faults."""
    if not isinstance(tree, Mapping):
        faults.add(tree.place, "site.yaml must be a mapping", "begin with site: NAME")
        return None
    fields = Fields(tree, faults, "site.yaml", SITE_FIELDS)
    site = _name(fields, "site", "columbus")
    if _NAME.fullmatch(site) and not is_name(site):
        mend = "use up to 63 letters, digits, . _ -, no spaces"
        fields.faults.add(fields.at("site"), f"'{site}' cannot be part of an MQTT topic", mend)
    zone = _zone(fields)
    calendar = read_calendar(fields, faults)
    lines = _lines(fields)
    line_ids = {row.key[0] for row in lines if row.kind == "line"}
    rows = [
        Row("site", (), None, _site_content(fields, zone), fields.place),
        calendar.row,
        *lines,
        *_labour(fields, line_ids, calendar.shift_names),
        *_energy(fields),
    ]
    machines = tuple(row.key[0] for row in lines if row.kind == "machine")
    return SitePart(site, zone, machines, tuple(rows))


def _site_content(fields: Fields, zone: ZoneInfo) -> Content:
    currency = fields.required_text("currency", "USD")
    if currency and not re.fullmatch(r"[A-Z]{3}", currency):
        mend = "write its three capital letters, like EUR"
        fields.faults.add(fields.at("currency"), f"'{currency}' is not a currency code", mend)
    materiality = fields.child("materiality", "materiality", ("amount", "share"))
    amount = materiality.number("amount", NOT_NEGATIVE) if materiality else None
    share = materiality.number("share", SHARE) if materiality else None
    intervention = fields.number("intervention_min", NOT_NEGATIVE)
    floor = fields.child("floor", "floor", ("shows_money",))
    return {
        **({"floor": {"shows_money": floor.flag("shows_money")}} if floor is not None else {}),
        "time_zone": zone.key,
        "currency": currency,
        "fiscal": _fiscal(fields),
        "materiality": {"amount": _spelled(amount), "share": _spelled(share)},
        "labour_variable": fields.flag("labour_variable"),
        "four_eyes": fields.flag("four_eyes"),
        "intervention_min": _spelled(intervention),
    }


def _fiscal(fields: Fields) -> Content:
    fiscal = fields.child("fiscal", "fiscal", ("pattern", "year_start"))
    if fiscal is None:
        return {"pattern": "calendar", "year_start": None}
    pattern = fiscal.choice("pattern", FISCAL_PATTERNS) or "calendar"
    start = fiscal.day("year_start")
    if start is None and pattern != "calendar":
        fiscal.missing("year_start", "2026-01-01")
    return {"pattern": pattern, "year_start": start.isoformat() if start else None}


def _zone(fields: Fields) -> ZoneInfo:
    word = fields.required_text("time_zone", "America/New_York")
    known = available_timezones()
    if word in known:
        return ZoneInfo(word)
    if word:
        fields.faults.add(fields.at("time_zone"), f"'{word}' is not a time zone", _zone_mend(word, known))
    return ZoneInfo("UTC")


def _zone_mend(word: str, known: set[str]) -> str:
    mend = nearest(word, known)
    return mend if mend.startswith("did you") else "write an IANA name, like Europe/Berlin"


def _labour(fields: Fields, lines: Iterable[str], shifts: Iterable[str]) -> list[Row]:
    rows: list[Row] = []
    lines, shifts = frozenset(lines), frozenset(shifts)
    for child in fields.children("labour", "a labour row", _LABOUR):
        line, shift = child.text("line"), child.text("shift")
        if line is not None and line not in lines:
            child.faults.add(child.at("line"), f"'{line}' is not a line of this site", nearest(line, lines))
        if shift is not None and shift not in shifts:
            known = nearest(shift, shifts)
            child.faults.add(child.at("shift"), f"'{shift}' is not a shift of the calendar", known)
        multiplier = child.number("overtime_multiplier", _MULTIPLIER)
        row = _dated(child, "labour", (line or "", shift or ""), rows)
        if row is not None:
            row.content.update(line=line, shift=shift, overtime_multiplier=_spelled(multiplier))
            rows.append(row)
    return rows


def _energy(fields: Fields) -> list[Row]:
    rows: list[Row] = []
    for child in fields.children("energy", "an energy row", _PRICE):
        row = _dated(child, "energy", (), rows)
        if row is not None:
            rows.append(row)
    return rows


def _dated(fields: Fields, kind: str, scope: tuple[str, ...], others: list[Row]) -> Row | None:
    """A row with from, standard and actual; a second one for the same date and scope is a fault."""
    day = fields.day("from")
    if day is None and not fields.has("from"):
        fields.missing("from", "2026-01-01")
    standard = fields.required_number("standard", NOT_NEGATIVE, "32.00")
    actual = fields.number("actual", NOT_NEGATIVE)
    if day is None:
        return None
    key = (*scope, day.isoformat())
    first = next((row for row in others if row.key == key and row.kind == kind), None)
    if first is not None:
        message = f"{fields.what} from {day} stands twice, first in line {first.place.line}"
        fields.faults.add(fields.at("from"), message, "keep one of them")
        return None
    content: Content = {"standard": str(standard), "actual": _spelled(actual)}
    return Row(kind, key, day, content, fields.place)


def _lines(fields: Fields) -> list[Row]:
    rows: list[Row] = []
    names: dict[str, Place] = {}
    if not fields.has("lines"):
        fields.missing("lines", "[{id: line-1, machines: [{id: press-1, cost_centre: CC-1, rate: [...]}]}]")
    for position, child in enumerate(fields.children("lines", "a line", _LINE)):
        line = _new_name(child, names, "line", "line-1")
        rows.append(
            Row("line", (line,), None, {"position": position, "name": child.text("name")}, child.place)
        )
        if not child.items("machines"):
            child.faults.add(child.place, f"line '{line}' has no machines", "list its machines in order")
        for place, part in enumerate(child.children("machines", "a machine", _MACHINE)):
            rows += _machine(part, names, line, place)
    return rows


def _machine(fields: Fields, names: dict[str, Place], line: str, position: int) -> list[Row]:
    machine = _new_name(fields, names, "machine", "press-1")
    content: Content = {
        "line": line,
        "position": position,
        "cost_centre": fields.text("cost_centre"),
        "name": fields.text("name"),
        "counters": _counters(fields),
    }
    rows = [Row("machine", (machine,), None, content, fields.place)]
    for child in fields.children("rate", "a rate row", _PRICE):
        row = _dated(child, "rate", (machine,), rows)
        if row is not None:
            rows.append(row)
    if len(rows) == 1:
        message = f"machine '{machine}' has no rate, so its time cannot be priced"
        fields.faults.warn(
            fields.place, message, "add rate: [{from: 2026-01-01, standard: 85.00, actual: 85.00}]"
        )
    return rows


def _counters(fields: Fields) -> Content:
    """How the counters of a machine fall, by role."""
    tree = fields.mapping.fields.get("counters")
    if isinstance(tree, Mapping):
        roles = [role for role in tree.keys if role.startswith("material:")]
        counters = Fields(tree, fields.faults, "counters", (*COUNTER_ROLES, "material", *roles))
        if "good_count" in tree.fields and "total_count" in tree.fields:
            message = "a machine has good_count or total_count, not both"
            fields.faults.add(tree.keys["total_count"], message, "delete the one it does not have")
        found: Content = {}
        for role in tree.fields:
            said = _counter(counters, role)
            if said is not None:
                found[role] = said
        return found
    fields.child("counters", "counters", ())
    return {}


def _counter(counters: Fields, role: str) -> Content | None:
    fields = counters.child(role, "a counter", _COUNTER)
    if fields is None:
        return None
    fall = fields.choice("fall", FALLS)
    modulus = fields.number("rollover", POSITIVE)
    if not fields.has("fall"):
        fields.missing("fall", "rollover")
    if fall == "rollover" and modulus is None and not fields.has("rollover"):
        fields.missing("rollover", "10000")
    if fall is not None and fall != "rollover" and modulus is not None:
        mend = "write fall: rollover, or delete rollover"
        fields.faults.add(fields.at("rollover"), f"a counter with fall: {fall} has no rollover", mend)
    return {"fall": fall, "rollover": _spelled(modulus)}


def _new_name(fields: Fields, names: dict[str, Place], what: str, example: str) -> str:
    """The id of a line or machine; a second one of the same name is a fault."""
    name = _name(fields, "id", example)
    first = names.setdefault(f"{what} {name}", fields.at("id"))
    if name and first is not fields.at("id"):
        message = f"the {what} '{name}' stands twice, first in line {first.line}"
        fields.faults.add(fields.at("id"), message, "give each its own id")
    return name


def _name(fields: Fields, key: str, example: str) -> str:
    name = fields.required_text(key, example)
    if name and not _NAME.fullmatch(name):
        mend = "use letters, digits, dots and dashes"
        fields.faults.add(fields.at(key), f"'{name}' cannot be a name here", mend)
    return name


def _spelled(value: Decimal | date | None) -> str | None:
    return None if value is None else str(value)
