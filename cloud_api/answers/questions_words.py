"""What the floor reads, in its language: questions, answers, drafted decisions, what an answer explained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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


def effect_said(spans: int, hours: Decimal, machines: Sequence[str], stops: bool, lang: str) -> str:
    """What a word explains, as a sentence. `stops`: all of it are stops."""
    if not spans:
        return {
            "en": "Kept. It explains no cost yet.",
            "es": "Guardado. Todavía no explica ningún coste.",
        }[lang]
    where = ", ".join(machines)
    if lang == "es":
        noun = "parada" if stops else "tramo"
        return f"Explica {spans} {noun}{'' if spans == 1 else 's'}, {lasting(hours)} de {where}."
    noun = "stop" if stops else "stretch"
    plural = "" if spans == 1 else "s" if stops else "es"
    return f"Explains {spans} {noun}{plural}, {lasting(hours)} of {where}."


_CHOICES = {
    "en": {
        "other": "Something else …",
        "dont_know": "Don't know",
        "connection": "Connection lost",
        "power": "No power",
        "maintenance": "Maintenance",
    },
    "es": {
        "other": "Otra cosa …",
        "dont_know": "No lo sé",
        "connection": "Conexión perdida",
        "power": "Sin corriente",
        "maintenance": "Mantenimiento",
    },
}


def choice_word(answer: str, lang: str) -> str:
    """What stands on an answer to tap; a reason of the plant stays as the plant says it."""
    return _CHOICES[lang].get(answer, answer)


def question_said(
    machine: str, state: str, begin: dt.datetime, hours: Decimal, spans: int, length: str, lang: str
) -> str:
    """A question. `begin` is at the site, of the dearest stop; `length`: what the stops are alike in."""
    at, lasted = f"{begin:%H:%M}", lasting(hours)
    if state == "unknown":
        return {
            "en": f"{machine}: no data for {lasted}, from {at}. What was it?",
            "es": f"{machine}: sin datos durante {lasted}, desde las {at}. ¿Qué pasó?",
        }[lang]
    if spans > 1:
        each = _LENGTHS[lang][length]
        return {
            "en": f"{machine} stopped {spans} times, each {each}, {lasted} in all, one at {at}. Why?",
            "es": f"{machine} paró {spans} veces, cada una {each}, {lasted} en total, una a las {at}. "
            "¿Por qué?",
        }[lang]
    return {
        "en": f"{machine} stopped at {at} for {lasted}. Why?",
        "es": f"{machine} paró a las {at} durante {lasted}. ¿Por qué?",
    }[lang]


def rule_said(machine: str, length: str, spans: int, lang: str) -> str:
    """What an answer explains besides."""
    if length in ("short", "wide"):
        each, days = _LENGTHS[lang][length], _DAYS[lang][length]
        return {
            "en": f"The answer is for every stop {each} without a reason of {machine} {days}; "
            "you can undo that.",
            "es": f"La respuesta vale para toda parada sin motivo {each} de {machine} {days}; "
            "se puede deshacer.",
        }[lang]
    if spans > 1:
        return {
            "en": f"The answer is for these {spans} stops; you can undo that.",
            "es": f"La respuesta vale para estas {spans} paradas; se puede deshacer.",
        }[lang]
    return {
        "en": "The answer is for this stop alone.",
        "es": "La respuesta vale solo para esta parada.",
    }[lang]


_DAYS = {
    "en": {
        "short": "in the last 24 hours, on this production day and the next two",
        "wide": "in the last 24 hours, on this production day and the next",
    },
    "es": {
        "short": "en las últimas 24 horas, en este día de producción y en los dos siguientes",
        "wide": "en las últimas 24 horas, en este día de producción y en el siguiente",
    },
}

_LENGTHS = {
    "en": {"short": "below 5 min", "medium": "5 to 15 min", "wide": "5 to 45 min"},
    "es": {"short": "de menos de 5 min", "medium": "de 5 a 15 min", "wide": "de 5 a 45 min"},
}
