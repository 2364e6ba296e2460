"""Tag lists as PLC tools write them: what comes of each row, byte by byte, and that it is config that passes.

A folder: ``input.*``, ``expected.yaml``, ``expected.skipped``; ``options`` where the command has some.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.config.load import load
from tests.integration.edge_tools.commands import agent

CASES = sorted(path for path in (Path(__file__).parent / "import_tags").iterdir() if path.is_dir())
HEAD = "agent: {id: gw-1, site: bench}\nuplink: {url: 'mqtt://127.0.0.1:1'}\n"
OPCUA = "sources: {plc: {type: opcua, endpoint: 'opc.tcp://127.0.0.1:4840', security: none}}\n"
MODBUS = "sources: {plc: {type: modbus-tcp, host: 127.0.0.1}}\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_list_becomes_config(case: Path, tmp_path: Path) -> None:
    given = next(case.glob("input.*"))
    options = (case / "options").read_text("utf-8").split() if (case / "options").exists() else []
    done = agent("import-tags", given, *options)
    told = done.err.replace(f"{given}", given.name)
    assert told == (case / "expected.skipped").read_text("utf-8")
    expected = (case / "expected.yaml").read_text("utf-8")
    assert done.out == expected
    assert done.code == (0 if expected else 1)
    if expected:
        path = tmp_path / "gw.yaml"
        path.write_text(HEAD + (OPCUA if "node:" in expected else MODBUS) + expected, "utf-8")
        loaded = load(path)
        assert loaded.faults.lines() == []
        assert loaded.config is not None
        assert f" {len(loaded.config.signals)} tags, " in told


def test_what_is_no_list_is_told(tmp_path: Path) -> None:
    for name, content, told in (
        ("a.csv", b"just\nsome\ntext\n", "no list of tags"),
        ("b.xlsx", b"PK\x03\x04 broken", "this is no workbook"),
        ("c.xsy", b"<VariablesExchangeFile><dataBlock>", "this is no XML"),
        ("d.csv", b"", "no list of tags"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        done = agent("import-tags", path)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(told), done.err
        assert str(path) in done.err
    done = agent("import-tags", path, "--node", "ns=2;s=fixed")
    assert done.err.startswith("no pattern: --node: 'ns=2;s=fixed' names no tag; ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encoding_and_separator_do_not_matter(encoding: str, separator: str, tmp_path: Path) -> None:
    text = "Name,Address,Type,Unit\r\nÖltemperatur,holding:7,int,°C\r\n".replace(",", separator)
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    done = agent("import-tags", path)
    assert 'oeltemperatur: {register: "holding:7", type: int16, unit: "°C"}' in done.out
