"""Control messages and topics: what they say, and what is refused."""

from __future__ import annotations

import pytest

from shared import topics
from shared.control import MAX_CONTROL, Ack, Hello, SourceStatus, Status, StreamRange, Want, decode, encode
from shared.errors import WireError

MESSAGES = [
    Hello(
        "ab" * 16, "cd" * 16, 3, "0.1.0", "f00d", 5, [StreamRange("cd" * 16, [(1, 4), (6, 9)])], ["ee" * 16]
    ),
    Ack("ab" * 16, 17, 99, [(20, 22)]),
    Want(["ab" * 16]),
    Want(stream="ab" * 16, ranges=[(1, 2)]),
    Status("ab" * 16, "cd" * 16, 4, True, 5, sources=[SourceStatus("plc", 3, 2, True, 7, "timeout")]),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_control_message_comes_back(message: object) -> None:
    assert decode(encode(message), type(message)) == message


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b'{"stream": 5}',
        b"\xff\xfe",
        b'{"stream":"a","through":1e999,"time_us":1}',
        b"[" * 100_000,
    ],
    ids=range(7),
)
def test_what_is_no_ack_is_a_wire_error(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode(payload, Ack)


def test_nesting_in_an_unknown_field_is_a_wire_error() -> None:
    with pytest.raises(WireError):
        decode(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Want)


def test_a_control_message_has_a_size() -> None:
    with pytest.raises(WireError, match="at most"):
        decode(b" " * (MAX_CONTROL + 1), Want)


def test_an_unknown_field_is_not_a_fault() -> None:
    assert decode(b'{"stream":"ab","through":1,"time_us":2,"later":[1]}', Ack) == Ack("ab", 1, 2)


def test_topics_name_site_agent_and_kind() -> None:
    text = topics.topic("columbus", "gw-1", topics.Kind.BATCH)
    assert text == "plantledger/v1/columbus/gw-1/batch"
    assert topics.parse(text) == ("columbus", "gw-1", topics.Kind.BATCH)


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "-a", "a" * 64, "ü", "a\n", "$share"])
def test_what_cannot_be_part_of_a_topic_is_refused(name: str) -> None:
    assert not topics.is_name(name)
    with pytest.raises(ValueError, match="cannot be part"):
        topics.topic("site", name, topics.Kind.ACK)
    assert topics.parse(f"plantledger/v1/site/{name}/ack") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x/plantledger/v1/s/a/ack",
        "plantledger/v1/s/a",
        "plantledger/v1/s/a/nothing",
        "plantledger/v2/s/a/ack",
    ],
)
def test_other_topics_are_none_of_ours(text: str) -> None:
    assert topics.parse(text) is None
