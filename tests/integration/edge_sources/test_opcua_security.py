"""Security as configured, or no connection: policy and mode, trust list, users; never a fall-back."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_agent.adapters.opcua_security import fingerprint
from edge_agent.config.model import Security
from shared.sample import Quality
from tests.integration.edge_sources.parts import running, signal, until
from tests.integration.edge_sources.server import URI, opcua, plant

SERVER_URI = "urn:freeopcua:python:server"
SIGNALS = [signal(0, f"nsu={URI};s=n")]


_OF_APPLICATIONS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=True,
    data_encipherment=True,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""What OPC UA wants of the certificate of an application (part 6, 6.2.2)."""


def certificate(folder: Path, name: str, uri: str, *, days: int = 30) -> tuple[Path, Path, x509.Certificate]:
    """A self-signed certificate and its key as files."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), x509.DNSName("localhost")]),
            False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_OF_APPLICATIONS, True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False
        )
        .sign(key, hashes.SHA256())
    )
    der, pem = folder / f"{name}.der", folder / f"{name}.pem"
    der.write_bytes(made.public_bytes(serialization.Encoding.DER))
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return der, pem, made


class OneUser(UserManager):
    def get_user(
        self, iserver: Any, username: str = "", password: str = "", certificate: Any = None
    ) -> User | None:
        return User(role=UserRole.User) if (username, password) == ("reader", "secret") else None


class Place:
    """Certificates of a server and of the agent, and how the server is made."""

    def __init__(self, folder: Path, *, days: int = 30) -> None:
        self.folder = folder
        self.server_der, self.server_key, self.server_certificate = certificate(
            folder, "server", SERVER_URI, days=days
        )
        self.own_der, self.own_key, _ = certificate(folder, "agent", "urn:plantledger:tests:agent")
        self.policies = [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt]

    async def prepare(self, server: Any) -> None:
        server.set_security_policy(self.policies)
        await server.load_certificate(str(self.server_der))
        await server.load_private_key(str(self.server_key))
        await server.set_application_uri(SERVER_URI)

    def security(
        self, trusted: Path, policy: str = "Basic256Sha256", mode: str = "SignAndEncrypt"
    ) -> Security:
        return Security(policy=policy, mode=mode, certificate=self.own_der, key=self.own_key, trusted=trusted)


@pytest.mark.parametrize("as_folder", [False, True])
async def test_a_listed_server_is_connected_signed_and_encrypted(tmp_path, as_folder):
    place = Place(tmp_path)
    trusted = place.server_der
    if as_folder:
        trusted = tmp_path / "trusted"
        trusted.mkdir()
        (trusted / "press.der").write_bytes(place.server_der.read_bytes())
    async with plant({"n": 7}, prepare=place.prepare) as server:
        source = opcua(server.port, SIGNALS, security=place.security(trusted))
        async with running(source) as seen:
            await until(lambda: source.health().live == 1)
            assert seen.last(0).value == 7
            await server.write("n", 8)
            await until(lambda: seen.last(0).value == 8)


async def refusal(server: Any, **wishes: Any) -> str:
    """Why a source that cannot connect cannot; nothing is read, no session is made."""
    source = opcua(server.port, SIGNALS, **wishes)
    (reading,) = await source.read([0])
    await source.close()
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    return reading.why or ""


async def test_a_server_that_is_not_listed_is_refused_by_its_fingerprint(tmp_path):
    place = Place(tmp_path)
    other, _, _ = certificate(tmp_path, "other", SERVER_URI)
    async with plant({"n": 7}, prepare=place.prepare) as server:
        why = await refusal(server, security=place.security(other))
    assert "BadCertificateUntrusted" in why
    assert fingerprint(place.server_certificate) in why
    assert str(other) in why


async def test_an_empty_trust_list_trusts_nobody(tmp_path):
    place = Place(tmp_path)
    (tmp_path / "nobody").mkdir()
    async with plant({"n": 7}, prepare=place.prepare) as server:
        assert "BadCertificateUntrusted" in await refusal(
            server, security=place.security(tmp_path / "nobody")
        )


async def test_an_expired_server_certificate_is_refused(tmp_path):
    place = Place(tmp_path, days=-1)
    async with plant({"n": 7}, prepare=place.prepare) as server:
        why = await refusal(server, security=place.security(place.server_der))
    assert "BadCertificateTimeInvalid" in why


async def test_there_is_no_fall_back_to_less(tmp_path):
    place = Place(tmp_path)
    place.policies = [ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Basic256Sha256_Sign]
    async with plant({"n": 7}, prepare=place.prepare) as server:
        why = await refusal(server, security=place.security(place.server_der))
        assert "server offers no Basic256Sha256 SignAndEncrypt" in why
        assert "Basic256Sha256 Sign" in why
        source = opcua(server.port, SIGNALS, security=place.security(place.server_der, mode="Sign"))
        (reading,) = await source.read([0])
        await source.close()
        assert reading.value == 7


async def test_no_security_does_not_reach_a_secured_server(tmp_path):
    place = Place(tmp_path)
    async with plant({"n": 7}, prepare=place.prepare) as server:
        assert await refusal(server, security=None)


async def test_user_and_password(tmp_path):
    place = Place(tmp_path)
    password = tmp_path / "password"
    password.write_text("secret\n", encoding="utf-8")
    wrong = tmp_path / "wrong"
    wrong.write_text("guess", encoding="utf-8")

    async def prepare(server: Any) -> None:
        await place.prepare(server)
        server.iserver.user_manager = OneUser()
        server.set_identity_tokens([ua.UserNameIdentityToken])

    async with plant({"n": 7}, prepare=prepare) as server:
        security = place.security(place.server_der)
        source = opcua(server.port, SIGNALS, security=security, user="reader", password_file=password)
        (reading,) = await source.read([0])
        await source.close()
        assert (reading.value, reading.why) == (7, None)
        why = await refusal(server, security=security, user="reader", password_file=wrong)
    assert "BadUserAccessDenied" in why or "BadIdentityTokenRejected" in why or "denied" in why.lower()


async def test_a_missing_certificate_of_its_own_is_told_with_its_path(tmp_path):
    place = Place(tmp_path)
    place.own_der = tmp_path / "gone.der"
    async with plant({"n": 7}, prepare=place.prepare) as server:
        assert "gone.der" in await refusal(server, security=place.security(place.server_der))
