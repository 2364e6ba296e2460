"""Version 1 as it was first written: these bytes must be read for as long as version 1 is."""

from __future__ import annotations

from pathlib import Path

from shared import codec, dictionary
from shared.batch import Gap, Lane, Pending, ScanMark, samples_of
from shared.roles import Role
from shared.sample import Quality, Sample

HERE = Path(__file__).parent
HASH = bytes.fromhex("faf64812bd9e81010e4dda5ddbab9d02")
T = 1_790_000_000_000_000


def test_the_golden_batch_is_read() -> None:
    front, batch = codec.unpack((HERE / "batch-v1.bin").read_bytes())
    assert front.lane is Lane.LIVE
    assert (front.stream, front.seq) == (bytes(range(16)), 4242)
    assert (front.instance, front.start, front.dictionary) == (b"i" * 16, b"s" * 16, HASH)
    assert list(samples_of(batch)) == [
        Sample(0, T, "running", Quality.GOOD, 1.0),
        Sample(1, T, 4711.0),
        Sample(2, T + 250_000, 12.5, Quality.UNCERTAIN, 125.0, T - 7_200_000_000),
        Sample(0, T + 500_000, None, Quality.BAD, "E42"),
        Sample(0, T + 1_000_000, "läuft", Quality.GOOD, 9.0),
    ]
    assert batch.marks == [ScanMark(0, T - 10_000_000, T + 1_000_000), ScanMark(1, T, T + 250_000)]
    assert batch.gaps == [Gap(b"g" * 16, 3, 9, T - 90_000_000, T - 60_000_000, 412, "buffer full")]
    assert batch.pending == [Pending(T - 60_000_000, T - 20_000_000)]


def test_the_golden_compressed_batch_is_read() -> None:
    front, batch = codec.unpack((HERE / "batch-v1-compressed.bin").read_bytes())
    assert (front.lane, front.seq, front.packing) == (Lane.HISTORY, 4243, 1)
    assert list(samples_of(batch)) == [Sample(1, T + n * 10_000, 4711.0 + n) for n in range(200)]


def test_the_golden_dictionary_is_read_under_its_name() -> None:
    name, content = dictionary.unpack((HERE / "dictionary-v1.bin").read_bytes())
    assert name == HASH
    assert [(source.name, source.type) for source in content.sources] == [
        ("press-plc", "opcua"),
        ("pack-plc", "modbus-tcp"),
    ]
    state, good, energy = content.signals
    assert (state.role, state.map, state.raw) == (
        Role.STATE,
        {"0": "idle", "1": "running", "2": "down"},
        True,
    )
    assert (good.machine, good.width, good.source) == ("press-1", 32, 0)
    assert (energy.unit, energy.scale, energy.source) == ("kWh", 0.1, 1)
