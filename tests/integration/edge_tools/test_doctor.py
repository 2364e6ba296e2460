"""doctor and bundle: every fault with its mend, and nothing secret in what is sent to support."""

from __future__ import annotations

import base64
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from edge_agent.tools.bundle import Blanker
from tests.integration.edge_delivery.brokers import amqtt, mosquitto
from tests.integration.edge_delivery.test_mqtt import authority, issue, tls_broker_port
from tests.integration.edge_sources.device import Device, device
from tests.integration.edge_tools.agents import running
from tests.integration.edge_tools.commands import Done, agent
from tests.integration.edge_tools.devices import in_thread, modbus_config

needs_mosquitto = pytest.mark.needs("mosquitto")


@pytest.fixture
def plc() -> Iterator[Device]:
    with in_thread(device()) as found:
        yield found


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """ca.pem with the certificates of broker and agent, for a day, and other.pem that signed neither."""
    ca, _ = authority(tmp_path, "ca")
    issue(tmp_path, ca, "ca", "broker")
    issue(tmp_path, ca, "ca", "agent")
    authority(tmp_path, "other")
    return tmp_path


def config(tmp_path: Path, plc: int, broker: int, more: str = "") -> Path:
    path = tmp_path / "gw.yaml"
    text = modbus_config(plc).replace("127.0.0.1:9", f"127.0.0.1:{broker}")
    path.write_text(text.replace('"}\nbuffer', f'"{more}}}\nbuffer'), "utf-8")
    (tmp_path / "buffer").mkdir(exist_ok=True)
    return path


def states(done: Done) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(done.out)["checks"]}


def mends(done: Done) -> dict[str, str]:
    return {c["name"]: c["mend"] for c in json.loads(done.out)["checks"] if c["state"] == "FAIL"}


@needs_mosquitto
def test_a_sound_gateway_passes_alone_and_beside_its_agent(plc: Device, tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        path = config(tmp_path, plc.port, broker.port)
        alone = agent("doctor", path, "--json")
        assert (alone.code, json.loads(alone.out)["ok"]) == (0, True), alone.out
        found = states(alone)
        assert {found[name] for name in ("config", "disk", "sync", "reach broker", "reach source plc")} == {
            "OK"
        }
        assert (found["broker rights"], found["source plc"], found["agent"]) == ("OK", "OK", "WARN")
        assert found["broker listeners"] == "WARN"
        with running(path):
            connections = plc.connections
            beside = agent("doctor", path)
            assert beside.code == 0, beside.out
            assert plc.connections == connections
        assert "OK   source plc: press-1.v (holding:100) is read, good" in beside.out
        assert beside.out.splitlines()[-1] == f"{path}: all is well"


@needs_mosquitto
def test_a_right_that_is_missing_is_named(plc: Device, tmp_path: Path) -> None:
    (tmp_path / "acl").write_text(
        "topic read plantledger/v1/bench/gw-1/ack\ntopic write plantledger/v1/bench/gw-1/status\n"
    )
    with mosquitto(tmp_path, f"acl_file {tmp_path}/acl\n") as broker:
        done = agent("doctor", config(tmp_path, plc.port, broker.port), "--json")
    denied = {name for name in mends(done) if name.startswith("right ")}
    assert done.code == 1
    assert {"right plantledger/v1/bench/gw-1/batch", "right plantledger/v1/bench/gw-1/hello"} <= denied
    assert "right plantledger/v1/bench/gw-1/status" not in denied


@needs_mosquitto
def test_certificates_and_logins_are_tried_as_the_agent_uses_them(plc: Device, keys: Path) -> None:
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(keys / "passwords"), "gw-1", "secret"], check=True)
    (keys / "secret").write_text("secret\n")
    (keys / "agent.key").chmod(0o600)
    (keys / "secret").chmod(0o600)
    wanted = f"cafile {keys}/ca.pem\nrequire_certificate true\nallow_anonymous false\n"
    with tls_broker_port(keys, f"{wanted}password_file {keys}/passwords\n") as port:
        told = {}
        for case, more in (
            (
                "right",
                "ca: ca.pem, certificate: agent.pem, key: agent.key, user: gw-1, password_file: secret",
            ),
            ("wrong authority", "ca: other.pem"),
            ("no certificate", "ca: ca.pem, user: gw-1, password_file: secret"),
            ("no user", "ca: ca.pem, certificate: agent.pem, key: agent.key"),
        ):
            path = config(keys, plc.port, port, f", {more}")
            path.write_text(path.read_text("utf-8").replace("mqtt://127", "mqtts://127"), "utf-8")
            told[case] = states(agent("doctor", path, "--json"))
    assert told["right"]["broker login"] == told["right"]["broker rights"] == "OK"
    assert (told["right"]["broker TLS"], told["right"]["uplink certificate"]) == ("WARN", "WARN")
    assert told["wrong authority"]["broker TLS"] == "FAIL"
    assert "broker login" not in told["wrong authority"]
    assert "FAIL" in (told["no certificate"].get("broker TLS"), told["no certificate"].get("broker login"))
    assert told["no user"]["broker login"] == "FAIL"


def test_a_broker_of_3_1_1_lets_in(plc: Device, tmp_path: Path) -> None:
    with amqtt(tmp_path) as broker:
        done = agent("doctor", config(tmp_path, plc.port, broker.port), "--json")
    told = {check["name"]: check["told"] for check in json.loads(done.out)["checks"]}
    assert done.code == 0, done.out
    assert told["broker login"] == "let in, MQTT 3.1.1"
    assert "3.1.1 does not tell" in told["broker rights"]


def test_every_fault_is_told_with_its_mend(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    (tmp_path / "secret").write_text("hunter22\n")
    (tmp_path / "secret").chmod(0o600)
    path.write_text(
        "agent: {id: gw-1, site: bench}\n"
        'uplink: {url: "mqtts://127.0.0.1:1", user: gw, password_file: secret}\n'
        "buffer: {path: ./buffer, reserve: 900 TB}\n"
        "sources: {plc: {type: modbus-tcp, host: nowhere.invalid, port: 502, timeout: 100 ms}}\n"
        "machines: {press-1: {line: l, source: plc, signals: {v: {register: 'holding:1', type: uint16}}}}\n"
    )
    path.chmod(0o666)
    done = agent("doctor", path, "--json")
    assert done.code == 1
    found = mends(done)
    assert set(found) == {
        "permissions", "disk", "name nowhere.invalid", "reach broker", "reach source plc",
    }  # fmt: skip
    assert found["permissions"] == f"chmod o-w {path}"
    assert all(found.values())
    text = agent("doctor", path)
    assert text.out.splitlines()[-1].endswith("checks failed")
    path.write_text("agent: {id: gw-1}\n")
    broken = agent("doctor", path)
    assert broken.code == 1
    assert broken.out.startswith(f"FAIL config: {path}:1:")


SECRETS = {
    "password_file": "correct horse battery",
    "proxy_password_file": "pr0xy-päss/word+1",
    "environment": "env-s3cret-value",
    "file": "filled-in-secret",
}


def test_no_secret_is_in_a_bundle(plc: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("password_file", "proxy_password_file", "file"):
        (tmp_path / name).write_text(SECRETS[name] + "\n", "utf-8")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("LINE_NAME", SECRETS["environment"])
    more = (
        ", user: gw, password_file: password_file, proxy: 'http://127.0.0.1:1', proxy_user: gw, "
        "proxy_password_file: proxy_password_file"
    )
    path = config(tmp_path, plc.port, 1, more)
    text = path.read_text("utf-8").replace("line: l", 'line: "${env:LINE_NAME}"')
    path.write_text(text + "# password: in-a-comment-1\n# ${file:file}\n", "utf-8")
    log = tmp_path / "agent.log"
    shown = [quote(SECRETS["file"]), base64.b64encode(f"gw:{SECRETS['password_file']}".encode()).decode()]
    said = [*SECRETS.values(), *shown]
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
    log.write_text(
        "\n".join(["ordinary line", *said, "https://me:url-s3cret@host/", "token=tok-123456", key]), "utf-8"
    )
    out = tmp_path / "bundle.zip"
    done = agent("bundle", path, "-o", out, "--log", log)
    assert done.code == 0, done.err
    assert out.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(out) as packed:
        parts = {name: packed.read(name).decode("utf-8") for name in packed.namelist()}
    assert set(parts) == {
        "config/gw.yaml", "versions.json", "doctor.json", "status.json", "buffer.json", "log/0-agent.log",
    }  # fmt: skip
    assert "ordinary line" in parts["log/0-agent.log"]
    assert "press-1" in parts["config/gw.yaml"]
    assert json.loads(parts["versions.json"])["libraries"]["msgspec"]
    whole = "\n".join(parts.values())
    for secret in [*said, "in-a-comment-1", "url-s3cret", "tok-123456", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"]:
        assert secret not in whole, secret
    path.write_text(path.read_text("utf-8") + "mistake: 1\n", "utf-8")
    broken = agent("bundle", path, "-o", tmp_path / "broken.zip", "--log", log)
    assert broken.code == 0
    with zipfile.ZipFile(tmp_path / "broken.zip") as packed:
        text = "".join(packed.read(name).decode("utf-8") for name in packed.namelist())
    assert not [secret for secret in said if secret in text]
    again = agent("bundle", path, "-o", out)
    assert again.err.startswith(f"cannot be written (File exists): {out}: ")


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_a_secret_is_found_at_any_place_of_base64(shift: int) -> None:
    secret = "battery-staple-correct"
    told = base64.b64encode(b"x" * shift + secret.encode() + b":tail").decode()
    clean = Blanker([secret])(f"header {told} end")
    assert base64.b64encode(secret.encode()[3:-3]).decode()[4:-4] not in clean
    assert "(blanked)" in clean
