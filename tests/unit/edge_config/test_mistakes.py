"""Golden folder: bad configs and the exact lines that check prints for each."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.unit.edge_config.files import CONFIGS, FRAME, MISTAKES, lines, loaded, signal_faults

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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "a: {register: holding:1, type: uint16, invalid: [70000]}",
            "invalid: 70000 can never come from uint16",
        ),
        ("a: {register: holding:1, type: uint16, invalid: [none]}", "invalid: none is a text"),
        ('a: {register: holding:1, type: uint16, role: alarm, map: {1: "a\\tb"}}', "control characters"),
        ("a: {register: holding:1, type: uint16, role: alarm, map: {1: true}}", "quote it"),
        ('a: {register: holding:1, type: uint16, unit: "${env:X"}', "a ${ is not closed"),
        ("STATE: {register: holding:1, type: uint16}", "'STATE' is no role; did you mean 'state'"),
    ],
)
def test_values_that_cannot_be_meant(line: str, told: str, tmp_path: Path) -> None:
    assert any(told in fault for fault in signal_faults(tmp_path, line)), signal_faults(tmp_path, line)


@pytest.mark.parametrize(
    "line",
    [
        "a: {register: holding:1, type: int16, invalid: [0x8000, -1]}",
        "a: {register: holding:1, type: int16, mask: 0x8000, invalid: [0x8000]}",
        "a: {register: holding:1, type: uint64, invalid: [0xFFFFFFFFFFFFFFFF]}",
        "a: {register: holding:1, type: float32, invalid: [-999.25]}",
        'a: {register: holding:1, type: uint16, unit: "$${x}"}',
    ],
)
def test_values_that_can_be_meant(line: str, tmp_path: Path) -> None:
    assert signal_faults(tmp_path, line) == []


@pytest.mark.parametrize(
    "url",
    [
        "mqtts://broker,8883",
        "mqtts:// broker",
        "mqtts://mqtts://broker",
        "mqtts://10.0.0.256",
        "mqtts://.nan",
    ],
)
def test_an_address_names_a_host(url: str, tmp_path: Path) -> None:
    (fault,) = lines(
        tmp_path, FRAME.replace('"mqtts://broker:8883"', f'"{url}"') + '      a: {register: "coil:1"}\n'
    )
    assert fault.startswith("gw.yaml:2:15: url: ")


@pytest.mark.parametrize(
    "host", ["broker", "my_plc.plant.example", "10.0.0.6", "[fe80::1]", "münchen.example"]
)
def test_names_of_hosts(host: str, tmp_path: Path) -> None:
    assert (
        lines(tmp_path, FRAME.replace("broker:8883", f"{host}:8883") + '      a: {register: "coil:1"}\n')
        == []
    )


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a:\n  url wss://b\n  ca: c.pem\n", 2, "no 'key: value' stands here"),
        ("a:\n  one: 1\n  url: x\n   two: 2\n", 4, "indented by 3 spaces"),
        ("a:\n   one: 1\n  two: 2\n  three: 3\n", 2, "indented by 3 spaces"),
        ("a:\n  one: {x: 1, y: 2\n  two: 2\n", 2, "this { is not closed"),
        ("a:\n  one: [1, 2\n  two: 2\n", 2, "this [ is not closed"),
        ("agent:\nuplink: {url: x}\n", 1, "'agent' wants a mapping"),
    ],
)
def test_slips_in_the_yaml_are_told_in_their_line(text: str, line: int, told: str, tmp_path: Path) -> None:
    assert any(f.startswith(f"gw.yaml:{line}:") and told in f for f in lines(tmp_path, text)), lines(
        tmp_path, text
    )


def test_a_name_that_is_not_defined_is_not_told_three_hundred_times(tmp_path: Path) -> None:
    machines = "".join(
        f"  m-{n}: {{line: l, source: plcc, signals: {{a: {{register: 'coil:1'}}}}}}\n" for n in range(300)
    )
    found = lines(tmp_path, FRAME.partition("machines:")[0] + "machines:\n" + machines)
    assert len(found) == 2
    assert found[1].endswith("did you mean 'plc'? (and 298 more like this)")


def test_a_cell_that_one_row_alone_has_wrong_is_told_in_its_row(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "machine,line,source,base\na,l,plc,1\nb,l,plc,99999\nc,l,plc,3\n", "utf-8"
    )
    text = FRAME.partition("machines:")[0] + (
        "types: {t: {parameters: {base: integer}, signals: {a: {register: 'coil:${base}'}}}}\n"
        "instances: [{type: t, csv: rows.csv}]\n"
    )
    (fault,) = lines(tmp_path, text)
    assert fault.startswith("rows.csv:3:9: register: ")


@pytest.mark.parametrize("wrong", ['"a\\0b"', '"' + "x" * 600 + '"', '"${nothing}"'])
def test_names_of_files_that_are_none(wrong: str, tmp_path: Path) -> None:
    text = FRAME.partition("machines:")[0] + (
        "types: {t: {parameters: {base: integer, f: file}, signals: "
        "{a: {register: 'holding:${base}', type: uint16, role: alarm, map_file: '${f}'}}}}\n"
        f"machines: {{m: {{type: t, line: l, source: plc, with: {{base: 1, f: {wrong}}}}}}}\n"
    )
    (fault,) = lines(tmp_path, text)
    assert fault.startswith("gw.yaml:7:66: ")
    assert len(lines(tmp_path, text + f"include: [{wrong}]\ninstances: [{{type: t, csv: {wrong}}}]\n")) == 3


def test_substitutions_name_included_files_too(tmp_path: Path) -> None:
    (tmp_path / "columbus.yaml").write_text("sources: {more: {type: modbus-tcp, host: h}}\n", "utf-8")
    text = FRAME + '      a: {register: "coil:1", source: more}\ninclude: ["${env:PLANTLEDGER_SITE}.yaml"]\n'
    assert lines(tmp_path, text) == []
