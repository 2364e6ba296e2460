"""What a step of a counter means: an increase, a rollover, a reset, or a correction that books nothing.

Counter values are integers in units of 1e-12 (`exact`), so that increases add up to the same sum in any
order. Source of the rules: the settled readings on counters (a fall never books a negative)."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.model import Signal
from cloud_api.interpret.money import CONTEXT
from cloud_api.interpret.plant import CounterRule

SCALE = 10**12
PLACES = 12


def exact(value: float) -> int:
    """A finite float64 as the integer nearest to it in units of 1e-12, by its shortest decimal form."""
    whole = int(value)
    if whole == value:
        return whole * SCALE
    return int(Decimal(repr(value)).scaleb(PLACES, CONTEXT).to_integral_value())


def decimal(scaled: int) -> Decimal:
    """An integer in units of 1e-12 as a Decimal."""
    if scaled % SCALE == 0:
        return Decimal(scaled // SCALE)
    return Decimal(scaled).scaleb(-PLACES, CONTEXT)


class Reading(Struct, frozen=True):
    """A trusted counter value: scaled value, and the scaled raw register where the sample carries one."""

    value: int
    raw: int | None


class Fall(Struct, frozen=True):
    """How the falls of a counter are declared: '' where nothing is. `modulus` in scaled raw units or None;
    `width` in bits or None; `signed` registers; `factor` value units per raw unit."""

    kind: str
    modulus: int | None
    width: int | None
    signed: bool
    factor: Decimal


def declared(signal: Signal, rule: CounterRule | None) -> Fall:
    """The declaration of a counter: what travelled with the data, else what `site.yaml` says."""
    kind, modulus = signal.fall, signal.rollover
    if kind is None and rule is not None:
        kind, modulus = rule.fall, rule.rollover
    scaled = None if modulus is None else int(modulus.scaleb(PLACES, CONTEXT))
    return Fall(kind or "", scaled, signal.width, bool(signal.signed), signal.factor)


def increase(old: Reading, new: Reading, fall: Fall, turned: bool) -> int | None:
    """Scaled units between two trusted readings of a counter; None is a correction, which books nothing.

    `turned`: order or product changed between the two.
    """
    if old.raw is None or new.raw is None:
        if new.value >= old.value:
            return new.value - old.value
        return _step(old.value, new.value, fall, fall.factor == 1, turned)
    if new.raw >= old.raw:
        return new.value - old.value if new.value >= old.value else _scaled(new.raw - old.raw, fall)
    step = _step(old.raw, new.raw, fall, True, turned)
    return None if step is None else _scaled(step, fall)


def _scaled(step: int, fall: Fall) -> int:
    if fall.factor == 1:
        return step
    return int(CONTEXT.multiply(Decimal(step), abs(fall.factor)).to_integral_value())


def _step(before: int, after: int, fall: Fall, on_raw: bool, turned: bool) -> int | None:
    """The step of a fall; a value without a raw one beside it, and without a factor, is the register
    itself."""
    if fall.kind == "reset":
        return after if after >= 0 else None
    if fall.kind == "rollover":
        return _declared_rollover(before, after, fall)
    if fall.kind == "correction":
        return None
    if turned and after >= 0:
        return after
    if on_raw and before % SCALE == 0 and after % SCALE == 0:
        around = _rollover(before, after, fall)
        if around is not None:
            return around
    return after if after >= 0 and 10 * after <= before else None


def _declared_rollover(before: int, after: int, fall: Fall) -> int | None:
    modulus = fall.modulus
    if modulus is None:
        bits = fall.width or _bits(before, _is_signed(before, after, fall))
        if bits is None:
            return None
        modulus = SCALE << bits
    elif before > modulus:
        return None
    return (after - before) % modulus


def _rollover(before: int, after: int, fall: Fall) -> int | None:
    signed = _is_signed(before, after, fall)
    bits = fall.width or _bits(before, signed)
    if bits is None:
        return None
    modulus = SCALE << bits
    if signed:
        step = after % modulus - before % modulus
        return step if step > 0 and 10 * step <= modulus else None
    if 10 * before >= 9 * modulus and 10 * after <= modulus:
        return after + modulus - before
    return None


def _is_signed(before: int, after: int, fall: Fall) -> bool:
    return fall.signed or before < 0 or after < 0


def _bits(before: int, signed: bool) -> int | None:
    """The least of 16 and 32 bits that holds the register value."""
    for bits in (16, 32):
        least, beyond = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
        if least * SCALE <= before < beyond * SCALE:
            return bits
    return None
