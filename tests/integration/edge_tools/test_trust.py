"""trust and cert: from a fresh gateway to a secured session, with a fingerprint that a person compares."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto.uacrypto import load_certificate, load_private_key
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from edge_agent.tools.certificates import facts, loaded
from tests.integration.edge_sources.test_opcua_security import SERVER_URI, certificate
from tests.integration.edge_tools.commands import agent
from tests.integration.edge_tools.devices import hall, in_thread


@dataclass
class Secured:
    endpoint: str
    fingerprint: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A server that lets nobody in without Basic256Sha256."""
    folder = tmp_path_factory.mktemp("server")
    der, key, own = certificate(folder, "server", SERVER_URI, days=20)

    async def prepare(made: Any) -> None:
        made.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        made.certificate = await load_certificate(der)
        made.private_key = await load_private_key(key)
        made.iserver.certificate, made.iserver.private_key = made.certificate, made.private_key

    with in_thread(hall(1, 2, prepare=prepare)) as endpoint:
        yield Secured(endpoint, facts(own).fingerprint)


def test_from_nothing_to_a_secured_session(server: Secured, tmp_path: Path) -> None:
    gateway, trusted = tmp_path / "gw-1", tmp_path / "trusted"
    assert agent("cert", "create", gateway, "--host", "gw-1").code == 0
    refused = agent("trust", server.endpoint, "--into", trusted)
    assert refused.code == 1
    assert server.fingerprint in refused.out
    assert "Basic256Sha256 SignAndEncrypt" in refused.out
    assert "warning: ends in 1" in refused.out
    assert not trusted.exists()
    accepted = agent(
        "trust",
        server.endpoint,
        "--into",
        trusted,
        "--fingerprint",
        server.fingerprint.replace(":", "").lower(),
    )
    assert accepted.code == 0
    (stored,) = trusted.iterdir()
    assert accepted.out.splitlines()[-1] == f"trusted: {stored}"
    assert facts(loaded(stored)).fingerprint == server.fingerprint
    again = agent("trust", server.endpoint, "--into", trusted)
    assert (again.code, again.out.splitlines()[-1]) == (0, f"already trusted: {trusted}")
    files = ("--certificate", f"{gateway}.pem", "--key", f"{gateway}.key", "--trusted", trusted)
    seen = agent("browse", server.endpoint, "--match", "oiltemp1", *files)
    assert (seen.code, seen.out.split()[1]) == (0, "nsu=urn:tests:plant;s=Press0.T1"), seen.err
    half = agent("browse", server.endpoint, *files[:2])
    assert half.err.startswith("half a security: ")


def test_another_fingerprint_is_never_stored(server: Secured, tmp_path: Path) -> None:
    done = agent("trust", server.endpoint, "--into", tmp_path / "t", "--fingerprint", "00" * 32)
    assert done.code == 1
    assert done.err == (
        f"the fingerprint is {server.fingerprint}: {server.endpoint}: this is another server, or its "
        "certificate was renewed: compare it at the server itself\n"
    )
    assert not (tmp_path / "t").exists()


def test_a_config_says_where_trust_is_kept(server: Secured, tmp_path: Path) -> None:
    assert agent("cert", "create", tmp_path / "gw-1").code == 0
    path = tmp_path / "gw.yaml"
    security = (
        "{policy: Basic256Sha256, mode: SignAndEncrypt, "
        "certificate: gw-1.pem, key: gw-1.key, trusted: server.der}"
    )
    path.write_text(
        "agent: {id: gw-1, site: s}\nuplink: {url: 'mqtt://127.0.0.1:1'}\nbuffer: {path: ./buffer}\n"
        f"sources: {{plc: {{type: opcua, endpoint: '{server.endpoint}', timeout: 30 s, security: "
        f"{security}}}}}\n"
        "machines: {m: {line: l, source: plc, signals: {v: {node: 'ns=2;s=Press0.T0'}}}}\n",
        "utf-8",
    )
    assert "server.der" in agent("browse", f"{path}:plc").err
    assert agent("trust", f"{path}:plc", "--yes").code == 0
    assert (tmp_path / "server.der").is_file()
    assert agent("probe", f"{path}:plc", "ns=2;s=Press0.T0").code == 0
    shown = agent("cert", "show", path)
    assert shown.code == 0
    assert "source plc certificate:" in shown.out
    assert "source plc trusted:" in shown.out
    other, _, _ = certificate(tmp_path, "other", SERVER_URI)
    (tmp_path / "server.der").write_bytes(other.read_bytes())
    untrusted = agent("doctor", path)
    assert untrusted.code == 1
    (told,) = [line for line in untrusted.out.splitlines() if line.startswith("FAIL source plc: m.v ")]
    assert server.fingerprint in told
    assert told.endswith("edge-agent trust for certificates, edge-agent browse for nodes")
    occupied = agent("trust", f"{path}:plc", "--yes")
    assert occupied.err.startswith(f"another certificate is trusted here: {tmp_path}/server.der: remove it")


def test_a_key_is_its_owners_alone_and_never_replaced(tmp_path: Path) -> None:
    base = tmp_path / "keys" / "gw-1"
    done = agent(
        "cert", "create", base, "--host", "gw-1.plant", "--days", "400", "--organization", "Ourselves"
    )
    key, pem = base.with_name("gw-1.key"), base.with_name("gw-1.pem")
    assert done.code == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    told = facts(loaded(pem))
    assert (told.uris, told.hosts) == (("urn:gw-1.plant:plantledger:edge-agent",), ("gw-1.plant",))
    assert "days left" in done.out
    kept = key.read_bytes()
    assert agent("cert", "create", base).err.startswith(f"this is there already: {key}: say --renew")
    assert agent("cert", "create", base, "--renew", "--days", "10").code == 0
    assert key.read_bytes() == kept
    assert facts(loaded(pem)).fingerprint != told.fingerprint
    assert "ends in" in agent("cert", "show", pem).err


def test_a_signed_certificate_is_installed_beside_its_key(tmp_path: Path) -> None:
    base = tmp_path / "gw-1"
    assert agent("cert", "request", base, "--host", "gw-1").code == 0
    request = x509.load_pem_x509_csr(base.with_name("gw-1.csr").read_bytes())
    assert request.is_signature_valid
    _, ca_key, ca = certificate(tmp_path, "ca", "urn:ca")
    signing = load_pem_private_key(ca_key.read_bytes(), None)
    made = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(ca.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ca.not_valid_before_utc)
        .not_valid_after(ca.not_valid_after_utc)
    )
    for extension in request.extensions:
        made = made.add_extension(extension.value, extension.critical)
    signed = tmp_path / "signed.der"
    signed.write_bytes(made.sign(signing, hashes.SHA256()).public_bytes(Encoding.DER))  # type: ignore[arg-type]
    done = agent("cert", "install", base, signed)
    assert done.code == 0
    assert "signed by    CN=ca" in done.out
    assert facts(loaded(base.with_name("gw-1.pem"))).uris == ("urn:gw-1:plantledger:edge-agent",)
    foreign, _, _ = certificate(tmp_path, "foreign", "urn:x")
    wrong = agent("cert", "install", base, foreign)
    assert wrong.err.startswith(f"it belongs to another key: {foreign}: ")


def test_a_server_without_a_certificate(small_hall: str, tmp_path: Path) -> None:
    done = agent("trust", small_hall, "--into", tmp_path)
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith(f"the server shows no certificate: {small_hall}: ")
