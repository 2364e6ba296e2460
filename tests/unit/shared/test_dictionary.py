"""Dictionaries: named by their content, bounded, and without names that no database keeps."""

from __future__ import annotations

import msgspec
import pytest
import zstandard

from shared import dictionary
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.errors import WireError
from shared.roles import Fall, Role


def plant(**changes: object) -> Dictionary:
    entry = SignalEntry(
        "press-1", "state", Role.STATE, 0, line="stamping", raw=True, map={"1": "running", "0": "idle"}
    )
    return Dictionary([SourceEntry("plc-1", "opcua")], [msgspec.structs.replace(entry, **changes)])


def packed(content: object) -> bytes:
    return zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(content))


def test_a_dictionary_comes_back_under_its_name() -> None:
    content = plant(role=Role.GOOD_COUNT, fall=Fall.ROLLOVER, rollover=65536, width=16, scale=0.1, unit="kWh")
    name, message = dictionary.pack(content)
    assert dictionary.unpack(message) == (name, content)
    assert len(name) == dictionary.HASH_BYTES


def test_the_name_depends_on_the_content_alone() -> None:
    turned = plant(map={"0": "idle", "1": "running"})
    assert dictionary.pack(plant())[0] == dictionary.pack(turned)[0]
    assert dictionary.pack(plant())[0] != dictionary.pack(plant(line="packing"))[0]


@pytest.mark.parametrize(
    "change",
    [{"source": 1}, {"source": -1}, {"machine": "a\0"}, {"signal": "\0"}, {"line": "\0"}, {"item": "\0"}],
)
def test_a_dictionary_that_cannot_be_used_is_a_wire_error(change: dict[str, object]) -> None:
    with pytest.raises(WireError):
        dictionary.unpack(packed(plant(**change)))


@pytest.mark.parametrize(
    "message", [b"", b"\0", b"garbage", packed(5), packed({"sources": []}), packed("x" * 9)]
)
def test_what_is_no_dictionary_is_a_wire_error(message: bytes) -> None:
    with pytest.raises(WireError):
        dictionary.unpack(message)


def test_a_dictionary_is_bounded() -> None:
    with pytest.raises(WireError, match="frame of"):
        dictionary.unpack(zstandard.ZstdCompressor().compress(bytes(dictionary.MAX_LENGTH + 1)))
    with pytest.raises(WireError, match="at most"):
        dictionary.unpack(bytes(dictionary.MAX_PACKED + 1))
