"""Modbus addresses in every notation."""

from __future__ import annotations

import pytest

from edge_agent.core.address import Register, RegisterRange, Space, parse_range, parse_register


@pytest.mark.parametrize(
    ("text", "base", "space", "address"),
    [
        ("holding:100", 0, Space.HOLDING, 100),
        ("Holding: 100", 0, Space.HOLDING, 100),
        ("holding:0x64", 0, Space.HOLDING, 100),
        ("holding:65535", 0, Space.HOLDING, 65535),
        ("input:20", 0, Space.INPUT, 20),
        ("coil:0", 0, Space.COIL, 0),
        ("discrete:9", 0, Space.DISCRETE, 9),
        ("holding:101", 1, Space.HOLDING, 100),
        ("holding:65536", 1, Space.HOLDING, 65535),
        ("40101", 0, Space.HOLDING, 100),
        ("40101", 1, Space.HOLDING, 100),
        ("30021", 0, Space.INPUT, 20),
        ("10001", 0, Space.DISCRETE, 0),
        ("00001", 0, Space.COIL, 0),
        ("465536", 0, Space.HOLDING, 65535),
        ("%MW100", 0, Space.HOLDING, 100),
        ("%mw0", 1, Space.HOLDING, 0),
        ("%M7", 0, Space.COIL, 7),
        ("%IW7", 0, Space.INPUT, 7),
    ],
)
def test_notations(text: str, base: int, space: Space, address: int) -> None:
    assert parse_register(text, base) == Register(space, address)


@pytest.mark.parametrize("number", [0, 1, 100, 9998, 9999, 65535])
@pytest.mark.parametrize("space", list(Space))
def test_modicon_and_back(space: Space, number: int) -> None:
    register = Register(space, number)
    assert parse_register(register.modicon) == register
    assert parse_register(str(register)) == register


@pytest.mark.parametrize(
    "text", ["", "holding", "holding:", "holding:-1", "holding:65536", "h:1", "40000", "1e3", "٤٠١٠١"]
)
def test_what_is_no_register(text: str) -> None:
    with pytest.raises(ValueError, match=";"):
        parse_register(text)


def test_a_bare_number_shows_both_readings() -> None:
    with pytest.raises(ValueError, match=r"holding:100 where .* from 0, or holding:99 where .* from 1"):
        parse_register("100")
    with pytest.raises(ValueError, match=r"holding:101 where .* from 0, or holding:100 where .* from 1"):
        parse_register("100", 1)


def test_ranges() -> None:
    assert parse_range("holding:200-219") == RegisterRange(Space.HOLDING, 200, 219)
    assert parse_range("coil:5", 1) == RegisterRange(Space.COIL, 4, 4)
    span = RegisterRange(Space.HOLDING, 200, 219)
    assert span.overlaps(Register(Space.HOLDING, 199), 2)
    assert span.overlaps(Register(Space.HOLDING, 219), 1)
    assert not span.overlaps(Register(Space.HOLDING, 198), 2)
    assert not span.overlaps(Register(Space.HOLDING, 220), 4)
    assert not span.overlaps(Register(Space.INPUT, 205), 1)
    assert (str(span), span.shown(1)) == ("holding:200-219", "holding:201-220")
