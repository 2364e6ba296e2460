"""The Debian package on a machine without network: from the first install to the last word of a purge."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.edge_operations.machine import PYTHON, Machine, interpreter, machine, until

ROOT = Path(__file__).resolve().parents[3]
CONFIG = "/etc/plantledger/agent.yaml"
PLC = """
import socketserver
class Plc(socketserver.BaseRequestHandler):
    def handle(self):
        while len(head := self.request.recv(12)) == 12:
            count = int.from_bytes(head[10:12], "big")
            self.request.sendall(head[:4] + (3 + 2 * count).to_bytes(2, "big") + head[6:8]
                                 + bytes([2 * count]) + b"\\0\\7" * count)
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 1502), Plc).serve_forever()
"""


def config(buffer: str) -> str:
    return (
        "agent: {id: gw-1, site: bench}\n"
        'uplink: {url: "mqtt://127.0.0.1:9"}\n'
        f"buffer: {{path: {buffer}, max_size: 16 MiB, reserve: 0 B}}\n"
        "sources: {plc: {type: modbus-tcp, host: 127.0.0.1, port: 1502, interval: 100 ms}}\n"
        "machines: {p: {line: a, source: plc, signals: {good_count: {register: 'holding:1', type: int16}}}}\n"
    )


def deb(folder: Path, version: str) -> Path:
    return next(folder.glob(f"plantledger-agent_{version}_*.deb"))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1.0 as it is built; 1.1 the same under another number; 1.2 one that cannot start."""
    out = tmp_path_factory.mktemp("packages")
    asked = ["--from-environment", "--fast", "--version", "1.0", "--out", str(out)]
    asked += ["--python", PYTHON, "--interpreter", interpreter()]
    subprocess.run(
        [sys.executable, "-m", "deploy.packages", *asked], cwd=ROOT, check=True, capture_output=True
    )
    for version in ("1.1", "1.2"):
        folder = out / version
        subprocess.run(["dpkg-deb", "-R", str(deb(out, "1.0")), str(folder)], check=True)
        dist = folder / "opt/plantledger-agent/dist"
        (dist / "1.0").rename(dist / version)
        (dist / version / "VERSION").write_text(f"{version}\n")
        if version == "1.2":
            shutil.rmtree(dist / version / "lib")
        for name in ("control", "postinst"):
            text = (folder / "DEBIAN" / name).read_text()
            (folder / "DEBIAN" / name).write_text(text.replace("1.0", version, 1))
        made = str(out / f"plantledger-agent_{version}_all.deb")
        build = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(folder), made]
        subprocess.run(build, check=True, capture_output=True)
        shutil.rmtree(folder)
    return out


@pytest.fixture
def gateway(packages: Path, tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path, packages) as made:
        yield made


def install(gateway: Machine, packages: Path, version: str) -> subprocess.CompletedProcess[str]:
    name = deb(packages, version).name
    return gateway.run(*gateway.dpkg("-i", gateway.inside(f"/mnt/{name}")))


def status(gateway: Machine) -> dict[str, object]:
    told = gateway.run("edge-agent", "status", gateway.inside(CONFIG), "--json", user="plantledger").stdout
    return json.loads(told) if told else {}


def running(gateway: Machine) -> subprocess.Popen[str]:
    """The agent as its service runs it, with values in its buffer."""
    agent = gateway.start("edge-agent", "run", gateway.inside(CONFIG), user="plantledger")
    until(lambda: (status(gateway).get("sources") or [{}])[0].get("live") == 1)  # type: ignore[index]
    return agent


def ended(agent: subprocess.Popen[str]) -> None:
    agent.send_signal(signal.SIGTERM)
    _, said = agent.communicate(timeout=60)
    assert agent.returncode == 0, said


@pytest.mark.timeout(900)
@pytest.mark.needs("root")
def test_install_upgrade_kill_roll_back_and_purge_keep_config_and_buffer(
    gateway: Machine, packages: Path
) -> None:
    installed = install(gateway, packages, "1.0")
    assert installed.returncode == 0, installed.stderr
    assert gateway.link("current") == "1.0"
    checked = gateway.run("edge-agent", "check", gateway.inside(CONFIG))
    assert (checked.returncode, checked.stdout) == (
        0,
        f"{gateway.inside(CONFIG)}: OK: 1 source, 1 machine, 2 signals\n",
    )
    (gateway.root / CONFIG[1:]).write_text(config(gateway.inside("/var/lib/plantledger/buffer")))
    kept = (gateway.root / CONFIG[1:]).read_bytes()
    lib = gateway.root / "opt/plantledger-agent/versions/1.0/lib"
    assert sum(path.stat().st_size for path in lib.rglob("*") if path.is_file()) < 120e6
    assert not {"cloud_api", "numpy", "psycopg", "fastapi"} & {path.name for path in lib.iterdir()}
    plc = gateway.start(interpreter(), "-c", PLC)
    try:
        upgraded_and_rolled_back(gateway, packages)
    finally:
        plc.kill()
        plc.communicate()
    assert (gateway.root / CONFIG[1:]).read_bytes() == kept
    buffer = gateway.root / "var/lib/plantledger/buffer"
    held = {path.name: path.read_bytes() for path in buffer.iterdir() if path.is_file()}
    assert any(name.endswith(".seg") for name in held)
    removed = gateway.run(*gateway.dpkg("--remove", "plantledger-agent"))
    assert removed.returncode == 0, removed.stderr
    assert not (gateway.root / "opt/plantledger-agent").exists()
    purged = gateway.run(*gateway.dpkg("--purge", "plantledger-agent"))
    assert "what was not delivered is only there" in purged.stdout
    assert (gateway.root / CONFIG[1:]).read_bytes() == kept
    assert {path.name: path.read_bytes() for path in buffer.iterdir() if path.is_file()} == held
    assert install(gateway, packages, "1.0").returncode == 0
    assert (gateway.root / CONFIG[1:]).read_bytes() == kept
    word = {"PLANTLEDGER_PURGE": "yes"}
    assert gateway.run(*gateway.dpkg("--purge", "plantledger-agent"), **word).returncode == 0
    assert not (gateway.root / "var/lib/plantledger").exists()
    assert not (gateway.root / "etc/plantledger").exists()
    if gateway.whole:
        from_the_bundle(gateway)


def from_the_bundle(gateway: Machine) -> None:
    """Without dpkg, twice over: the second time nothing of the first is lost."""
    unpack = (
        "cd /root && tar -xzf /mnt/plantledger-agent-1.0-*.tar.gz && sh plantledger-agent-1.0-*/install.sh"
    )
    for text in ("", "# mine\n"):
        done = gateway.run("sh", "-c", unpack)
        assert done.returncode == 0, done.stderr
        assert gateway.run("edge-agent", "check", CONFIG).returncode == 0
        path = gateway.root / CONFIG[1:]
        assert path.read_text().startswith(text)
        path.write_text("# mine\n" + path.read_text())


def upgraded_and_rolled_back(gateway: Machine, packages: Path) -> None:
    agent = running(gateway)
    upgrade = gateway.start(*gateway.dpkg("-i", gateway.inside(f"/mnt/{deb(packages, '1.1').name}")))
    dist = gateway.root / "opt/plantledger-agent/dist"
    until(lambda: upgrade.poll() is not None or any("1.1" in path.name for path in dist.iterdir()))
    upgrade.kill()
    upgrade.communicate()
    assert gateway.link("current") in ("1.0", "1.1")
    assert status(gateway), "the running agent goes on"
    ended(agent)
    ended(running(gateway))
    again = install(gateway, packages, "1.1")
    assert again.returncode == 0, again.stderr
    assert (gateway.link("current"), gateway.link("previous")) == ("1.1", "1.0")
    agent = running(gateway)
    before = status(gateway)["buffer"]["depth"]  # type: ignore[index]
    ended(agent)
    refused = install(gateway, packages, "1.2")
    assert refused.returncode != 0
    assert "1.2 does not start on this machine" in refused.stderr
    assert gateway.link("current") == "1.1"
    back = gateway.run("plantledger-agent", "rollback")
    assert "runs 1.0, before 1.1" in back.stderr
    listed = gateway.run("plantledger-agent", "versions").stdout.splitlines()
    assert {"* 1.0", "- 1.1"} <= set(listed)
    agent = running(gateway)
    assert status(gateway)["buffer"]["depth"] >= before  # type: ignore[index,operator]
    assert status(gateway)["buffer"]["set_aside_files"] == 0  # type: ignore[index]
    ended(agent)
