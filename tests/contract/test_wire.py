"""docs/wire.md is enough to speak to the cloud: bytes made by its tables alone are read as meant."""

from __future__ import annotations

import re
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
import zstandard

from shared import codec
from shared.batch import Gap, Lane, Pending, ScanMark, samples_of
from shared.control import Ack, Want, encode
from shared.roles import Role
from shared.sample import Quality, Sample

ROOT = Path(__file__).parents[2]
WIRE = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
FIELD = re.compile(r"^\| (\d+) \| (\d+) \| (\w+) \|", re.MULTILINE)
ELEMENT = re.compile(r"^\| (\d+) \| (\w+) \| ", re.MULTILINE)
T = 1_790_000_000_000_000
IDS = {name: name.encode().ljust(16, b".") for name in ("stream", "instance", "start", "dictionary")}


def front() -> dict[str, tuple[int, int]]:
    """Offset and size of each field of the front, as the table says."""
    table = WIRE.partition("| offset | size |")[2].partition("\n\n")[0]
    return {name: (int(offset), int(size)) for offset, size, name in FIELD.findall(table)}


def planes(columns: list[bytes]) -> bytes:
    """Values of one width, all first bytes first."""
    return (
        b"".join(bytes(value[plane] for value in columns) for plane in range(len(columns[0])))
        if columns
        else b""
    )


def made(elements: dict[str, object], packing: int = 0) -> bytes:
    """A message by the tables of the document."""
    table = WIRE.partition("one MessagePack array")[2].partition("Columns 1, 2")[0]
    body = msgspec.msgpack.encode([elements[name] for _, name in ELEMENT.findall(table)])
    payload = zstandard.ZstdCompressor().compress(body) if packing else body
    size = int(re.search(r"^Front, (\d+) bytes", WIRE, re.MULTILINE)[1])  # type: ignore[index]
    said = bytearray(size)
    values = {
        "magic": b"PL",
        "version": bytes([1]),
        "lane": bytes([0]),
        "packing": bytes([packing]),
        "reserved": bytes(front()["reserved"][1]),
        **IDS,
        "seq": (4242).to_bytes(8, "big"),
        "length": len(body).to_bytes(4, "big"),
    }
    for name, value in values.items():
        offset, width = front()[name]
        assert len(value) == width, name
        said[offset : offset + width] = value
    offset, width = front()["crc"]
    assert (offset + width, width) == (size, 4)
    said[offset:] = zlib.crc32(payload, zlib.crc32(said[:offset])).to_bytes(4, "big")
    return bytes(said) + payload


def four_rows() -> dict[str, object]:
    times = [T, T, T + 250_000, T + 500_000]
    differences = [times[0], *(after - before for before, after in pairwise(times))]
    return {
        "rows": 4,
        "times": planes([struct.pack("<q", value) for value in differences]),
        "signals": planes([struct.pack("<I", value) for value in (0, 1, 2, 0)]),
        "flags": bytes([0x08 | 0x10, 0x04, 0x04 | 0x40 | 1, 0x20 | 2]),
        "numbers": planes([struct.pack("<d", value) for value in (4711.0, 12.5)]),
        "texts": planes([struct.pack("<I", 0)]),
        "raw_numbers": planes([struct.pack("<d", 1.0)]),
        "raw_texts": planes([struct.pack("<I", 1)]),
        "source_times": planes([struct.pack("<q", T - 7)]),
        "strings": ["running", "E42"],
        "marks": [[0, T - 10, T + 10]],
        "gaps": [[IDS["stream"], 3, 9, T - 90, T - 60, 412, "buffer full", [1]]],
        "pending": [[T - 60, T - 20]],
    }


def test_the_front_has_no_hole_and_no_overlap() -> None:
    at = 0
    for offset, size in front().values():
        assert offset == at
        at += size
    assert at == codec.FRONT_BYTES


@pytest.mark.parametrize("packing", [0, 1])
def test_a_batch_made_by_the_document_is_read(packing: int) -> None:
    said, batch = codec.unpack(made(four_rows(), packing))
    assert (said.lane, said.seq) == (Lane.LIVE, 4242)
    assert {name: getattr(said, name) for name in IDS} == IDS
    assert list(samples_of(batch)) == [
        Sample(0, T, "running", Quality.GOOD, 1.0),
        Sample(1, T, 4711.0),
        Sample(2, T + 250_000, 12.5, Quality.UNCERTAIN, None, T - 7),
        Sample(0, T + 500_000, None, Quality.BAD, "E42"),
    ]
    assert batch.marks == [ScanMark(0, T - 10, T + 10)]
    assert batch.gaps == [Gap(IDS["stream"], 3, 9, T - 90, T - 60, 412, "buffer full", [1])]
    assert batch.pending == [Pending(T - 60, T - 20)]


def test_every_role_of_a_signal_is_named() -> None:
    said = re.search(r"Roles: `([^`]+)`", WIRE)
    assert said is not None
    assert said[1].split() == [str(role) for role in Role]


def test_what_the_cloud_says_has_every_field() -> None:
    said = dict(re.findall(r"^- `(ack|want)`: (.*?)(?=^- )", WIRE, re.MULTILINE | re.DOTALL))
    ack = msgspec.json.decode(encode(Ack("0" * 32, 7, T)))
    assert ack == {"stream": "0" * 32, "through": 7, "also": [], "time_us": T}
    want = msgspec.json.decode(encode(Want(["1" * 32])))
    assert set(want) == {"dictionaries", "stream", "ranges"}
    for kind, fields in (("ack", ack), ("want", want)):
        for name in fields:
            assert name in said[kind], f"{kind} {name}"
