"""Modbus addresses: four tables, zero-based, in every notation that a tag list uses.

Modicon numbers start at 1 and carry the table in front: coils 00001, discrete inputs 10001, input registers
30001, holding registers 40001 (six digits beyond 9999: 400001). ``%MW100`` is Schneider's name of
holding:100, ``%M100`` of coil:100. ``address_base: 1`` on a source says that its tag list counts
``holding:1`` as the first register.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

LAST = 65535
_NUMBER = r"(0[xX][0-9A-Fa-f]{1,4}|[0-9]{1,6})"
_NAMED = re.compile(rf"^(holding|input|coil|discrete)\s*:\s*{_NUMBER}$", re.IGNORECASE)
_SPAN = re.compile(rf"^(holding|input|coil|discrete)\s*:\s*{_NUMBER}(?:\s*-\s*{_NUMBER})?$", re.IGNORECASE)
_SCHNEIDER = re.compile(r"^%(MW|M|IW)([0-9]{1,5})$", re.IGNORECASE)
_MODICON = re.compile(r"^[0134](?:[0-9]{4}|[0-9]{5})$")
_BARE = re.compile(rf"^{_NUMBER}$")


class Space(StrEnum):
    """The four tables of a Modbus device."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def is_bits(self) -> bool:
        return self in (Space.COIL, Space.DISCRETE)


_MODICON_SPACE = {"0": Space.COIL, "1": Space.DISCRETE, "3": Space.INPUT, "4": Space.HOLDING}
_MODICON_DIGIT = {space: digit for digit, space in _MODICON_SPACE.items()}
_SCHNEIDER_SPACE = {"MW": Space.HOLDING, "M": Space.COIL, "IW": Space.INPUT}


@dataclass(frozen=True, slots=True, order=True)
class Register:
    """One register or bit of a device; ``address`` is zero-based, as it goes on the wire."""

    space: Space
    address: int

    @property
    def modicon(self) -> str:
        """The same address as a one-based Modicon number, five digits where they suffice, else six."""
        width = 4 if self.address < 9999 else 5
        return f"{_MODICON_DIGIT[self.space]}{self.address + 1:0{width}d}"

    def __str__(self) -> str:
        return f"{self.space}:{self.address}"


@dataclass(frozen=True, slots=True)
class RegisterRange:
    """Addresses ``first`` to ``last``, both included, zero-based."""

    space: Space
    first: int
    last: int

    def overlaps(self, register: Register, count: int) -> bool:
        """Whether ``count`` registers from ``register`` on touch this range."""
        return (
            register.space == self.space
            and register.address <= self.last
            and register.address + count - 1 >= self.first
        )

    def shown(self, base: int = 0) -> str:
        """As the tag list of a source with this ``address_base`` writes it."""
        last = f"-{self.last + base}" if self.last != self.first else ""
        return f"{self.space}:{self.first + base}{last}"

    def __str__(self) -> str:
        return self.shown()


def parse_register(text: str, base: int = 0) -> Register:
    """Read an address in any notation; ``base`` is the number that the source's tag list gives to its first
    register.

    Raises ValueError with the mend; a bare number shows both of its readings.
    """
    name = text.strip()
    if found := _NAMED.match(name):
        return _register(Space(found.group(1).lower()), _number(found.group(2)) - base, name, base)
    if found := _SCHNEIDER.match(name):
        return _register(_SCHNEIDER_SPACE[found.group(1).upper()], int(found.group(2)), name, 0)
    if _MODICON.match(name):
        number = int(name[1:])
        if number == 0:
            raise ValueError(
                f"Modicon numbers start at 1, so {name} does not exist; did you mean {name[:-1]}1?"
            )
        return _register(_MODICON_SPACE[name[0]], number - 1, name, 0)
    if found := _BARE.match(name):
        raise ValueError(_both_readings(name, _number(found.group(1)), base))
    raise ValueError(
        f"'{name}' is not a register; write holding:100, input:100, coil:100, discrete:100, 40101 or %MW100"
    )


def parse_range(text: str, base: int = 0) -> RegisterRange:
    """Read ``holding:200-219`` or ``holding:200``; raises ValueError with the mend."""
    found = _SPAN.match(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not a range of registers; write for example holding:200-219")
    space = Space(found.group(1).lower())
    first = _register(space, _number(found.group(2)) - base, text, base).address
    last = first
    if found.group(3) is not None:
        last = _register(space, _number(found.group(3)) - base, text, base).address
    if last < first:
        raise ValueError(f"'{text}' ends before it starts; write {space}:{last + base}-{first + base}")
    return RegisterRange(space, first, last)


def _number(digits: str) -> int:
    return int(digits, 16) if digits[:2].lower() == "0x" else int(digits)


def _register(space: Space, address: int, text: str, base: int) -> Register:
    if address < 0:
        raise ValueError(
            f"'{text}' lies before the first register; with address_base: {base} the first is {space}:{base}"
        )
    if address > LAST:
        raise ValueError(
            f"'{text}' is beyond the last register {space}:{LAST + base}; compare it with the tag list"
        )
    return Register(space, address)


def _both_readings(name: str, number: int, base: int) -> str:
    zero_based = f"holding:{number + base}" if number <= LAST else "no register"
    one_based = f"holding:{number - 1 + base}" if number >= 1 else "no register"
    return (
        f"the bare register '{name}' can be read in two ways; write {zero_based} where the tag list "
        f"counts from 0, or {one_based} where it counts from 1"
    )
