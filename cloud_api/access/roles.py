"""Who may see what: roles against areas of the API, and what a role never reads in any of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class KeyRole(StrEnum):
    """What a key is for. The order of the words is that of the contract."""

    FINANCE = "finance"
    ENGINEER = "engineer"
    FLOOR = "floor"
    IT = "it"


class Area(StrEnum):
    """A part of the service that is opened or closed to a role as a whole."""

    COSTS = "costs"
    VARIANCES = "variances"
    SEGMENTS = "segments"
    SAMPLES = "samples"
    CONFIDENCE = "confidence"
    AGENTS = "agents"
    PERIODS = "periods"
    PERIODS_CLOSED = "periods to be locked and closed"
    PLANT = "plant model"
    PLANT_KEPT = "plant model to be changed"
    PLANT_PRICED = "standards, prices and budget to be changed"
    RECONCILIATION = "reconciliation"
    KPIS = "kpis"
    ORDERS = "orders"
    PRODUCTS = "products"
    CONSTRAINTS = "constraints"
    NOTES = "notes"
    NOTES_KEPT = "notes to be kept"
    QUESTIONS = "questions"
    ANSWERS = "answers to questions"
    DECISIONS = "decisions"
    DECIDED = "decisions to be confirmed"
    FLOOR = "floor"
    ASSUMPTIONS = "assumptions"
    ACCEPTED = "assumptions to be accepted"
    ALERTS = "alerts"
    ALERTS_KEPT = "alerts to be kept"
    KEYS = "keys"
    KEYS_KEPT = "keys to be made and ended"
    METRICS = "metrics"
    PAGE = "page"


_F, _E, _L, _I = KeyRole.FINANCE, KeyRole.ENGINEER, KeyRole.FLOOR, KeyRole.IT

READERS: Mapping[Area, frozenset[KeyRole]] = MappingProxyType(
    {
        Area.COSTS: frozenset({_F, _E}),
        Area.VARIANCES: frozenset({_F, _E}),
        Area.SEGMENTS: frozenset({_F, _E, _L}),
        Area.SAMPLES: frozenset({_F, _E}),
        Area.CONFIDENCE: frozenset({_F, _E}),
        Area.AGENTS: frozenset({_F, _E, _I}),
        Area.PERIODS: frozenset({_F, _E}),
        Area.PERIODS_CLOSED: frozenset({_F}),
        Area.PLANT: frozenset({_F, _E}),
        Area.PLANT_KEPT: frozenset({_F, _E}),
        Area.PLANT_PRICED: frozenset({_F}),
        Area.RECONCILIATION: frozenset({_F}),
        Area.KPIS: frozenset({_F, _E, _L}),
        Area.ORDERS: frozenset({_F, _E, _L}),
        Area.PRODUCTS: frozenset({_F, _E}),
        Area.CONSTRAINTS: frozenset({_F, _E}),
        Area.NOTES: frozenset({_F, _E, _L}),
        Area.NOTES_KEPT: frozenset({_F, _L}),
        Area.QUESTIONS: frozenset({_F, _E, _L}),
        Area.ANSWERS: frozenset({_F, _L}),
        Area.DECISIONS: frozenset({_F, _E, _L}),
        Area.DECIDED: frozenset({_F, _L}),
        Area.FLOOR: frozenset({_F, _E, _L}),
        Area.ASSUMPTIONS: frozenset({_F, _E}),
        Area.ACCEPTED: frozenset({_F}),
        Area.ALERTS: frozenset({_F, _I}),
        Area.ALERTS_KEPT: frozenset({_F, _I}),
        Area.KEYS: frozenset({_F, _I}),
        Area.KEYS_KEPT: frozenset({_F, _I}),
        Area.METRICS: frozenset({_F, _E, _I}),
        Area.PAGE: frozenset({_F, _E}),
    }
)
"""Roles that may read each area. The floor reads states, orders and counts; IT reads no money."""

_NO_MONEY = frozenset({_L, _I})
_NO_WAGES = frozenset({_E, _L, _I})


def may_read(role: KeyRole, area: Area) -> bool:
    """Whether the role opens the area."""
    return role in READERS[area]


def sees_money(role: KeyRole) -> bool:
    """Whether amounts may stand in an answer to this role at all."""
    return role not in _NO_MONEY


def withheld_resources(role: KeyRole) -> frozenset[str]:
    """Resources that answers to this role leave out whole.

    Labour amounts beside labour hours give the wage, so who may not see wages gets no labour rows, and
    totals without them; the answer names what it leaves out.
    """
    return frozenset({"labour"}) if role in _NO_WAGES else frozenset()
