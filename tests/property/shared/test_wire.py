"""Any batch comes back; any other bytes are a WireError and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import codec, control, dictionary
from shared.batch import Gap, Lane, Pending, ScanMark, batch_of, samples_of
from shared.errors import WireError
from shared.roles import Role
from shared.sample import Quality, Sample

TIMES = st.integers(-codec.MAX_TIME_US + 1, codec.MAX_TIME_US - 1)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
VALUES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
RAWS = st.one_of(st.none(), st.floats(allow_nan=False), TEXTS)
SAMPLES = st.lists(
    st.builds(
        Sample,
        signal=st.integers(0, 2**32 - 1),
        time_us=TIMES,
        value=VALUES,
        quality=st.sampled_from(Quality),
        raw=RAWS,
        source_time_us=st.one_of(st.none(), TIMES),
    ),
    max_size=60,
)
SPANS = st.tuples(TIMES, TIMES).map(sorted)
MARKS = st.lists(
    st.builds(lambda source, span: ScanMark(source, *span), st.integers(0, 2**31), SPANS), max_size=5
)
SEQS = st.tuples(st.integers(0, (1 << 62) - 1), st.integers(0, (1 << 62) - 1)).map(sorted)
GAPS = st.lists(
    st.builds(
        lambda stream, seqs, span, count, reason, signals: Gap(stream, *seqs, *span, count, reason, signals),
        st.binary(min_size=16, max_size=16), SEQS, SPANS,
        st.integers(0, 2**40), TEXTS, st.lists(st.integers(0, 9)),
    ),
    max_size=3,
)  # fmt: skip
PENDING = st.lists(SPANS.map(lambda span: Pending(*span)), max_size=3)
IDS = st.binary(min_size=16, max_size=16)
ADDRESS = st.fixed_dictionaries(
    {
        "lane": st.sampled_from(Lane), "stream": IDS, "instance": IDS, "start": IDS,
        "seq": st.integers(0, (1 << 62) - 1),
    }
)  # fmt: skip


@given(SAMPLES, MARKS, GAPS, PENDING, IDS, ADDRESS)
def test_any_batch_comes_back(
    samples: list[Sample],
    marks: list[ScanMark],
    gaps: list[Gap],
    pending: list[Pending],
    name: bytes,
    address: dict,
) -> None:
    batch = batch_of(name, samples, marks, gaps, pending)
    front, back = codec.unpack(codec.message(codec.pack(batch), **address))
    assert {field: getattr(front, field) for field in address} == address
    assert front.dictionary == name
    assert list(samples_of(back)) == samples
    assert (back.marks, back.gaps, back.pending) == (marks, gaps, pending)


def unpack_or_refuse(message: bytes) -> bool:
    try:
        codec.unpack(message)
    except WireError:
        return False
    return True


@given(st.binary(max_size=400))
def test_random_bytes_are_refused(noise: bytes) -> None:
    assert not unpack_or_refuse(noise)
    assert not unpack_or_refuse(b"PL\x01" + noise)
    for kind in (control.Ack, control.Hello, control.Want, control.Status):
        with pytest.raises(WireError):
            control.decode(b"\x00" + noise, kind)
    with pytest.raises(WireError):
        dictionary.unpack(noise)


def example() -> bytes:
    samples = [
        Sample(n % 7, 1_700_000_000_000_000 + n * 1000, n / 3 if n % 2 else f"w{n}") for n in range(50)
    ]
    packed = codec.pack(batch_of(bytes(16), samples, [ScanMark(0, 0, 1)]))
    return codec.message(packed, lane=Lane.LIVE, stream=bytes(16), seq=1, instance=bytes(16), start=bytes(16))


@given(st.data())
def test_a_flipped_bit_is_always_noticed(data: st.DataObject) -> None:
    message = bytearray(example())
    at = data.draw(st.integers(0, len(message) * 8 - 1))
    message[at // 8] ^= 1 << at % 8
    assert not unpack_or_refuse(bytes(message))


@given(st.integers(0, len(example()) - 1))
def test_a_cut_message_is_always_noticed(length: int) -> None:
    assert not unpack_or_refuse(example()[:length])


@given(st.binary(max_size=300), st.integers(0, codec.MAX_LENGTH + 9), st.sampled_from([0, 1]))
def test_a_right_check_sum_over_noise_is_refused(noise: bytes, length: int, packing: int) -> None:
    front = codec.Front(Lane.LIVE, packing, bytes(16), bytes(16), bytes(16), bytes(16), 1, length)
    assert not unpack_or_refuse(codec._sealed(front, noise))


@given(st.lists(st.tuples(st.text("abc-", min_size=1), st.sampled_from(Role)), max_size=20))
def test_any_dictionary_comes_back(signals: list[tuple[str, Role]]) -> None:
    content = dictionary.Dictionary(
        [dictionary.SourceEntry("plc", "opcua")],
        [dictionary.SignalEntry(name, name, role, 0) for name, role in signals],
    )
    assert dictionary.unpack(dictionary.pack(content)[1])[1] == content
