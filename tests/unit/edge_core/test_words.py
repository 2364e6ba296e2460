"""Node ids, types, durations and sizes as people write them."""

from __future__ import annotations

import pytest

from edge_agent.core import durations, sizes
from edge_agent.core.durations import parse_duration
from edge_agent.core.node import NodeAddress, parse_node, parse_path, shown_path
from edge_agent.core.quality import of_status_code, worst
from edge_agent.core.sizes import parse_size
from edge_agent.core.types import ValueType, parse_type
from shared.sample import Quality


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("ns=2;s=Press1.State", NodeAddress("s", "Press1.State", 2)),
        ("ns=2;s=a;b=c", NodeAddress("s", "a;b=c", 2)),
        ('ns=3;s="DB"."Tag"', NodeAddress("s", '"DB"."Tag"', 3)),
        ("i=2258", NodeAddress("i", "2258", 0)),
        ("nsu=urn:maker:line;i=7", NodeAddress("i", "7", None, "urn:maker:line")),
        ("nsu=http://x.example/a?b;s=T", NodeAddress("s", "T", None, "http://x.example/a?b")),
        ("ns=1;b=M/RbKBsRVkePCePcx24oRA==", NodeAddress("b", "M/RbKBsRVkePCePcx24oRA==", 1)),
    ],
)
def test_nodes(text: str, node: NodeAddress) -> None:
    assert parse_node(text) == node
    assert str(node) == text


@pytest.mark.parametrize(
    ("text", "registers", "bits"),
    [
        ("uint16", 1, 16),
        ("int32", 2, 32),
        ("float64", 4, 64),
        ("string(1)", 1, 0),
        ("string(16)", 8, 0),
        ("s7string(16)", 9, 0),
        ("s7string(15)", 9, 0),
    ],
)
def test_types(text: str, registers: int, bits: int) -> None:
    value_type = parse_type(text)
    assert (value_type.registers, value_type.bits, str(value_type)) == (registers, bits, text)


def test_signs() -> None:
    assert [ValueType(name).signed for name in ("int16", "uint16", "float32", "bool")] == [
        True,
        False,
        True,
        False,
    ]
    assert [ValueType(name).is_integer for name in ("int16", "bool", "float32", "string")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("500 ms", 500_000),
        ("0.5 s", 500_000),
        ("2s", 2_000_000),
        ("5 min", 300_000_000),
        ("1 d", 86_400_000_000),
    ],
)
def test_durations(text: str, us: int) -> None:
    assert parse_duration(text) == us
    assert parse_duration(durations.shown(us)) == us


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("5", "5 s"),
        ("5 sec", "did you mean 5 s"),
        ("5 m", "5 min"),
        ("5 S", "5 s"),
        ("-5 s", "for example"),
        ("0.5 us", "finer"),
    ],
)
def test_wrong_durations_say_what_to_write(text: str, mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("2 GiB", 2**31), ("1.5 MB", 1_500_000), ("7B", 7), ("1 kB", 1000)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "mend"), [("2", "2 GiB"), ("2 gb", "did you mean 2 GB"), ("2 G", "2 GiB"), ("x", "example")]
)
def test_wrong_sizes_say_what_to_write(text: str, mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        parse_size(text)


def test_sizes_for_people() -> None:
    assert [sizes.shown(n) for n in (0, 1023, 1536, 2**31)] == ["0 B", "1023 B", "1.5 KiB", "2 GiB"]


def test_status_codes_by_severity() -> None:
    assert of_status_code(0) is Quality.GOOD
    assert of_status_code(0x00A70000) is Quality.GOOD
    assert of_status_code(0x40920000) is Quality.UNCERTAIN
    assert of_status_code(0x80340000) is Quality.BAD
    assert of_status_code(0xC0000000) is Quality.BAD
    assert worst(Quality.GOOD, Quality.BAD, Quality.UNCERTAIN) is Quality.BAD
    assert worst() is Quality.GOOD


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("[3]", (3,)),
        (".Speed", ("Speed",)),
        ("Speed", ("Speed",)),
        (".Axes[2].Speed", ("Axes", 2, "Speed")),
        ("[1][2]", (1, 2)),
        (" .A B ", ("A B",)),
    ],
)
def test_paths(text: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(text) == steps
    assert parse_path(shown_path(steps)) == steps


@pytest.mark.parametrize("text", ["", "[", "[x]", "..", "[1]x", "a..b", "[-1]"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        parse_path(text)
