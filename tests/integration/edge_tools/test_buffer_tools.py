"""buffer inspect, verify, export: what they say of sound, torn and damaged buffers, and of one in use."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from edge_agent.adapters.buffer_files import DiskFiles, write_whole
from edge_agent.ports import Written
from shared.control import Ack
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Quality, Sample
from tests.integration.edge_tools.commands import agent
from tests.unit.edge_delivery.buffers import T0, commit, opened, thousand_bytes

STREAM = b"s" * 16
PLANT = Dictionary(
    [SourceEntry("plc", "opcua")],
    [
        SignalEntry("press-1", "state", Role.STATE, 0, line="stamping", raw=True),
        SignalEntry("press-1", "steel", Role.MATERIAL, 0, item="coil-07", unit="kg"),
    ],
)


async def written(folder: Path, batches: int = 12) -> None:
    """A buffer of several segments, ended in order; the first three batches are acknowledged."""
    buffer = opened(DiskFiles(folder))
    for number in range(batches):
        assert buffer.put(thousand_bytes(number))
        await commit(buffer)
    buffer.acknowledge(Ack(STREAM.hex(), 3, T0))
    buffer.close()


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.seg"))


def dictionary_of(folder: Path) -> Path:
    return next(folder.glob("*.dictionary"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x20
    path.write_bytes(content)


async def test_inspect_counts_what_is_acknowledged_and_what_is_not(tmp_path: Path) -> None:
    await written(tmp_path)
    told = json.loads(agent("buffer", "inspect", tmp_path, "--json").out)
    assert (told["batches"], told["acknowledged"], told["unacknowledged"], told["rows"]) == (12, 3, 9, 12)
    assert told["segments"] == len(segments(tmp_path)) > 1
    assert told["bytes"] == sum(path.stat().st_size for path in segments(tmp_path))
    assert told["streams"][0]["seqs"] == [[1, 12]]
    assert (told["oldest"], told["newest"]) == ("2027-01-15T08:00:00.000000Z", "2027-01-15T08:00:11.000000Z")
    assert (told["torn"], told["damaged"], told["set_aside"]) == ([], [], [])
    text = agent("buffer", "inspect", tmp_path)
    assert text.code == 0
    assert "12 batches, 12 values: 3 batches acknowledged, 9 not" in text.out


async def test_verify_finds_any_byte_that_was_flipped_in_a_finished_segment(tmp_path: Path) -> None:
    await written(tmp_path)
    assert agent("buffer", "verify", tmp_path).code == 0
    first = segments(tmp_path)[0]
    sound = first.read_bytes()
    for at in (4, 70, 200, len(sound) // 2, len(sound) - 30, len(sound) - 6):
        flip(first, at)
        done = agent("buffer", "verify", tmp_path)
        assert done.code == 1, at
        assert str(first) in done.out, at
        first.write_bytes(sound)
    for small in (tmp_path / "settled", tmp_path / "instance", dictionary_of(tmp_path)):
        kept = small.read_bytes()
        flip(small, 10)
        done = agent("buffer", "verify", tmp_path)
        assert done.code == 1
        assert f"{small}: the file's check sum does not hold" in done.out
        small.write_bytes(kept)
    assert agent("buffer", "verify", tmp_path).code == 0


async def test_a_torn_tail_is_told_with_its_place(tmp_path: Path) -> None:
    buffer = opened(DiskFiles(tmp_path))
    buffer.put(thousand_bytes(1))
    await commit(buffer)
    crashed = tmp_path.parent / "crashed"
    shutil.copytree(tmp_path, crashed)
    buffer.close()
    (segment,) = segments(crashed)
    end = len(segment.read_bytes().rstrip(b"\0"))
    assert agent("buffer", "verify", crashed).code == 0
    with segment.open("r+b") as file:
        file.seek(end)
        file.write(b"\xa5PLR torn")
    done = agent("buffer", "verify", crashed)
    assert done.code == 1
    assert f"{segment}:{end}: 9 bytes of a torn write" in done.out
    assert f"torn tail: {segment}:{end}: 9 bytes" in agent("buffer", "inspect", crashed).out


async def test_a_buffer_that_is_held_and_written_can_be_looked_into(tmp_path: Path) -> None:
    buffer = opened(DiskFiles(tmp_path))
    for number in range(3):
        buffer.put(thousand_bytes(number))
        await commit(buffer)
    before = contents(tmp_path)
    assert agent("buffer", "verify", tmp_path).code == 0
    assert json.loads(agent("buffer", "inspect", tmp_path, "--json").out)["unacknowledged"] == 3
    assert len(agent("buffer", "export", tmp_path).out.splitlines()) == 4
    assert contents(tmp_path) == before
    buffer.close()


async def test_export_names_every_value(tmp_path: Path) -> None:
    buffer = opened(DiskFiles(tmp_path / "buffer"), plant=PLANT)
    samples = [
        Sample(0, T0, "running", Quality.GOOD, 1.0),
        Sample(1, T0 + 1, 12.5, Quality.UNCERTAIN, None, T0 - 5),
        Sample(0, T0 + 2_000_000, None, Quality.BAD),
    ]
    buffer.put(Written(samples))
    await commit(buffer)
    buffer.close()
    done = agent("buffer", "export", tmp_path / "buffer")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert done.code == 0
    assert [(row["machine"], row["role"], row["value"], row["quality"], row["raw"]) for row in rows] == [
        ("press-1", "state", "running", "good", "1.0"),
        ("press-1", "material:coil-07", "12.5", "uncertain", ""),
        ("press-1", "state", "", "bad", ""),
    ]
    assert rows[1]["source_time"] == "2027-01-15T07:59:59.999995Z"
    out = tmp_path / "values.jsonl"
    options = ("--from", "2027-01-15T08:00:00.000001Z", "--to", "2027-01-15T08:00:02Z")
    assert agent("buffer", "export", tmp_path / "buffer", "-o", out, *options).code == 0
    (row,) = map(json.loads, out.read_text("utf-8").splitlines())
    assert (row["signal"], row["value"], row["seq"]) == ("steel", 12.5, 1)
    buffer = opened(DiskFiles(tmp_path / "buffer"), stream=b"t" * 16, plant=PLANT)
    buffer.acknowledge(Ack(STREAM.hex(), 1, T0))
    buffer.close()
    assert agent("buffer", "export", tmp_path / "buffer", "--unacknowledged").out.count("\n") == 1


async def test_stamps_of_a_clock_that_was_not_set_are_put_right(tmp_path: Path) -> None:
    buffer = opened(DiskFiles(tmp_path), plant=PLANT)
    buffer.put(Written([Sample(0, 1_000_000, "running", Quality.GOOD, 1.0)]))
    await commit(buffer)
    buffer.close()
    files = DiskFiles(tmp_path)
    for shift, time, quality, clock in (
        ("null", "1970-01-01T00:00:01.000000Z", "uncertain", "unknown"),
        (str(T0), "2027-01-15T08:00:01.000000Z", "good", "put right"),
    ):
        stamp = f'{{"boot": "b", "zero_us": 0, "shift_us": {shift}}}'
        write_whole(files, "stamps", f'{{"streams": {{"{STREAM.hex()}": {stamp}}}}}'.encode())
        done = agent("buffer", "export", tmp_path)
        (row,) = csv.DictReader(io.StringIO(done.out))
        assert (row["time"], row["quality"]) == (time, quality)
        assert ("without a known time" in done.err) == (clock == "unknown")
        (stream,) = json.loads(agent("buffer", "inspect", tmp_path, "--json").out)["streams"]
        assert (stream["oldest"], stream["clock"]) == (time, clock)
    files.close()


@pytest.mark.parametrize("action", ["inspect", "verify", "export"])
def test_a_place_without_a_buffer_says_what_to_give(action: str, tmp_path: Path) -> None:
    config = tmp_path / "gw.yaml"
    config.write_text(
        "agent: {id: gw-1, site: s}\nuplink: {url: 'mqtt://127.0.0.1:1'}\nbuffer: {path: ./buffer}\n"
        "sources: {plc: {type: modbus-tcp, host: 127.0.0.1}}\n"
        "machines: {m: {line: l, source: plc, signals: {v: {register: 'holding:1', type: uint16}}}}\n",
        "utf-8",
    )
    done = agent("buffer", action, config)
    assert done.code == 1
    assert done.err == (
        f"no buffer can be read (No such file or directory): {tmp_path / 'buffer'}: "
        "give the config, or the folder that its buffer.path names; run as the agent's user\n"
    )


def test_an_instant_that_is_none_is_refused(tmp_path: Path) -> None:
    done = agent("buffer", "export", tmp_path, "--from", "yesterday")
    assert (done.code, done.err) == (
        1,
        "'yesterday' is no instant: --from: write for example 2026-11-22T06:00:00Z\n",
    )
