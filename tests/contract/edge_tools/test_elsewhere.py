"""The tools where neither Unix sockets nor file locks are, as on Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
WINDOWS = """
import os, socket, sys
for name in ("fcntl", "pwd", "grp", "termios", "resource"):
    sys.modules[name] = None
import asyncio, functools
socket.socketpair = functools.partial(socket.socketpair, socket.AF_UNIX)
del socket.AF_UNIX, os.O_DIRECTORY, os.O_CLOEXEC, os.fdatasync, os.pread, os.pwrite
from edge_agent.__main__ import main
for line in sys.argv[1].split(";"):
    try:
        code = main(line.split())
    except SystemExit as ended:
        code = ended.code
    print(f"== {line.split()[0]} {code}", flush=True)
"""


def test_every_tool_works_without_unix(tmp_path: Path) -> None:
    config = tmp_path / "gw.yaml"
    config.write_text(
        "agent: {id: gw-1, site: s}\nuplink: {url: 'mqtt://127.0.0.1:1'}\nbuffer: {path: ./buffer}\n"
        "sources: {plc: {type: modbus-tcp, host: 127.0.0.1, port: 1, timeout: 100 ms}}\n"
        "machines: {m: {line: l, source: plc, signals: {v: {register: 'holding:1', type: uint16}}}}\n",
        "utf-8",
    )
    golden = ROOT / "tests" / "golden"
    lines = [
        f"check {config}",
        f"plan {config}",
        f"read {config}",
        f"buffer verify {golden}/buffer/v1",
        f"buffer export {golden}/buffer/v1 -o {tmp_path}/values.csv",
        f"import-tags {golden}/edge_tools/import_tags/kepware-modbus/input.csv",
        f"test {ROOT}/configs/edge/tests/press-short-stop.yaml",
        f"probe {config}:plc holding:1",
        "browse opc.tcp://127.0.0.1:1",
        "trust opc.tcp://127.0.0.1:1",
        f"cert create {tmp_path}/gw-1",
        f"doctor {config}",
        f"bundle {config} -o {tmp_path}/bundle.zip",
        f"status {config}",
        "schema",
    ]
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS, ";".join(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    codes = dict(line[3:].rsplit(" ", 1) for line in done.stdout.splitlines() if line.startswith("== "))
    refused = {"read", "probe", "browse", "trust", "doctor", "status"}
    assert {command: int(code) for command, code in codes.items()} == {
        line.split()[0]: int(line.split()[0] in refused) for line in lines
    }, done.stderr
    assert "Traceback" not in done.stderr
