"""From the bytes of a Modbus answer to raw values: byte order, word order, type; then meaning (core.mapping).

Everything that can be known before is worked out once per signal; what is left is one closure per signal.
Integers stay integers, of any width. Registers come as they go on the wire: two bytes each, most
significant first; a table of bits comes as one byte per bit, 0 or 1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge_agent.core.mapping import Meaning, Meant, RawValue
from edge_agent.core.types import Layout, Order
from shared.sample import Quality

Extract = Callable[[bytes], RawValue]
Decode = Callable[[bytes], Meant]

_CODES = {
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "float32": "f",
    "uint64": "Q",
    "int64": "q",
    "float64": "d",
}


class Undecodable(ValueError):
    """The bytes hold no value of the declared type; the text says why."""


def decoder(layout: Layout, meaning: Meaning, register: int) -> Decode:
    """A function from the bytes of a block to the value that starts at its ``register`` (0 = first of the
    block).

    The function never raises: what cannot be decoded is bad, with the reason.
    """
    extract, apply = extractor(layout, register), meaning.apply
    as_it_is = layout.type.is_integer and _changes_nothing(meaning)
    last_raw: RawValue | None = None
    last_meant = Meant(None, Quality.BAD)

    def decode(data: bytes) -> Meant:
        nonlocal last_raw, last_meant
        try:
            raw = extract(data)
        except Undecodable as fault:
            return Meant(None, Quality.BAD, None, str(fault))
        if raw != last_raw:
            last_raw = raw
            last_meant = Meant(float(raw), Quality.GOOD) if as_it_is else apply(raw)
        return last_meant

    return decode


@dataclass(frozen=True, slots=True)
class Plain:
    """Integers of a block that are their own values, taken from its bytes at once. signals: their indexes."""

    signals: tuple[int, ...]
    unpack: Callable[[bytes], tuple[int, ...]]


def plain_of(places: Iterable[tuple[int, int, Layout, Meaning]]) -> Plain | None:
    """Those of (signal, register within the block, layout, meaning) that are plain and do not overlap."""
    signals, code, at = [], ">", 0
    for signal, register, layout, meaning in sorted(places, key=lambda place: place[1]):
        if register >= at and _is_plain(layout) and _changes_nothing(meaning):
            code += f"{2 * (register - at)}x{_CODES[layout.type.name]}"
            at = register + layout.type.registers
            signals.append(signal)
    return Plain(tuple(signals), struct.Struct(code).unpack_from) if signals else None


def _is_plain(layout: Layout) -> bool:
    big = layout.byte_order is Order.BIG and (layout.type.registers == 1 or layout.word_order is Order.BIG)
    return big and layout.type.is_integer and layout.type.name in _CODES


def _changes_nothing(meaning: Meaning) -> bool:
    """Whether a number is its own value: the most frequent case, and the quickest."""
    picks = meaning.mask is not None or meaning.bit is not None
    return not (picks or meaning.invalid or meaning.text or meaning.carries_raw)


def bit_decoder(meaning: Meaning, place: int) -> Decode:
    """The same for a coil or discrete input: bit ``place`` of the block."""
    meant = (meaning.apply(False), meaning.apply(True))

    def decode(data: bytes) -> Meant:
        return meant[data[place]]

    return decode


def extractor(layout: Layout, register: int) -> Extract:
    """A function from the bytes of a block to the raw value at its ``register``. It may raise Undecodable."""
    at = 2 * register
    if layout.type.name == "string":
        return _text(layout, at)
    if layout.type.name == "s7string":
        return _s7_text(layout, at)
    if layout.type.name == "bool":
        return _truth(layout, at)
    return _number(layout, at)


def _number(layout: Layout, at: int) -> Extract:
    code, words = _CODES[layout.type.name], layout.type.registers
    if words == 1 or layout.byte_order is layout.word_order:
        order = ">" if layout.byte_order is Order.BIG else "<"
        unpack = struct.Struct(order + code).unpack_from
        return lambda data: unpack(data, at)[0]
    parts = struct.Struct((">" if layout.byte_order is Order.BIG else "<") + f"{words}H")
    whole, join = struct.Struct(">" + code), struct.Struct(f">{words}H")
    step = 1 if layout.word_order is Order.BIG else -1

    def number(data: bytes) -> RawValue:
        raw: RawValue = whole.unpack(join.pack(*parts.unpack_from(data, at)[::step]))[0]
        return raw

    return number


def _truth(layout: Layout, at: int) -> Extract:
    low = at + (1 if layout.byte_order is Order.BIG else 0)
    high = at + 1 - (low - at)

    def truth(data: bytes) -> RawValue:
        return bool(data[low] or data[high])

    return truth


def _characters(layout: Layout, at: int) -> Callable[[bytes], bytes]:
    """The bytes of a text; the order of registers is that of the address, whatever the order of words in
    numbers.
    """
    length = 2 * layout.type.registers
    if layout.byte_order is Order.BIG:
        return lambda data: data[at : at + length]

    def swapped(data: bytes) -> bytes:
        characters = bytearray(length)
        characters[0::2] = data[at + 1 : at + length : 2]
        characters[1::2] = data[at : at + length : 2]
        return bytes(characters)

    return swapped


def _text(layout: Layout, at: int) -> Extract:
    characters, most, encoding = _characters(layout, at), layout.type.length, layout.encoding

    def text(data: bytes) -> RawValue:
        return _decoded(characters(data)[:most].split(b"\x00", 1)[0], encoding)

    return text


def _s7_text(layout: Layout, at: int) -> Extract:
    """An S7 string: a byte with its declared length, a byte with its present length, the characters."""
    characters, most, encoding = _characters(layout, at), layout.type.length, layout.encoding

    def text(data: bytes) -> RawValue:
        content = characters(data)
        declared, present = content[0], content[1]
        if present > declared or present > most:
            raise Undecodable(f"S7 string says {present} characters of {declared}, {most} are read")
        return _decoded(content[2 : 2 + present], encoding)

    return text


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as fault:
        raise Undecodable(
            f"text is not {encoding}: byte {fault.start} is 0x{content[fault.start]:02X}"
        ) from None
