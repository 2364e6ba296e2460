"""What the fields mask, bit, invalid, scale, offset, unit and map of a signal say together."""

from __future__ import annotations

from fractions import Fraction

from edge_agent.config.document import Scalar
from edge_agent.config.faults import Faults, closest, did_you_mean
from edge_agent.config.kinds import to_value
from edge_agent.config.section import Section
from edge_agent.core.mapping import Meaning
from edge_agent.core.types import ValueType
from shared.roles import TEXTS, Role, State
from shared.units import KWH_PER, POWER_UNITS

_POWER_IN_KW = {"W": Fraction(1, 1000), "kW": Fraction(1), "MW": Fraction(1000)}
_NUMERIC = frozenset(Role) - TEXTS - {Role.MEASURE, Role.ALARM}
_MJ = Fraction(5, 18)


def build_meaning(
    section: Section, role: Role, value_type: ValueType | None, faults: Faults
) -> Meaning | None:
    """The meaning of a signal's raw values.

    value_type is None where it could not be read. Returns None where the fields themselves could not be read;
    mistakes between them are told.
    """
    _bits(section, value_type, faults)
    _arithmetic(section, role, value_type, faults)
    factor = _unit_factor(section, role, faults)
    pairs = _map(section, role, value_type, faults)
    invalid = _invalid(section, value_type, faults)
    if section.broken & {"map", "invalid", "scale", "offset", "mask", "bit"}:
        return None
    return Meaning(
        mask=section.get("mask"),
        bit=section.get("bit"),
        invalid=invalid,
        scale=Fraction(section.get("scale")),
        offset=Fraction(section.get("offset")),
        unit_factor=factor,
        map=pairs,
        text=role in TEXTS,
        states=role is Role.STATE,
    )


def _bits(section: Section, value_type: ValueType | None, faults: Faults) -> None:
    if section.has("mask") and section.has("bit"):
        faults.add(section.keys["bit"], "bit: mask and bit exclude each other; keep one of them")
    if value_type is None:
        return
    for name in ("mask", "bit"):
        if not section.has(name):
            continue
        if not value_type.is_integer or value_type.bits == 1:
            faults.add(section.keys[name], f"{name}: {value_type} has no bits to choose from; remove {name}")
        elif name == "bit" and section.get("bit") >= value_type.bits:
            last = value_type.bits - 1
            message = f"bit: {section.get('bit')} is beyond {value_type}; it can be 0 to {last}"
            faults.add(section.at("bit"), message)
        elif name == "mask" and section.get("mask") >> value_type.bits:
            message = f"mask: {section.get('mask'):#x} is wider than {value_type}; it can be 1 to"
            faults.add(section.at("mask"), f"{message} {2**value_type.bits - 1:#x}")


def _arithmetic(section: Section, role: Role, value_type: ValueType | None, faults: Faults) -> None:
    if section.has("scale") and section.get("scale") == 0:
        faults.add(section.at("scale"), "scale: 0 makes every value the same; write for example 0.1")
    text = value_type is not None and value_type.is_text
    for name in ("scale", "offset"):
        if section.has(name) and text:
            faults.add(section.keys[name], f"{name}: {value_type} is a text; remove {name}")
    if text and role in _NUMERIC:
        faults.add(section.at("type"), f"type: {role} is a number, {value_type} a text; choose a number type")


def _unit_factor(section: Section, role: Role, faults: Faults) -> Fraction:
    """To kWh (to kW where it is integrated); 1 for every role but energy."""
    unit = section.get("unit")
    unit = None if unit is None or unit.isdigit() else unit
    integrate = section.get("integrate")
    if role is not Role.ENERGY:
        if integrate:
            faults.add(
                section.keys["integrate"], f"integrate: {role} is no energy; remove it, or write role: energy"
            )
        return Fraction(1)
    if unit in POWER_UNITS:
        if not integrate:
            message = (
                f"unit: {unit} is a power, an energy counter counts Wh, kWh, MWh or MJ; choose the counter's"
            )
            faults.add(section.at("unit"), f"{message} register, or add integrate: true")
        return _POWER_IN_KW[unit]
    if integrate:
        faults.add(
            section.keys["integrate"], "integrate: only a power in W, kW or MW is integrated; remove it"
        )
    if unit is None or unit in KWH_PER:
        return _MJ if unit == "MJ" else Fraction(KWH_PER[unit or "kWh"])
    known = (*KWH_PER, *POWER_UNITS)
    same = next((name for name in known if name.lower() == unit.lower()), None)
    mend = f"did you mean '{same}'?" if same else did_you_mean(unit, known)
    faults.add(section.at("unit"), f"unit: '{unit}' is no unit of energy; {mend}")
    return Fraction(1)


def _invalid(section: Section, value_type: ValueType | None, faults: Faults) -> tuple[float | str, ...]:
    """Raw values; 0xFFFF of an int16 is its -1."""
    found = []
    picked = section.has("bit") or section.has("mask")
    for value, place in section.get("invalid") or ():
        raw = _folded(value, None if picked else value_type)
        if value_type is not None and not value_type.is_text and (why := _never(raw, section, value_type)):
            faults.add(place, f"invalid: {value if isinstance(value, str) else f'{value:g}'} {why}")
        found.append(raw)
    return tuple(found)


def _folded(value: float | str, value_type: ValueType | None) -> float | str:
    if isinstance(value, str) or value_type is None or not value_type.is_integer or not value_type.signed:
        return value
    top = 2.0**value_type.bits
    return value - top if top / 2 <= value < top else value


def _map(
    section: Section, role: Role, value_type: ValueType | None, faults: Faults
) -> tuple[tuple[float | str, str], ...] | None:
    numeric = value_type is not None and not value_type.is_text
    if not section.has("map"):
        if role is Role.STATE and numeric and "map" not in section.broken and _is_register(section):
            message = "signal 'state' has no map; add it: map: {0: idle, 1: running, 2: down}"
            faults.add(section.place, message)
        return None
    if role in _NUMERIC:
        faults.add(section.keys["map"], f"map: {role} is a number, a map gives words; remove map")
    pairs: dict[float | str, str] = {}
    for key, word in section.get("map"):
        _word(word, role, faults)
        raw = _key(key, section, value_type)
        if raw in pairs:
            faults.add(
                key.place, f"map: {key.shown} stands twice here, in another notation; keep one of them"
            )
        pairs[raw] = word.text.strip()
        if numeric and _is_register(section) and (reason := _impossible(raw, section, value_type)):
            faults.add(key.place, f"map: {key.shown} {reason}")
    return tuple(pairs.items())


def _key(key: Scalar, section: Section, value_type: ValueType | None) -> float | str:
    """The raw value that a key of a map stands for."""
    if value_type is not None and value_type.is_text:
        return key.text
    return _folded(to_value(key), None if section.has("bit") or section.has("mask") else value_type)


def _is_register(section: Section) -> bool:
    return section.written("register")


def _word(word: Scalar, role: Role, faults: Faults) -> None:
    if word.plain and word.text in ("true", "false"):
        faults.add(
            word.place, f'map: {word.text} is a truth value; quote it ("{word.text}") if it is the word'
        )
    elif any(not char.isprintable() for char in word.text):
        faults.add(word.place, "map: the word holds control characters; write it without")
    elif role is not Role.STATE or word.text in list(State):
        return
    else:
        _no_state(word, faults)


def _no_state(word: Scalar, faults: Faults) -> None:
    near = closest(word.text, list(State))
    mend = f"did you mean '{near}'?" if near else f"use {', '.join(State)}"
    faults.add(word.place, f"map: '{word.shown}' is no machine state; {mend}")


def _impossible(raw: float | str, section: Section, value_type: ValueType | None) -> str | None:
    """Why a number type can never give this value; None where it can, or where it is scaled."""
    if value_type is None or section.has("scale") or section.has("offset"):
        return None
    return _never(raw, section, value_type)


def _never(raw: float | str, section: Section, value_type: ValueType) -> str | None:
    """Why a number type can never give this raw value; None where it can."""
    if isinstance(raw, str):
        return f"is a text, {value_type} gives numbers; write the number without quotes"
    if value_type.is_float:
        return None
    low, high = _range(section, value_type)
    if not float(low) <= raw <= float(high) or not raw.is_integer():
        return f"can never come from {value_type} here; it gives whole numbers from {low} to {high}"
    return None


def _range(section: Section, value_type: ValueType) -> tuple[int, int]:
    if section.has("bit") or value_type.bits == 1:
        return 0, 1
    if section.has("mask"):
        return 0, int(section.get("mask"))
    if value_type.signed:
        return int(-(2 ** (value_type.bits - 1))), int(2 ** (value_type.bits - 1) - 1)
    return 0, int(2**value_type.bits - 1)
