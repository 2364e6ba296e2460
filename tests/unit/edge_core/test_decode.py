"""Every type in every order, against bytes written by hand; and what is no value."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.decode import bit_decoder, decoder, plain_of
from edge_agent.core.mapping import Meaning
from edge_agent.core.types import Layout, Order, parse_type
from shared.sample import Quality

BIG, LITTLE = Order.BIG, Order.LITTLE
ORDERS = [(BIG, BIG), (BIG, LITTLE), (LITTLE, BIG), (LITTLE, LITTLE)]
PLAIN = Meaning()


def one(
    kind: str, data: bytes, byte_order=BIG, word_order=BIG, meaning=PLAIN, register=0, encoding="latin-1"
):
    return decoder(Layout(parse_type(kind), byte_order, word_order, encoding), meaning, register)(data)


def laid_out(value: bytes, byte_order: Order, word_order: Order) -> bytes:
    """The bytes of a value, most significant first, as a device of these orders sends them."""
    words = [value[at : at + 2] for at in range(0, len(value), 2)]
    if byte_order is LITTLE:
        words = [word[::-1] for word in words]
    if word_order is LITTLE:
        words.reverse()
    return b"".join(words)


@pytest.mark.parametrize(
    ("byte_order", "word_order", "data"),
    [
        (BIG, BIG, "11223344"),
        (BIG, LITTLE, "33441122"),
        (LITTLE, BIG, "22114433"),
        (LITTLE, LITTLE, "44332211"),
    ],
)
def test_the_four_orders_of_0x11223344(byte_order, word_order, data):
    assert one("uint32", bytes.fromhex(data), byte_order, word_order).value == 0x11223344


@pytest.mark.parametrize(("byte_order", "word_order"), ORDERS)
@pytest.mark.parametrize(
    ("kind", "code", "value"),
    [
        ("uint16", "H", 65535),
        ("int16", "h", -2),
        ("uint32", "I", 4_000_000_001),
        ("int32", "i", -70_000),
        ("uint64", "Q", 2**53 - 1),
        ("int64", "q", -(2**53) + 1),
        ("float32", "f", -1.5),
        ("float64", "d", math.pi),
    ],
)
def test_every_type_in_every_order(kind, code, value, byte_order, word_order):
    data = b"\xaa\xbb" + laid_out(struct.pack(">" + code, value), byte_order, word_order)
    meant = one(kind, data, byte_order, word_order, register=1)
    assert (meant.value, meant.quality) == (value, Quality.GOOD)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.sampled_from(ORDERS))
def test_integers_stay_exact_up_to_the_bit(number, orders):
    data = laid_out(number.to_bytes(8, "big"), *orders)
    low = Meaning(mask=0x1F_FFFF_FFFF_FFFF)
    assert one("uint64", data, *orders, meaning=low).value == number & 0x1F_FFFF_FFFF_FFFF


def test_a_scale_of_a_tenth_gives_the_nearest_number():
    tenth = Meaning(scale=Fraction(1, 10))
    meant = one("uint16", struct.pack(">H", 123), meaning=tenth)
    assert (meant.value, meant.raw) == (12.3, 123)


def test_bit_zero_is_the_least_significant_after_byte_order():
    assert one("uint16", b"\x00\x01", meaning=Meaning(bit=0)).value == 1
    assert one("uint16", b"\x00\x01", LITTLE, meaning=Meaning(bit=8)).value == 1
    assert one("uint16", b"\x80\x00", meaning=Meaning(bit=15)).value == 1


def test_a_map_keeps_the_raw_value_beside():
    states = Meaning(map=((0, "idle"), (1, "running")), text=True, states=True)
    decode = decoder(Layout(parse_type("uint16")), states, 0)
    assert (decode(b"\x00\x01").value, decode(b"\x00\x01").raw) == ("running", 1)
    assert decode(b"\x00\x09").value == "unknown"
    assert decode(b"\x00\x00").value == "idle"


@pytest.mark.parametrize("special", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_bad(special):
    meant = one("float32", struct.pack(">f", special))
    assert (meant.value, meant.quality, meant.why) == (None, Quality.BAD, "not a number")


def test_a_sentinel_is_bad_and_tells_why():
    meant = one("uint16", b"\xff\xff", meaning=Meaning(invalid=(0xFFFF,), scale=Fraction(1, 10)))
    assert meant.quality is Quality.BAD
    assert meant.raw == 65535
    assert "65535" in (meant.why or "")


@pytest.mark.parametrize(
    ("kind", "data", "byte_order", "text"),
    [
        ("string(4)", b"ABCD", BIG, "ABCD"),
        ("string(4)", b"BADC", LITTLE, "ABCD"),
        ("string(3)", b"ABCD", BIG, "ABC"),
        ("string(6)", b"AB\x00zz\x00", BIG, "AB"),
        ("string(2)", b"\xfc\xe4", BIG, "üä"),
        ("s7string(4)", b"\x04\x02ABzz", BIG, "AB"),
        ("s7string(3)", b"\x04\x03ABC\x00", BIG, "ABC"),
        ("s7string(4)", b"\x02\x04BAzz", LITTLE, "AB"),
    ],
)
def test_texts(kind, data, byte_order, text):
    assert one(kind, data, byte_order).value == text


@pytest.mark.parametrize("word_order", [BIG, LITTLE])
def test_the_order_of_words_is_not_that_of_characters(word_order):
    assert one("string(4)", b"ABCD", BIG, word_order).value == "ABCD"


@pytest.mark.parametrize(
    ("kind", "data", "encoding", "why"),
    [
        ("s7string(4)", b"\x04\x05ABCDE\x00", "latin-1", "says 5 characters"),
        ("string(2)", b"\xff\xfe", "utf-8", "byte 0 is 0xFF"),
    ],
)
def test_a_text_that_cannot_be_read_is_bad(kind, data, encoding, why):
    meant = one(kind, data, encoding=encoding)
    assert meant.quality is Quality.BAD
    assert why in (meant.why or "")


def test_bits_of_a_coil_table():
    door = Meaning(map=((0, "shut"), (1, "open")))
    decode = bit_decoder(door, 2)
    assert decode(b"\x01\x01\x00").value == "shut"
    assert decode(b"\x00\x00\x01").value == "open"


KINDS = ["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "string(4)"]
MEANINGS = [PLAIN, PLAIN, Meaning(scale=Fraction(1, 10)), Meaning(bit=3), Meaning(invalid=(7,))]
PLACED = st.tuples(
    st.integers(0, 116), st.sampled_from(KINDS), st.sampled_from(ORDERS), st.sampled_from(MEANINGS)
)


@given(st.lists(PLACED, max_size=12), st.binary(min_size=240, max_size=240))
def test_plain_values_taken_together_are_those_taken_one_by_one(signals, data):
    """Also where signals overlap, have other orders, or mean something else than their number."""
    found = [
        (index, register, Layout(parse_type(kind), *orders), meaning)
        for index, (register, kind, orders, meaning) in enumerate(signals)
    ]
    plain = plain_of(found)
    values = dict(zip(plain.signals, plain.unpack(data), strict=True)) if plain else {}
    alone = {index: decoder(layout, meaning, register)(data) for index, register, layout, meaning in found}
    for index, value in values.items():
        told = alone[index]
        assert (told.value, told.quality, told.raw) == (float(value), Quality.GOOD, None)
    if any(
        kind == "uint16" and order == (BIG, BIG) and meaning is PLAIN for _, kind, order, meaning in signals
    ):
        assert values
