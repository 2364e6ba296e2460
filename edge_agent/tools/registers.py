"""Registers in every type and order: what a maker's list leaves unsaid, people see at a glance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from edge_agent.core.address import Register
from edge_agent.core.decode import Undecodable, extractor
from edge_agent.core.mapping import RawValue
from edge_agent.core.types import NUMBER_TYPES, Layout, Order, ValueType, parse_type

ORDERS = (
    ("", Order.BIG, Order.BIG),
    ("word_order: little", Order.BIG, Order.LITTLE),
    ("byte_order: little", Order.LITTLE, Order.BIG),
    ("both little", Order.LITTLE, Order.LITTLE),
)
"""Name as a config writes it, byte order, word order."""


def notations(register: Register) -> str:
    """The address in every notation: ``holding:100 = 40101 = %MW100 = 0x64``."""
    schneider = {"holding": "%MW", "input": "%IW", "coil": "%M"}.get(register.space)
    names = [str(register), register.modicon]
    names += [f"{schneider}{register.address}"] if schneider else []
    return " = ".join([*names, f"{register.space}:0x{register.address:X}"])


def values(data: bytes) -> dict[str, dict[str, RawValue | None]]:
    """Type to order to value, for every type that the bytes suffice for; None where they hold no such
    value.
    """
    types = [parse_type(name) for name in NUMBER_TYPES]
    types += [parse_type(f"string({len(data)})")]
    types += [parse_type(f"s7string({len(data) - 2})")] if len(data) > 2 else []
    return {str(kind): dict(_orders(kind, data)) for kind in types if 2 * kind.registers <= len(data)}


def _orders(kind: ValueType, data: bytes) -> Iterator[tuple[str, RawValue | None]]:
    for name, byte_order, word_order in ORDERS:
        if word_order is Order.LITTLE and (kind.is_text or kind.registers == 1):
            continue
        try:
            value = extractor(Layout(kind, byte_order, word_order), 0)(data)
        except Undecodable:
            value = None
        finite = not isinstance(value, float) or math.isfinite(value)
        yield name or "big", value if finite else str(value)


def register_rows(first: Register, data: bytes) -> list[dict[str, Any]]:
    """One row for each register: both addresses, hex, unsigned, signed, bits, numbers of the set bits."""
    rows = []
    for place in range(len(data) // 2):
        number = int.from_bytes(data[2 * place : 2 * place + 2], "big")
        register = Register(first.space, first.address + place)
        rows.append(
            {
                "register": str(register),
                "modicon": register.modicon,
                "hex": f"0x{number:04X}",
                "uint16": number,
                "int16": number - 65536 if number >= 32768 else number,
                "bits": f"{number:016b}",
                "set": [bit for bit in range(16) if number >> bit & 1],
            }
        )
    return rows


def lines(first: Register, data: bytes) -> Iterator[str]:
    """The registers, then what they mean together, as text."""
    head = ("register", "modicon", "hex", "uint16", "int16", "bits 15 to 0", "set bits")
    rows = [
        (
            row["register"],
            row["modicon"],
            row["hex"],
            str(row["uint16"]),
            str(row["int16"]),
            " ".join(row["bits"][at : at + 4] for at in range(0, 16, 4)),
            " ".join(map(str, row["set"])) or "-",
        )
        for row in register_rows(first, data)
    ]
    yield from _table([head, *rows])
    yield ""
    names = ("big", "word_order: little", "byte_order: little", "both little")
    body = [
        (kind, *(_cell(orders[name]) if name in orders else "" for name in names))
        for kind, orders in values(data).items()
    ]
    yield from _table([("type", "as it comes", *names[1:]), *body])


def bit_lines(first: Register, data: bytes) -> Iterator[str]:
    """The bits of a table of bits, one a line."""
    for place, bit in enumerate(data):
        register = Register(first.space, first.address + place)
        yield f"{register!s:<16}{register.modicon:<9}{bit}"


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cell(value: RawValue | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return "".join(letter if letter.isprintable() else "·" for letter in value) or "-"
    return str(value) if isinstance(value, int) else f"{value:.7g}"
