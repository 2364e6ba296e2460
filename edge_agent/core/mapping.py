"""From a raw value to what it means: mask or bit, invalid, scale and offset, map; in this order.

Bytes, words and type come before (``core.decode``, or the OPC UA stack). A scaled or mapped sample carries
its raw value: the one after mask or bit and before scale, so that a corrected map can be applied later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import msgspec

from shared.roles import State
from shared.sample import Quality, Value

RawValue = bool | int | float | str
_STATES = frozenset(State)
_LARGEST = 10**300


class Meant(msgspec.Struct, frozen=True, gc=False):
    """A decoded value, ready for a sample; ``why`` says in plain words what is wrong with it."""

    value: Value | None
    quality: Quality
    raw: Value | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """How one signal's raw values are to be understood.

    mask, bit: applied to integers; bit 0 is the least significant. invalid: raw values that the device uses
    for 'no value'; they are bad. value = (raw x scale + offset) x unit_factor, exact for integers;
    unit_factor turns the unit of an energy counter into kWh. map: pairs of (value, word). text: the role
    wants a word (product, order, reason, state). states: the word must be one of the seven states, else it is
    ``unknown``. plain: a finite number means itself.
    """

    mask: int | None = None
    bit: int | None = None
    invalid: tuple[float | str, ...] = ()
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    unit_factor: Fraction = Fraction(1)
    map: tuple[tuple[float | str, str], ...] | None = None
    text: bool = False
    states: bool = False
    _words: dict[float | str, str] = field(init=False, compare=False, repr=False)
    _factor: tuple[int, int, int] | None = field(init=False, compare=False, repr=False)
    plain: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_words", dict(self.map or ()))
        object.__setattr__(self, "_factor", self._integers())
        bits = self.mask is not None or self.bit is not None
        object.__setattr__(self, "plain", not (bits or self.invalid or self.text or self.carries_raw))

    def _integers(self) -> tuple[int, int, int] | None:
        """(n, a, d) with value = (raw x n + a) / d; None where nothing is to be done."""
        slope, base = self.scale * self.unit_factor, self.offset * self.unit_factor
        if slope == 1 and base == 0:
            return None
        divisor = math.lcm(slope.denominator, base.denominator)
        return int(slope * divisor), int(base * divisor), divisor

    @property
    def carries_raw(self) -> bool:
        """Whether samples hold the raw value beside the value."""
        return self.map is not None or self._factor is not None or self.states

    def apply(self, raw: RawValue | None, quality: Quality = Quality.GOOD) -> Meant:
        """The value of ``raw``; bad with a reason where it has none."""
        if raw is None:
            return Meant(None, Quality.BAD, None, "no value")
        if quality is Quality.BAD:
            return Meant(
                None, Quality.BAD, _plain(raw) if _finite(raw) else None, "bad quality at the source"
            )
        if isinstance(raw, float) and not math.isfinite(raw):
            return Meant(None, Quality.BAD, None, "not a number")
        if isinstance(raw, str):
            return self._word(raw.strip("\x00 \t\r\n") if self.text else raw, quality)
        number = self._picked(raw)
        if number in self.invalid:
            return Meant(None, Quality.BAD, float(number), f"{number} means 'no value' here")
        return self._number(number, quality)

    def _picked(self, raw: bool | int | float) -> int | float:
        """The number after mask or bit."""
        if self.mask is None and self.bit is None:
            return int(raw) if isinstance(raw, bool) else raw
        bits = int(raw)
        return bits & self.mask if self.mask is not None else (bits >> (self.bit or 0)) & 1

    def _number(self, number: int | float, quality: Quality) -> Meant:
        value = self._scaled(number)
        if value is None:
            raw = float(number) if abs(number) < _LARGEST else None
            return Meant(None, Quality.BAD, raw, "too large for a number")
        raw = float(number) if self.carries_raw else None
        if self.map is not None or self.states:
            return self._mapped(value, raw, quality)
        if self.text:
            return Meant(_digits(value), quality, raw)
        return Meant(value, quality, raw)

    def _scaled(self, number: int | float) -> float | None:
        try:
            if self._factor is None:
                return float(number)
            times, plus, divisor = self._factor
            value = (number * times + plus) / divisor
        except OverflowError:
            return None
        return float(value) if math.isfinite(value) else None

    def _word(self, word: str, quality: Quality) -> Meant:
        if word in self.invalid:
            return Meant(None, Quality.BAD, word, f"'{word}' means 'no value' here")
        if self.map is not None or self.states:
            return self._mapped(word, word, quality)
        return Meant(word if word or not self.text else None, quality)

    def _mapped(self, key: float | str, raw: Value | None, quality: Quality) -> Meant:
        """The word of ``key``; without one a state is ``unknown``, anything else is bad and keeps its raw
        value.
        """
        word = self._words.get(key) if self.map is not None else str(key)
        if self.states:
            if word in _STATES:
                return Meant(word, quality, raw)
            return Meant(State.UNKNOWN.value, quality, raw, f"{_shown(key)} is not in the map")
        if word is None:
            return Meant(None, Quality.BAD, raw, f"{_shown(key)} is not in the map")
        return Meant(word or None, quality, raw)


def _finite(raw: RawValue) -> bool:
    return isinstance(raw, str) or abs(raw) < _LARGEST


def _plain(raw: RawValue) -> Value:
    return raw if isinstance(raw, str) else float(raw)


def _digits(value: float) -> str:
    """A number as the word that an operator would write: 4711, not 4711.0."""
    return str(int(value)) if value.is_integer() else repr(value)


def _shown(key: float | str) -> str:
    return f"'{key}'" if isinstance(key, str) else _digits(key)
