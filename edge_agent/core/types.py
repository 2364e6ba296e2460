"""The kinds of value that a controller holds, and how a value lies in its registers.

A register is 16 bits. ``byte_order`` is the order of the two bytes within a register, ``word_order`` the
order of the registers of one value; ``big`` means that the most significant part comes first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_BITS = {
    "bool": 1,
    "uint16": 16,
    "int16": 16,
    "uint32": 32,
    "int32": 32,
    "float32": 32,
    "uint64": 64,
    "int64": 64,
    "float64": 64,
}
NUMBER_TYPES: tuple[str, ...] = tuple(name for name in _BITS if name != "bool")
STRING_TYPES: tuple[str, ...] = ("string", "s7string")
STRING_LIMIT = 240
"""Longest text in bytes: 120 registers, so that one text always fits one Modbus request."""

_STRING = re.compile(r"^(string|s7string)\(\s*([0-9]{1,4})\s*\)$")


class Order(StrEnum):
    """Which part comes first."""

    BIG = "big"
    LITTLE = "little"


@dataclass(frozen=True, slots=True)
class ValueType:
    """One type of the contract: ``bool``, a number type, or a text of at most ``length`` bytes."""

    name: str
    length: int = 0

    @property
    def is_text(self) -> bool:
        return self.name in STRING_TYPES

    @property
    def is_float(self) -> bool:
        return self.name in ("float32", "float64")

    @property
    def is_integer(self) -> bool:
        return not self.is_text and not self.is_float

    @property
    def signed(self) -> bool:
        return self.name.startswith("int") or self.is_float

    @property
    def bits(self) -> int:
        """Width of a number in bits; 0 for text."""
        return _BITS.get(self.name, 0)

    @property
    def registers(self) -> int:
        """How many 16-bit registers the value fills; an S7 string has two bytes in front of its text."""
        if self.name == "string":
            return (self.length + 1) // 2
        if self.name == "s7string":
            return (self.length + 3) // 2
        return max(1, self.bits // 16)

    def __str__(self) -> str:
        return f"{self.name}({self.length})" if self.is_text else self.name


def parse_type(text: str) -> ValueType:
    """Read ``uint16`` ... ``string(N)``; raises ValueError that says what is possible."""
    name = text.strip()
    if name in _BITS:
        return ValueType(name)
    found = _STRING.match(name)
    if found is None:
        if name in STRING_TYPES:
            raise ValueError(f"'{name}' needs its length in bytes; write for example {name}(16)")
        raise ValueError(f"'{name}' is not a type; use {' '.join(NUMBER_TYPES)} string(N) or s7string(N)")
    length = int(found.group(2))
    if not 1 <= length <= STRING_LIMIT:
        raise ValueError(
            f"a text has 1 to {STRING_LIMIT} bytes, not {length}; give the length that the PLC declares"
        )
    return ValueType(found.group(1), length)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a value lies in registers; for a coil or a discrete input the type is ``bool``."""

    type: ValueType
    byte_order: Order = Order.BIG
    word_order: Order = Order.BIG
    encoding: str = "latin-1"
