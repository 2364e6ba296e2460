"""Golden folder: bad configs and the exact lines that check prints for each."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.unit.edge_config.files import CONFIGS, MISTAKES, loaded, signal_faults

LINE = re.compile(r"^[^:\n]+:[1-9][0-9]*:[1-9][0-9]*: \S[^\n]*$")


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_each_mistake_is_told_at_its_place(path: Path) -> None:
    found = [line.removeprefix(f"{path.parent}/") for line in loaded(path).faults.lines()]
    assert found == path.with_suffix(".txt").read_text("utf-8").splitlines()
    assert all(LINE.match(line) for line in found)


def test_the_golden_folder_is_there() -> None:
    assert len(MISTAKES) >= 20


def test_three_mistakes_are_three_lines_with_hints() -> None:
    path = next(path for path in MISTAKES if path.stem == "three-mistakes")
    found = loaded(path).faults.lines()
    assert [line.split(":")[1] for line in found] == ["4", "11", "12"]
    assert all("did you mean" in line or "write" in line for line in found)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_is_sound(path: Path) -> None:
    found = loaded(path)
    assert found.faults.lines() == []
    assert found.config is not None
    assert found.config.signals


def test_shipped_configs_with_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    shutil.copytree(CONFIGS[0].parent, folder)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    for path in CONFIGS:
        original, other = loaded(path).config, loaded(folder / path.name).config
        assert original is not None
        assert other is not None
        assert other.content_hash == original.content_hash
        assert other.signals == original.signals


def test_a_byte_that_is_no_utf8_has_a_place(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_bytes(b"agent: {id: gw-1,\n  site: M\xfcnchen}\n")
    assert loaded(path).faults.lines() == [f"{path}:2:10: this is not UTF-8 text; save the file as UTF-8"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    assert loaded(path).faults.lines() == [
        f"{path}:1:1: the file cannot be read (No such file or directory); check path and owner"
    ]


def test_nesting_without_end_is_a_mistake_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text("agent: " + "[" * 400, "utf-8")
    assert len(loaded(path).faults.lines()) == 1
    path.write_text("agent: &a {id: *a, site: x}\n", "utf-8")
    assert any("contains itself" in line for line in loaded(path).faults.lines())


def test_what_a_substitution_brings_in_is_never_repeated(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2-is-secret\n", "utf-8")
    path = tmp_path / "gw.yaml"
    path.write_text(
        'agent: {id: "${file:token} x", site: s}\n'
        'uplink: {url: "mqtts://${file:token}:x", proxy: "${file:token}"}\n'
        'sources: {a: {type: modbus-tcp, host: h, port: "${file:token}"}}\n'
        'machines: {m: {line: l, source: "${file:token}", signals: {s: {register: "${file:token}"}}}}\n',
        "utf-8",
    )
    found = loaded(path).faults.lines()
    assert len(found) >= 4
    assert not any("hunter2" in line for line in found)


def test_a_secret_that_others_can_read_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("secret", "utf-8")
    (tmp_path / "gw.pem").write_text("public", "utf-8")
    path = tmp_path / "gw.yaml"
    path.write_text(
        'agent: {id: a, site: b}\nuplink: {url: "mqtts://b", certificate: gw.pem, key: key.pem}\n'
        "sources: {p: {type: modbus-tcp, host: h}}\n"
        'machines: {m: {line: l, source: p, signals: {s: {register: "coil:1"}}}}\n',
        "utf-8",
    )
    (tmp_path / "key.pem").chmod(0o640)
    assert loaded(path).faults.lines() == [
        f"{path}:2:54: key: others can read key.pem (mode 0640); chmod 600 key.pem"
    ]
    (tmp_path / "key.pem").chmod(0o600)
    assert loaded(path, files_needed=True).config is not None


def test_a_missing_certificate_is_a_warning_for_check_and_a_mistake_for_run() -> None:
    path = next(path for path in CONFIGS if path.stem == "two-lines")
    assert loaded(path).config is not None
    assert len(loaded(path).faults.warnings()) == 6
    assert len(loaded(path, files_needed=True).faults.lines()) == 6


@pytest.mark.parametrize(
    "name", ["speed", "counter", "stat", "ordering", "oil_temp", "w0", "go", "crew_size"]
)
def test_a_measure_may_have_any_name_that_is_no_slip_of_a_role(tmp_path: Path, name: str) -> None:
    faults = signal_faults(tmp_path, f'{name}: {{register: "holding:1", type: uint16}}')
    assert bool(faults) == (name == "stat")
