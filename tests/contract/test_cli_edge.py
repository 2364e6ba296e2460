"""The commands of the agent, as a shell sees them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / "configs" / "edge"
COMMANDS = ("check", "run", "read", "plan", "status", "schema")


def agent(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_agent", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    done = agent(command, "--help")
    assert done.returncode == 0
    assert f"edge-agent {command}" in done.stdout.split("example:")[1]


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"edge-agent \d+\.\d+\.\d+\n", agent("--version").stdout)


def test_help_names_every_command() -> None:
    done = agent("--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("line", [(), ("paint",), ("check",), ("check", "a", "b")])
def test_a_line_that_makes_no_sense_is_refused(line: tuple[str, ...]) -> None:
    done = agent(*line)
    assert done.returncode == 2
    assert "usage" in done.stderr
    assert "example: edge-agent " in done.stderr


def test_check_of_a_sound_config() -> None:
    done = agent("check", CONFIGS / "opcua-first-look.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{CONFIGS}/opcua-first-look.yaml: OK: 1 source, 1 machine, 3 signals\n"


def test_three_mistakes_are_three_lines(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    text = (CONFIGS / "two-lines.yaml").read_text("utf-8")
    for right, wrong in (
        ("interval: 500 ms", "intervall: 500 ms"),
        ("2: down, 3", "2: dwn, 3"),
        ("bit: 3", "bit: 33"),
    ):
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    path.write_text(text, "utf-8")
    done = agent("check", path)
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"{path}:11:5: unknown key 'intervall' in source 'press-plc'; did you mean 'interval'?",
        f"{path}:20:79: map: 'dwn' is no machine state; did you mean 'down'?",
        f"{path}:32:51: bit: 33 is beyond uint16; it can be 0 to 15",
    ]


def test_check_needs_no_library_of_a_field_bus() -> None:
    script = (
        "import sys; from edge_agent.__main__ import main; code = main(['check', sys.argv[1]]);"
        "print([name for name in ('asyncua', 'pymodbus', 'paho', 'asyncio') if name in sys.modules]);"
        "sys.exit(code)"
    )
    path = str(CONFIGS / "opcua-first-look.yaml")
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_compares_names_with_the_plant(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: bench\nlines:\n  - id: stamping\n    machines: [{id: press-l}, {id: press-2}]\n", "utf-8"
    )
    path = CONFIGS / "opcua-first-look.yaml"
    done = agent("check", path, "--plant", tmp_path)
    assert done.returncode == 1
    assert (
        done.stdout == f"{path}:9:3: machine 'press-1' is not in the plant model; did you mean 'press-l'?\n"
    )
    (tmp_path / "site.yaml").write_text(
        "lines:\n  - machines:\n    - id: press-1\n    - id: press-2\n", "utf-8"
    )
    done = agent("check", path, "--plant", tmp_path)
    assert done.returncode == 0
    assert f"{tmp_path}/site.yaml:4:11: warning: machine 'press-2': no machine of this config" in done.stderr


def test_check_without_a_plant_model_says_where(tmp_path: Path) -> None:
    done = agent("check", CONFIGS / "opcua-first-look.yaml", "--plant", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"no plant model: {tmp_path}/site.yaml: ")


def test_schema_is_json() -> None:
    done = agent("schema")
    assert done.returncode == 0
    assert json.loads(done.stdout)["properties"]["agent"]["required"] == ["id", "site"]


def test_plan_counts_requests_registers_and_tags() -> None:
    done = agent("plan", CONFIGS / "modbus-meters.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "filler-plc: modbus-tcp 10.0.8.20:502"
    assert lines[1].startswith("  every 500 ms: 3 requests, 54 registers, 12 tags, estimated cycle ")
    assert any("holding:102" in line and "40103" in line and "filler-1.good_count" in line for line in lines)


@pytest.mark.parametrize("command", ["run", "read", "plan", "status"])
def test_a_broken_config_is_refused_by_every_command(command: str, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text("agent: {id: gw-1}\n", "utf-8")
    done = agent(command, path)
    assert done.returncode == 1
    assert f"{path}:1:1: " in done.stderr
    assert "Traceback" not in done.stderr


def test_status_without_an_agent_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text((CONFIGS / "opcua-first-look.yaml").read_text("utf-8"), "utf-8")
    done = agent("status", path)
    assert done.returncode == 1
    assert done.stderr == f"the agent is not running: {tmp_path}/buffer: start it: edge-agent run {path}\n"
