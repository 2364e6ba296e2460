"""How figures, causes and times are said on a page. Presentation only: nothing here makes a figure."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

CAUSES = {
    "production": "Production",
    "scrap": "Scrap",
    "rework": "Rework",
    "speed_loss": "Speed loss",
    "downtime": "Downtime",
    "changeover": "Changeover",
    "waiting": "Waiting",
    "idle": "Idle",
    "planned_stop": "Planned stops",
    "usage": "Usage",
    "crew": "Crew",
    "overtime": "Overtime",
    "price": "Price",
    "unexplained": "Unexplained",
    "scrap_upstream": "Scrap after earlier machines",
    "wip_change": "Change of stock between machines",
}
RESOURCES = {
    "machine": "Machine",
    "labour": "Labour",
    "energy": "Energy",
    "material": "Material",
    "other": "Other charges",
    "line": "Line",
}
STATES = {
    "running": "Running",
    "down": "Down",
    "changeover": "Changeover",
    "waiting": "Waiting",
    "idle": "Idle",
    "planned_stop": "Planned stop",
    "unknown": "Unknown",
}

FORMULAS: dict[tuple[str, str], str] = {
    ("machine", "production"): "good units x ideal cycle x standard rate",
    ("machine", "scrap"): "scrap units x ideal cycle x standard rate",
    ("machine", "rework"): "rework passes x ideal cycle x standard rate",
    ("machine", "speed_loss"): "(running hours - (good + scrap + rework) x ideal cycle) x standard rate",
    ("machine", "price"): "hours x (actual rate - standard rate)",
    ("labour", "production"): "good units x ideal cycle x standard crew x standard wage",
    ("labour", "scrap"): "scrap units x ideal cycle x standard crew x standard wage",
    ("labour", "rework"): "rework passes x ideal cycle x standard crew x standard wage",
    (
        "labour",
        "speed_loss",
    ): "(running hours - (good + scrap + rework) x ideal cycle) x standard crew x standard wage",
    ("labour", "crew"): "hours x (crew - standard crew) x standard wage",
    ("labour", "price"): "hours x crew x (actual wage - standard wage)",
    ("labour", "overtime"): "hours x crew x actual wage x (multiplier - 1)",
    ("energy", "production"): "good units x standard kWh x standard tariff",
    ("energy", "scrap"): "scrap units x standard kWh x standard tariff",
    ("energy", "rework"): "rework passes x standard kWh x standard tariff",
    ("energy", "usage"): "(kWh used while running - units x standard kWh) x standard tariff",
    ("energy", "price"): "kWh x (actual tariff - standard tariff)",
    ("material", "production"): "good units x bill x standard price",
    ("material", "scrap"): "scrap units x bill x standard price",
    ("material", "usage"): "(used - (good + scrap) x bill) x standard price",
    ("material", "price"): "used x (actual price - standard price)",
    ("line", "scrap_upstream"): "scrap here x standard unit cost of all machines before",
    (
        "line",
        "wip_change",
    ): "(good of the machine before - good here - scrap here) x the same: stock, not a loss",
}
_OF_STATE = {
    "machine": "hours in it x standard rate",
    "labour": "hours in it x standard crew x standard wage",
    "energy": "kWh used in it x standard tariff",
    "material": "material used in it x standard price",
    "other": "charges booked to it",
}


def formula(resource: str, cause: str) -> str:
    """How the actual amount of a cell is made, in words of the field."""
    return FORMULAS.get((resource, cause)) or _OF_STATE.get(resource, "entries booked to it")


def cause(word: str) -> str:
    """A cause as a person says it; one that a charge names stays as it is."""
    return CAUSES.get(word, word)


def amount(value: Decimal, step: str = "0.01") -> str:
    """Money with thousands apart; a true minus sign."""
    text = f"{value.quantize(Decimal(step)):,}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def whole(value: Decimal) -> str:
    """Money in whole units, for pictures and sentences; the table beside has the cents."""
    return amount(value, "1")


def signed(value: Decimal, step: str = "0.01") -> str:
    """A variance with its sign."""
    text = amount(value, step)
    return text if value <= 0 or not text.strip("0.,") else f"+{text}"


def number(value: Decimal | float | int | None, places: int = 1) -> str:
    """A quantity, at most so many places."""
    if value is None:
        return "–"
    text = f"{value:,.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text.replace("-", "−")


def percent(value: Decimal | None) -> str:
    """A share as a percentage."""
    return "–" if value is None else f"{value * 100:.1f}%"


def sure(value: Decimal | None) -> str:
    """How sure a verdict is: nothing is ever told to be certain."""
    if value is None:
        return "–"
    return "over 99%" if value > Decimal("0.99") else f"{value * 100:.0f}%"


def priced(value: Decimal, currency: str, step: str = "0.01") -> str:
    """A variance with its currency, as sentences write it: +USD 12.00."""
    text = signed(value, step)
    sign = text[0] if text[0] in "+−" else ""
    return f"{sign}{currency} {text.removeprefix(sign)}"


_TOGETHER = re.compile(r"\d{4}-\d\d(?:-\d\d(?: \d\d:\d\d)?)?|[+−]?[A-Z]{3} [\d,.]*\d")


def held(text: str) -> Markup:
    """Words in which no line breaks within a date or an amount."""
    return Markup(_TOGETHER.sub(r'<span class="nowrap">\g<0></span>', str(escape(text))))


def pending(hours: int) -> str:
    """Machine-hours that are still to be interpreted."""
    return f"{hours:,} machine-hour{'' if hours == 1 else 's'} pending"


def clock(at: dt.datetime | None, zone: str) -> str:
    """A time at the site."""
    return "–" if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def clock_s(at: dt.datetime | None, zone: str) -> str:
    """A time at the site with its seconds."""
    return "–" if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def span(hours: Decimal) -> str:
    """A length of time: 2 h 05 min, or 40 s."""
    seconds = int(hours * 3600 + Decimal("0.5"))
    if seconds < 60:
        return f"{seconds} s"
    minutes = (seconds + 30) // 60
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def day(date: dt.date) -> str:
    """A date, short: Mon 2 Mar."""
    return f"{date:%a} {date.day} {date:%b}"
