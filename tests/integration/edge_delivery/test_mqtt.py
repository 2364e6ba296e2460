"""The uplink against brokers that encrypt, refuse, limit and hide behind proxies."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import ipaddress
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge_agent.adapters.mqtt import MqttUplink
from edge_agent.config.model import Transport, Uplink
from edge_agent.core.retry import Backoff
from edge_agent.errors import AgentError
from shared.control import Ack, Status, Want, encode
from shared.topics import Kind, topic
from tests.integration.edge_delivery.agent import until, uplink_to
from tests.integration.edge_delivery.brokers import amqtt, free_port, mosquitto
from tests.integration.edge_delivery.cloud import AGENT, SITE, FakeCloud

needs_mosquitto = pytest.mark.needs("mosquitto")


class Linked:
    """A running uplink, and what it was told."""

    def __init__(self, uplink: MqttUplink) -> None:
        self.uplink = uplink
        self.received: list[Ack | Want] = []
        self.greetings = 0

    async def greet(self) -> None:
        self.greetings += 1


@contextlib.asynccontextmanager
async def linked(settings: Uplink) -> AsyncIterator[Linked]:
    will = Status("ab" * 16, "cd" * 16, 1, False, 2, will=True)
    uplink = MqttUplink(
        settings, site=SITE, agent=AGENT, instance=b"i" * 16, start=b"s" * 16, will=lambda: will,
        chance=lambda: 0.5, backoff=Backoff(0.1, 0.5),
    )  # fmt: skip
    link = Linked(uplink)
    task = asyncio.create_task(uplink.run(link.greet, link.received.append))
    try:
        yield link
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def authority(folder: Path, name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    made = certificate(name, key.public_key(), name, key, ca=True)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key, made


def issue(folder: Path, ca: ec.EllipticCurvePrivateKey, ca_name: str, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    made = certificate(name, key.public_key(), ca_name, ca, ca=False)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / f"{name}.key").write_bytes(text)


def certificate(
    name: str, public: ec.EllipticCurvePublicKey, by: str, key: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """ca.pem with broker and agent certificates, and other.pem that signed nothing here."""
    ca, _ = authority(tmp_path, "ca")
    issue(tmp_path, ca, "ca", "broker")
    issue(tmp_path, ca, "ca", "agent")
    authority(tmp_path, "other")
    return tmp_path


@contextlib.contextmanager
def tls_broker_port(keys: Path, extra: str = "") -> Iterator[int]:
    with mosquitto(keys, f"certfile {keys}/broker.pem\nkeyfile {keys}/broker.key\n{extra}") as broker:
        yield broker.port


@needs_mosquitto
async def test_tls_with_the_right_authority_connects(keys: Path) -> None:
    with tls_broker_port(keys) as port:
        async with linked(uplink_to(port, tls=True, ca=keys / "ca.pem")) as link:
            await until(link.uplink.is_connected)
            assert await link.uplink.publish_batch(b"batch")


@needs_mosquitto
@pytest.mark.parametrize("ca", ["other.pem", None])
async def test_tls_with_another_authority_never_connects(keys: Path, ca: str | None) -> None:
    with tls_broker_port(keys) as port:
        async with linked(uplink_to(port, tls=True, ca=keys / ca if ca else None)) as link:
            await until(lambda: "certificate verify failed" in (link.uplink.problem or ""))
            await asyncio.sleep(0.5)
            assert (link.greetings, link.uplink.connects) == (0, 0)
            assert not await link.uplink.publish_batch(b"batch")


@needs_mosquitto
async def test_a_broker_that_asks_for_a_certificate_gets_it(keys: Path) -> None:
    with tls_broker_port(keys, f"cafile {keys}/ca.pem\nrequire_certificate true") as port:
        settings = uplink_to(port, tls=True, ca=keys / "ca.pem")
        async with linked(settings) as link:
            await asyncio.sleep(1.0)
            assert link.greetings == 0
        shown = uplink_to(
            port, tls=True, ca=keys / "ca.pem", certificate=keys / "agent.pem", key=keys / "agent.key"
        )
        async with linked(shown) as link:
            await until(link.uplink.is_connected)


async def test_tls_files_that_are_missing_are_named_and_tried_again(keys: Path) -> None:
    settings = uplink_to(free_port(), tls=True, ca=keys / "nowhere.pem")
    async with linked(settings) as link:
        await until(lambda: "nowhere.pem" in (link.uplink.problem or ""))


def test_plain_mqtt_beyond_loopback_must_be_allowed_in_words() -> None:
    def uplink(settings: Uplink) -> MqttUplink:
        return MqttUplink(
            settings, site=SITE, agent=AGENT, instance=bytes(16), start=bytes(16),
            will=lambda: Status("", "", 0, False, 0), chance=lambda: 0.0,
        )  # fmt: skip

    with pytest.raises(AgentError, match="mqtts"):
        uplink(uplink_to(1883, host="broker.example"))
    assert not uplink(uplink_to(1883, host="broker.example", allow_plaintext=True)).is_connected()
    assert not uplink(uplink_to(1883, host="localhost")).is_connected()
    assert not uplink(uplink_to(1883, host="::1")).is_connected()


@needs_mosquitto
async def test_mqtt_5_is_spoken_where_it_is_understood(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        async with linked(uplink_to(broker.port)) as link:
            await until(link.uplink.is_connected)
            assert link.uplink.version == "5"


async def test_a_broker_of_3_1_1_alone_is_found_out(tmp_path: Path) -> None:
    with amqtt(tmp_path) as broker:
        async with linked(uplink_to(broker.port)) as link:
            await until(link.uplink.is_connected)
            assert link.uplink.version == "3.1.1"
            assert await link.uplink.publish_batch(b"batch")


@needs_mosquitto
async def test_a_publish_that_the_broker_denies_is_told_as_refused(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text(
        f"topic readwrite {topic(SITE, AGENT, Kind.ACK)}\ntopic read {topic(SITE, AGENT, Kind.WANT)}\n"
    )
    with mosquitto(tmp_path, f"acl_file {acl}") as broker:
        async with linked(uplink_to(broker.port)) as link:
            await until(link.uplink.is_connected)
            assert not await link.uplink.publish_batch(b"batch")
            assert "authorized" in (link.uplink.problem or "")


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    """User gw-1 with the password secret."""
    path = tmp_path / "passwords"
    path.write_text("gw-1:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True)
    return path


@needs_mosquitto
async def test_a_password_is_read_from_its_file_at_each_connect(tmp_path: Path, passwords: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    with mosquitto(tmp_path, f"allow_anonymous false\npassword_file {passwords}") as broker:
        async with linked(uplink_to(broker.port, user="gw-1", password_file=secret)) as link:
            await until(lambda: "refused" in (link.uplink.problem or ""))
            secret.write_text("secret\n")
            await until(link.uplink.is_connected)


@needs_mosquitto
async def test_the_brokers_limits_are_kept(tmp_path: Path) -> None:
    with mosquitto(tmp_path, "max_inflight_messages 2\nmax_packet_size 2000") as broker:
        async with linked(uplink_to(broker.port)) as link:
            await until(link.uplink.is_connected)
            taken = await asyncio.gather(*(link.uplink.publish_batch(b"x" * 500) for _ in range(100)))
            assert all(taken)
            assert not await link.uplink.publish_batch(b"x" * 3000)
            assert "max_packet" in (link.uplink.problem or "")
            assert link.uplink.connects == 1


async def test_over_a_websocket(tmp_path: Path) -> None:
    with amqtt(tmp_path, "ws") as broker:
        async with linked(uplink_to(broker.port, transport=Transport.WEBSOCKETS, path="/mqtt")) as link:
            await until(link.uplink.is_connected)
            assert await link.uplink.publish_batch(b"batch" * 1000)


@needs_mosquitto
async def test_what_the_cloud_says_arrives_and_a_flood_is_bounded(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        cloud = FakeCloud(broker.port)
        async with linked(uplink_to(broker.port)) as link:
            await until(link.uplink.is_connected)
            for n in range(50):
                cloud._client.publish(topic(SITE, AGENT, Kind.ACK), encode(Ack("ab" * 16, n, 1)), 1)
            cloud.want(Want(["cd" * 16]))
            await until(lambda: len(link.received) == 51)
            assert link.received[-1] == Want(["cd" * 16])
        cloud.close()


def answering(status: str, onward: Callable[[bytes], int | None]) -> tuple[int, list[bytes]]:
    """A proxy on a free port: answers each CONNECT with a status, and passes bytes on where onward says."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError), listener:
            while True:
                client, _ = listener.accept()
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += client.recv(1)
                asked.append(request)
                client.sendall(f"HTTP/1.1 {status}\r\nVia: test\r\n\r\n".encode())
                port = onward(request)
                if port is None:
                    client.close()
                    continue
                broker = socket.create_connection(("127.0.0.1", port))
                for pair in ((client, broker), (broker, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1]), asked


@needs_mosquitto
async def test_through_a_proxy_that_wants_a_password(tmp_path: Path) -> None:
    secret = tmp_path / "proxy-secret"
    secret.write_text("open sesame\n")
    with mosquitto(tmp_path) as broker:
        port, asked = answering("200 go ahead", lambda request: broker.port)
        settings = uplink_to(
            broker.port, proxy=f"http://127.0.0.1:{port}", proxy_user="gw", proxy_password_file=secret
        )
        async with linked(settings) as link:
            await until(link.uplink.is_connected)
            assert await link.uplink.publish_batch(b"batch")
    head = asked[0].decode().split("\r\n")
    assert head[0] == f"CONNECT 127.0.0.1:{broker.port} HTTP/1.1"
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'gw:open sesame').decode()}" in head


async def test_a_proxy_that_refuses_is_quoted() -> None:
    port, _ = answering("407 Proxy Authentication Required", lambda request: None)
    async with linked(uplink_to(free_port(), proxy=f"127.0.0.1:{port}")) as link:
        await until(lambda: "407" in (link.uplink.problem or ""))
        assert link.greetings == 0
