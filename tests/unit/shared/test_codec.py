"""The wire: what goes in comes out; what is too large or not a batch is refused."""

from __future__ import annotations

import zlib

import msgspec
import pytest
import zstandard

from shared import codec
from shared.batch import Batch, Gap, Lane, Pending, ScanMark, batch_of, samples_of
from shared.errors import WireError
from shared.sample import Quality, Sample

STREAM, INSTANCE, START, DICTIONARY = (bytes([n]) * 16 for n in (1, 2, 3, 4))


def message_of(batch: Batch, seq: int = 7) -> bytes:
    return codec.message(
        codec.pack(batch), lane=Lane.LIVE, stream=STREAM, seq=seq, instance=INSTANCE, start=START
    )


def sealed(payload: bytes, *, length: int, packing: int = 1, seq: int = 1, lane: int = 0) -> bytes:
    """A message with a right check sum, whatever it holds."""
    head = codec._FRONT.pack(
        b"PL", 1, lane, packing, STREAM, INSTANCE, START, DICTIONARY, seq, length, 0
    )  # fmt: skip
    crc = zlib.crc32(payload, zlib.crc32(head[:-4]))
    return head[:-4] + crc.to_bytes(4, "big") + payload


def columns(**changes: object) -> list[object]:
    """An empty body; each test bends one field of it."""
    body: dict[str, object] = {
        "rows": 0, "times": b"", "signals": b"", "flags": b"", "numbers": b"", "texts": b"",
        "raw_numbers": b"", "raw_texts": b"", "source_times": b"", "strings": [],
        "marks": [], "gaps": [], "pending": [],
    }  # fmt: skip
    return list((body | changes).values())


def stored(**changes: object) -> bytes:
    body = msgspec.msgpack.encode(columns(**changes))
    return sealed(body, length=len(body), packing=0)


def test_every_kind_of_sample_and_record_comes_back() -> None:
    samples = [
        Sample(0, 1_000_000, 1.5),
        Sample(1, 1_000_001, "running", Quality.GOOD, raw=1.0),
        Sample(2, 999_999, None, Quality.BAD, raw="0xFFFF", source_time_us=-5),
        Sample(3, 2_000_000, None, Quality.GOOD),
        Sample(1, 2_000_000, "läuft ☃", Quality.UNCERTAIN, source_time_us=1_999_000),
    ]
    marks, gaps = [ScanMark(0, 1, 9)], [Gap(STREAM, 2, 4, 10, 20, 300, "buffer full", [1, 2])]
    batch = batch_of(DICTIONARY, samples, marks, gaps, [Pending(5, 6)])
    front, back = codec.unpack(message_of(batch))
    assert (front.stream, front.instance, front.start, front.seq) == (STREAM, INSTANCE, START, 7)
    assert front.dictionary == back.dictionary == DICTIONARY
    assert list(samples_of(back)) == samples
    assert (back.marks, back.gaps, back.pending) == (marks, gaps, [Pending(5, 6)])


def test_readdressed_changes_the_sender_and_the_lane_alone() -> None:
    original = message_of(batch_of(DICTIONARY, [Sample(0, 1, 2.0)]))
    resent = codec.readdressed(original, lane=Lane.HISTORY, instance=bytes(16), start=b"s" * 16)
    front, batch = codec.unpack(resent)
    assert (front.lane, front.instance, front.start) == (Lane.HISTORY, bytes(16), b"s" * 16)
    assert (front.stream, front.seq, front.dictionary) == (STREAM, 7, DICTIONARY)
    assert list(samples_of(batch)) == [Sample(0, 1, 2.0)]


def test_a_text_with_a_nul_travels_without_it() -> None:
    _, batch = codec.unpack(message_of(batch_of(DICTIONARY, [Sample(0, 1, "a\x00b")])))
    assert [sample.value for sample in samples_of(batch)] == ["a\ufffdb"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused_before_it_is_numbered(number: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        codec.pack(batch_of(DICTIONARY, [Sample(0, 1, number)]))


def test_numbers_whose_sum_is_not_finite_are_no_fault() -> None:
    samples = [Sample(0, 1, 1.7e308), Sample(0, 2, 1.7e308)]
    _, batch = codec.unpack(message_of(batch_of(DICTIONARY, samples)))
    assert list(samples_of(batch)) == samples


def test_limits_are_said_before_numbering() -> None:
    rows = [Sample(0, n, 1.0) for n in range(codec.MAX_ROWS + 1)]
    with pytest.raises(ValueError, match="split"):
        codec.pack(batch_of(DICTIONARY, rows))
    marks = [ScanMark(0, 0, 1)] * (codec.MAX_RECORDS + 1)
    with pytest.raises(ValueError, match="split"):
        codec.pack(batch_of(DICTIONARY, [], marks))
    with pytest.raises(ValueError, match="out of range"):
        codec.pack(batch_of(DICTIONARY, [Sample(0, codec.MAX_TIME_US, 1.0)]))


BENT = {
    "three flags for no row": {"flags": b"\0\0\0"},
    "two values in a row": {"rows": 1, "flags": b"\x0c", "times": bytes(8), "signals": bytes(4)},
    "a quality that is none": {"rows": 1, "flags": b"\x03", "times": bytes(8), "signals": bytes(4)},
    "more rows than allowed": {"rows": codec.MAX_ROWS + 1},
    "rows below nothing": {"rows": -1},
    "a text that is not there": {
        "rows": 1, "flags": b"\x08", "times": bytes(8), "signals": bytes(4), "texts": b"\5\0\0\0",
    },
    "an infinite number": {
        "rows": 1, "flags": b"\x04", "times": bytes(8), "signals": bytes(4),
        "numbers": b"\0\0\0\0\0\0\xf0\x7f",
    },
    "a NUL in a text": {"strings": ["a\0b"]},
    "a mark that ends before it begins": {"marks": [[0, 5, 4]]},
    "a gap without a stream": {"gaps": [[b"", 1, 2, 3, 4, 5, "x", []]]},
    "a gap whose range is turned round": {"gaps": [[STREAM, 3, 2, 3, 4, 5, "x", []]]},
    "a pending record turned round": {"pending": [[5, 4]]},
    "records without end": {"marks": [[0, 0, 0]] * (codec.MAX_RECORDS + 1)},
    "times beyond 64 bits": {
        "rows": 2, "flags": b"\0\0", "signals": bytes(8),
        "times": bytes(n for plane in range(8) for n in ((0x7F, 0x7F) if plane == 7 else (0xFF, 0xFF))),
    },
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(BENT))
def test_a_body_that_lies_is_a_wire_error(what: str) -> None:
    codec.unpack(stored())
    with pytest.raises(WireError):
        codec.unpack(stored(**BENT[what]))


def test_a_body_nested_without_end_is_a_wire_error() -> None:
    body = msgspec.msgpack.encode(columns())
    nested = bytes([body[0] + 1]) + body[1:] + b"\x91" * 100_000 + b"\x01"
    with pytest.raises(WireError):
        codec.unpack(sealed(nested, length=len(nested), packing=0))


def test_a_frame_that_tells_a_giant_size_is_refused_without_unpacking_it() -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(64 * 1024 * 1024))
    with pytest.raises(WireError, match="frame of 67108864 bytes"):
        codec.unpack(sealed(bomb, length=1_000))


def test_a_frame_that_tells_no_size_is_bounded_too() -> None:
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    bomb = compressor.compress(bytes(64 * 1024 * 1024)) + compressor.flush()
    with pytest.raises(WireError):
        codec.unpack(sealed(bomb, length=len(bomb) * 100))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"length": codec.MAX_LENGTH + 1}, "at most"),
        ({"length": 1_000_000}, "more than 250 to 1"),
        ({"length": 5, "packing": 0}, "announced"),
        ({"length": 3, "packing": 2}, "packing"),
        ({"length": 3, "lane": 2}, "lane"),
        ({"length": 3, "seq": 1 << 62}, "seq"),
    ],
)
def test_a_front_that_lies_is_a_wire_error(change: dict[str, int], said: str) -> None:
    with pytest.raises(WireError, match=said):
        codec.unpack(sealed(b"abc", **change))


def test_another_version_says_which() -> None:
    message = bytearray(message_of(batch_of(DICTIONARY, [])))
    message[2] = 9
    with pytest.raises(WireError, match="version 9"):
        codec.read_front(bytes(message))
