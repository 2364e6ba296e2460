"""Roles of signals and states of machines: the closed vocabularies of the cost model."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a signal means to the cost model."""

    STATE = "state"
    GOOD_COUNT = "good_count"
    SCRAP_COUNT = "scrap_count"
    REWORK_COUNT = "rework_count"
    TOTAL_COUNT = "total_count"
    PRODUCT = "product"
    ORDER = "order"
    REASON = "reason"
    CREW = "crew"
    ENERGY = "energy"
    MATERIAL = "material"
    SPEED_OVERRIDE = "speed_override"
    ALARM = "alarm"
    MEASURE = "measure"


COUNTERS = frozenset(
    {Role.GOOD_COUNT, Role.SCRAP_COUNT, Role.REWORK_COUNT, Role.TOTAL_COUNT, Role.ENERGY, Role.MATERIAL}
)
"""Roles whose increases count, and whose falls need judgement."""

TEXTS = frozenset({Role.STATE, Role.PRODUCT, Role.ORDER, Role.REASON})
"""Roles whose value is a word."""


class State(StrEnum):
    """Machine states. A raw value without a mapping is UNKNOWN, and reported."""

    RUNNING = "running"
    DOWN = "down"
    CHANGEOVER = "changeover"
    WAITING = "waiting"
    IDLE = "idle"
    PLANNED_STOP = "planned_stop"
    UNKNOWN = "unknown"


class Fall(StrEnum):
    """What a fall of a counter means, where the signal declares it."""

    RESET = "reset"
    ROLLOVER = "rollover"
    CORRECTION = "correction"


def split_role(text: str) -> tuple[Role, str | None]:
    """Read ``material:ITEM`` and ``measure:NAME`` as in history files.

    Returns the role and the item or name behind the colon (None where there is none).
    Raises ValueError for a word that is no role, or a name where the role takes none.
    """
    head, colon, name = text.partition(":")
    role = Role(head)
    if not colon:
        return role, None
    if role not in (Role.MATERIAL, Role.MEASURE) or not name:
        raise ValueError(f"{text!r}: only material:ITEM and measure:NAME take a name")
    return role, name
