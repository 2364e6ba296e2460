"""What the floor reads, in its language: questions, answers, drafted decisions, what an answer explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

LANGUAGES = ("en", "es")

_STATES = {
    "en": {
        "running": "running",
        "down": "down",
        "changeover": "changeover",
        "waiting": "waiting",
        "idle": "idle",
        "planned_stop": "planned stop",
        "unknown": "no data",
    },
    "es": {
        "running": "en marcha",
        "down": "parada",
        "changeover": "cambio",
        "waiting": "esperando",
        "idle": "sin trabajo",
        "planned_stop": "parada prevista",
        "unknown": "sin datos",
    },
}


def state_word(state: str, lang: str) -> str:
    """A state as a person says it."""
    return _STATES[lang].get(state, state)


def lasting(hours: Decimal) -> str:
    """A length of time, short: 40 s, 12 min, 1 h 05 min; the same in every language here."""
    seconds = int(hours * 3600 + Decimal("0.5"))
    if seconds < 60:
        return f"{seconds} s"
    minutes = (seconds + 30) // 60
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def effect_said(spans: int, hours: Decimal, machines: Sequence[str], lang: str) -> str:
    """What a word explains, as a sentence."""
    if not spans:
        return {
            "en": "Kept. It explains no cost yet.",
            "es": "Guardado. Todavía no explica ningún coste.",
        }[lang]
    where = ", ".join(machines)
    if lang == "es":
        tramos = "1 tramo" if spans == 1 else f"{spans} tramos"
        return f"Explica {tramos}, {lasting(hours)} de {where}."
    stretches = "1 stretch" if spans == 1 else f"{spans} stretches"
    return f"Explains {stretches}, {lasting(hours)} of {where}."


def pick(words: Mapping[str, str], lang: str) -> str:
    """The words of a language, English where it has none."""
    return words.get(lang, words["en"])
