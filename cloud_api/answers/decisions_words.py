"""What a drafted decision says, in the language of the floor."""

from __future__ import annotations

from collections.abc import Mapping

_DRAFTS = {
    "off_time": {
        "en": "Ran {hours} h outside the shifts, {crew} people",
        "es": "Funcionó {hours} h fuera de los turnos, {crew} personas",
    },
    "crew": {
        "en": "{crew} people for {hours} h, the standard says {standard}",
        "es": "{crew} personas durante {hours} h, el estándar dice {standard}",
    },
    "scrap": {
        "en": "Went on at {percent} % scrap ({scrap} of {units}), the standard says {standard} %",
        "es": "Siguió con {percent} % de desecho ({scrap} de {units}), el estándar dice {standard} %",
    },
    "sequence": {
        "en": "Order {order} before {before}, which was planned earlier",
        "es": "Orden {order} antes que {before}, prevista para antes",
    },
    "override": {
        "en": "Speed override at {percent} % for {hours} h",
        "es": "Velocidad al {percent} % durante {hours} h",
    },
}

KINDS = {
    "en": {
        "overtime": "Overtime",
        "workaround": "Workaround",
        "resequenced": "Other sequence",
        "accepted_lower_yield": "Lower yield accepted",
        "expedited": "Expedited",
        "reassigned_labour": "People moved",
        "held_wip": "Parts held back",
        "temporary_control": "Temporary control",
        "judgement": "Judgement",
        "cause": "Cause",
        "fix": "Repaired",
        "other": "Other",
    },
    "es": {
        "overtime": "Horas extra",
        "workaround": "Arreglo provisional",
        "resequenced": "Otra secuencia",
        "accepted_lower_yield": "Menor rendimiento aceptado",
        "expedited": "Urgente",
        "reassigned_labour": "Personal cambiado",
        "held_wip": "Piezas retenidas",
        "temporary_control": "Control temporal",
        "judgement": "Criterio",
        "cause": "Causa",
        "fix": "Reparado",
        "other": "Otro",
    },
}


def draft_said(sign: str, detail: Mapping[str, str], lang: str) -> str:
    """What the data shows, as a sentence without its machine."""
    return _DRAFTS[sign][lang].format_map(detail)


def kind_word(kind: str, lang: str) -> str:
    """A kind of note as a person says it."""
    return KINDS[lang].get(kind, kind)
