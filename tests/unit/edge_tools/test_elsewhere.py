"""The tools need nothing that only POSIX has: an engineer's laptop may run Windows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.edge_sources.device import device
from tests.integration.edge_tools.devices import in_thread

ROOT = Path(__file__).resolve().parents[3]
EDGE = ROOT / "configs" / "edge"
WORLD = {"PLANTLEDGER_SITE": "columbus", "LINE_SERVER": "10.0.0.9", "PYTHONIOENCODING": "cp1252"}
TAGS = """Tag Name,Address,Data Type
Press1.Temp °C,40101,Word
"""


def elsewhere(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """``edge-agent`` there; a text that is read or written in the system's own encoding is a fault."""
    command = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning:edge_agent"]
    command += ["-m", "tests.unit.edge_tools.elsewhere", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | WORLD, capture_output=True, text=True, encoding="cp1252"
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("name", ["behind-a-proxy", "three-hundred-presses"])
def test_configs_are_checked_and_planned(name: str) -> None:
    config = EDGE / f"{name}.yaml"
    assert elsewhere("check", config).returncode == 0
    plan = elsewhere("plan", config)
    assert (plan.returncode, plan.stderr) == (0, "")


def test_file_modes_are_skipped_with_a_word(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("secret", "utf-8")
    secret.chmod(0o666)
    text = (EDGE / "opcua-first-look.yaml").read_text("utf-8")
    config = tmp_path / "gw.yaml"
    config.write_text(text.replace("interval: 1 s", f"user: me, password_file: {secret}"), "utf-8")
    checked = elsewhere("check", config)
    assert checked.returncode == 0
    assert "this system tells no file modes" in checked.stderr + checked.stdout
    examined = elsewhere("doctor", config)
    assert "this system tells no file modes" in examined.stdout
    assert examined.returncode == 1, "no broker and no PLC"


def test_the_other_tools_do_their_work(tmp_path: Path) -> None:
    tags = tmp_path / "tags.csv"
    tags.write_bytes(TAGS.encode("cp1252"))
    assert "holding:100" in elsewhere("import-tags", tags).stdout
    assert elsewhere("schema").returncode == 0
    assert elsewhere("test", EDGE / "tests" / "press-short-stop.yaml").returncode == 0
    first_look = EDGE / "opcua-first-look.yaml"
    assert "is not running" in elsewhere("status", first_look).stderr
    assert "no buffer" in elsewhere("buffer", "inspect", first_look).stderr
    out = tmp_path / "bundle.zip"
    assert elsewhere("bundle", first_look, "-o", out).returncode == 0
    assert out.stat().st_size > 100
    made = tmp_path / "made"
    assert elsewhere("cert", "opcua", made, "--name", "gw-1").returncode in (0, 2)


def test_devices_are_asked_from_there() -> None:
    with in_thread(device()) as plc:
        plc.registers[100] = 4711
        probed = elsewhere("probe", f"127.0.0.1:{plc.port}", "holding:100", "--unit", "1", "--timeout", "30")
        assert "4711" in probed.stdout


def test_the_agent_itself_says_where_it_runs() -> None:
    done = elsewhere("run", EDGE / "opcua-first-look.yaml")
    assert done.returncode == 1
    assert "run it on Linux" in done.stderr
