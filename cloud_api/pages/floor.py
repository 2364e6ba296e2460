"""The floor: what runs now, the questions that are worth most, decisions told by one tap.

The page carries what it shows and asks the API for it again; what is tapped without a connection waits in
the browser and is sent once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from cloud_api.answers.decisions import listed
from cloud_api.answers.decisions_words import KINDS
from cloud_api.answers.now import present
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, Question, QuestionError, near
from cloud_api.answers.questions import asked
from cloud_api.answers.questions_words import LANGUAGES
from cloud_api.pages.asking import Asking
from cloud_api.pages.floor_words import WORDS
from cloud_api.store.times import to_us

TAPS = (
    "workaround",
    "temporary_control",
    "accepted_lower_yield",
    "resequenced",
    "reassigned_labour",
    "overtime",
    "expedited",
    "held_wip",
    "judgement",
    "fix",
)
"""Kinds of notes to tap, those of every day first."""
RECENT = timedelta(days=2)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def floors(asking: Asking) -> dict[str, Any]:
    """Every line that the reader may see."""
    lang = language(asking)
    return {
        "lang": lang,
        "word": WORDS[lang],
        "sites": [{"name": site.name, "lines": site.lines} for site in asking.places.sites if site.lines],
    }


def floor(asking: Asking) -> dict[str, Any]:
    """One line. Raises QuestionError for a line that is not there."""
    site, line = _line(asking)
    lang = language(asking)
    question = Question(
        sites=(site,),
        wanted={"line": (line,)},
        options={"lang": lang},
        withheld=asking.principal.withheld,
    )
    recent = replace(question, from_us=to_us(asking.now - RECENT))
    decided = listed(asking.connection, recent, asking.now)
    carried = {
        "site": site.name,
        "line": line,
        "lang": lang,
        "zone": site.time_zone,
        "token": asking.form_token,
        "currency": site.currency,
        "shows_money": site.plant is not None and site.plant.floor_shows_money,
        "machines": [machine.name for machine in site.machines if machine.line == line],
        "now": present(asking.connection, question, False, asking.now).rows,
        "questions": asked(asking.connection, question, False, asking.now, "open", lang),
        "decisions": [row for row in decided if row.status == "detected" or row.in_force],
        "kinds": [{"kind": kind, "word": KINDS[lang][kind]} for kind in TAPS],
        "kind_words": KINDS[lang],
        "words": WORDS[lang],
    }
    return {
        "lang": lang,
        "word": WORDS[lang],
        "site": site.name,
        "line": line,
        "others": [(one, WORDS[one]["name"]) for one in LANGUAGES if one != lang],
        "carried": _ENCODER.encode(carried).decode(),
    }


def language(asking: Asking) -> str:
    """The language named in the address, else the one that the reader's browser likes most, else English."""
    named = asking.value("lang")
    if named in LANGUAGES:
        return named
    liked: list[tuple[float, str]] = []
    for part in asking.languages.split(","):
        word, _, weight = part.strip().partition(";q=")
        try:
            liked.append((-float(weight or 1), word[:2].casefold()))
        except ValueError:
            continue
    return next((word for _, word in sorted(liked, key=lambda one: one[0]) if word in LANGUAGES), "en")


def _line(asking: Asking) -> tuple[Site, str]:
    name = asking.path["line"]
    named = asking.value("site")
    for site in asking.places.sites:
        if name in site.lines and named in (None, site.name):
            return site, name
    known = [line for site in asking.places.sites for line in site.lines]
    raise QuestionError([Mistake("line", f"{name!r} is no line that you may see{near(name, known)}")])
