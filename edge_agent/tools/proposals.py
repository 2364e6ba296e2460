"""What a config could say of tags that a server or a PLC tool names: names that fit, and guessed roles."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

from shared.roles import COUNTERS, Role

_LONGEST = 63
_SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "µ": "u"}
)
_GUESSES: tuple[tuple[str, Role], ...] = (
    (r"scrap|reject|nok|ausschuss|rebut|bad_?(parts|count|units)", Role.SCRAP_COUNT),
    (r"rework|nacharbeit", Role.REWORK_COUNT),
    (r"good|(^|_)ok(_|$)|gut_?teile|pieces_?ok", Role.GOOD_COUNT),
    (
        r"total_?(count|parts|pieces|units)|(part|piece|unit|shot|cycle)s?_?count(er)?|stueck_?zahl",
        Role.TOTAL_COUNT,
    ),
    (r"energy|kwh|wirkarbeit|energie", Role.ENERGY),
    (r"(stop|fault|alarm|error|down)_?(reason|code|number|no)|stoerung", Role.REASON),
    (r"override", Role.SPEED_OVERRIDE),
    (r"alarm|fault|e_?stop|guard|stoermeldung", Role.ALARM),
    (r"(machine|line|press|unit|op|operation|run)?_?(state|status|mode)$|zustand|betriebsart", Role.STATE),
    (r"product|recipe|article|part_?(no|number)|rezept|artikel|sku", Role.PRODUCT),
    (r"order|job|auftrag|batch_?(id|no)|work_?order", Role.ORDER),
    (r"crew|operators?$|headcount", Role.CREW),
)


def name_of(text: str, *, fallback: str = "tag") -> str:
    """A name that a config takes: letters, digits, ``_`` and ``-``, at most 63 of them."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text.translate(_SPELT))
    plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9-]+", "_", plain).strip("_-").lower()
    return name[:_LONGEST].rstrip("_-") or fallback


def measure_name(text: str) -> str:
    """As name_of, but never the name of a role: a signal of such a name would have that role."""
    name = name_of(text)
    return f"{name}_value" if name in set(Role) else name


class Names:
    """Names handed out once each; ``taken`` are those that must not be used."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def unique(self, name: str) -> str:
        """The name, with a number behind it where it is taken."""
        found, number = name, 2
        while found in self._taken:
            tail = f"_{number}"
            found, number = name[: _LONGEST - len(tail)] + tail, number + 1
        self._taken.add(found)
        return found


def guessed_role(name: str, *, text: bool, truth: bool) -> Role | None:
    """What a tag of this name often is; None where nothing speaks for any role.

    text: it holds words; truth: it is true or false.
    """
    for pattern, role in _GUESSES:
        if not re.search(pattern, name_of(name)):
            continue
        if (text and role in COUNTERS) or (truth and role is not Role.ALARM):
            continue
        if not truth and role is Role.ALARM:
            continue
        return role
    return None


def quoted(text: str) -> str:
    """A YAML text in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def remark(text: str) -> str:
    """A text that stays one comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
