"""What a running agent opens, dials, resolves and writes into its log: no more than its config says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.test_cli_edge_run import Plc, config_text, status, until
from tests.integration.edge_delivery.brokers import free_port, mosquitto
from tests.integration.edge_delivery.test_mqtt import authority, issue

WATCHED = """
import json, os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.exec"):
        said = arguments[0 if "get" in event else 1:]
        words = [word.decode() if isinstance(word, bytes) else word for word in said]
        os.write(told, (json.dumps([event, words], default=str) + "\\n").encode())
told = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.addaudithook(watch)
from edge_agent.__main__ import main
sys.exit(main())
"""


def heard(path: Path, event: str) -> list[list[object]]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [words for said, words in map(json.loads, lines) if said == event]


def listening(pid: int) -> set[str]:
    """Addresses in hexadecimal on which a process listens, by its own descriptors."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = str(link.readlink())
        except FileNotFoundError:
            continue
        inodes |= {name[8:-1]} if name.startswith("socket:[") else set()
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == "0A" or table.startswith("udp")):
                found.add(fields[1])
    return found


@pytest.mark.needs("mosquitto", "proc")
def test_only_hosts_of_the_config_are_dialled_and_only_loopback_listens(tmp_path: Path) -> None:
    scrape, silent, path, told = free_port(), free_port(), tmp_path / "gw.yaml", tmp_path / "told"
    with Plc() as plc, mosquitto(tmp_path) as broker:
        text = config_text(plc.device.port).replace("127.0.0.1:9", f"localhost:{broker.port}")
        away = f"  away: {{type: opcua, endpoint: 'opc.tcp://localhost:{silent}', security: none}}\n"
        text = text.replace("machines:\n", f"{away}machines:\n").replace(
            "sources: {plc: {type", "sources:\n  plc: {type"
        )
        text = text.replace("interval: 50 ms}}", "interval: 50 ms}")
        text += "  far: {line: a, source: away, signals: {good_count: {node: 'ns=2;s=Good'}}}\n"
        path.write_text(text + f"metrics: {{port: {scrape}}}\n", "utf-8")
        command = [sys.executable, "-c", WATCHED, str(told), "run", str(path)]
        agent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            until(lambda: (status(path) or {}).get("uplink_connected") is True)
            until(lambda: any(silent in words[0] for words in heard(told, "socket.connect")))  # type: ignore[operator]
            until(lambda: listening(agent.pid) == {f"0100007F:{scrape:04X}"})
            agent.send_signal(signal.SIGTERM)
            _, said = agent.communicate(timeout=40)
        finally:
            agent.kill()
            agent.wait()
    known = {broker.port, plc.device.port, silent}
    bound = [words[0] for words in heard(told, "socket.bind")]
    ports = [address for address in bound if isinstance(address, list) and address != ["", 0]]
    assert all(address[0] == "127.0.0.1" for address in ports), "an outgoing socket may bind to any, port 0"
    with_itself = [address for address in bound if address == ["127.0.0.1", 0]]  # paho's own wake-up pair
    dialled = [words[0] for words in heard(told, "socket.connect") if isinstance(words[0], list)]
    assert {address[0] for address in dialled} <= {"127.0.0.1", "::1", "localhost"}
    assert known <= {address[1] for address in dialled}
    assert len([address for address in dialled if address[1] not in known]) <= len(with_itself)
    assert {words[0] for words in heard(told, "socket.getaddrinfo")} <= {"127.0.0.1", "localhost"}
    assert heard(told, "subprocess.Popen") == heard(told, "os.exec") == []
    assert agent.returncode == 0, said


@pytest.mark.needs("mosquitto")
def test_each_start_config_and_certificate_leaves_a_line_with_its_hash(tmp_path: Path) -> None:
    key, _ = authority(tmp_path, "ca")
    for name in ("broker", "gw"):
        issue(tmp_path, key, "ca", name)
    path = tmp_path / "gw.yaml"
    (tmp_path / "gw.key").chmod(0o600)
    text = config_text(9).replace(
        '{url: "mqtt://127.0.0.1:9"}',
        '{url: "mqtts://127.0.0.1:9", ca: ca.pem, certificate: gw.pem, key: gw.key}',
    )
    path.write_text(text, "utf-8")
    agent = subprocess.Popen(
        [sys.executable, "-m", "edge_agent", "run", str(path)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert agent.stderr is not None
        lines: list[str] = []

        def told(*words: str) -> bool:
            lines.append(agent.stderr.readline())  # type: ignore[union-attr]
            return all(word in lines[-1] for word in words)

        until(lambda: told("audit: start: agent bench/gw-1, instance ", "stream "))
        until(lambda: told(f"audit: config: {path}, hash "))
        until(lambda: told(f"audit: certificate: {tmp_path}/gw.pem, sha256 "))
        until(lambda: told(f"audit: certificate: {tmp_path}/ca.pem, sha256 "))
        before = next(line for line in lines if "audit: config" in line)
        path.write_text(text.replace("interval: 50 ms", "interval: 60 ms"), "utf-8")
        agent.send_signal(signal.SIGHUP)
        until(lambda: told("audit: config: "))
        assert lines[-1].split("hash ")[1] != before.split("hash ")[1]
        agent.send_signal(signal.SIGTERM)
        agent.communicate(timeout=40)
    finally:
        agent.kill()
        agent.wait()
