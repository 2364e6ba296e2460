"""A secured OPC UA client, exactly as configured: its policy and mode, a listed server, or no connection."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from asyncua import Client, ua
from asyncua.common.shortcuts import Shortcuts
from asyncua.common.utils import ServiceError
from asyncua.crypto import security_policies
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.uacrypto import CertProperties, load_private_key
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
    load_pem_private_key,
)

from edge_agent.adapters.opcua_told import LeanSession
from edge_agent.config.model import OpcUaSource, Security
from edge_agent.errors import AgentError

APPLICATION_URI = "urn:plantledger:edge-agent"
_CHECKS = (
    CertificateValidatorOptions.TIME_RANGE
    | CertificateValidatorOptions.URI
    | CertificateValidatorOptions.TRUSTED
    | CertificateValidatorOptions.REVOKED
    | CertificateValidatorOptions.PEER_SERVER
)

logging.getLogger("asyncua").setLevel(logging.CRITICAL)
logging.getLogger("asyncuagds").setLevel(logging.CRITICAL)
"""What goes wrong is told by the source, once per change of state."""


class Untrusted(AgentError):
    """The server, or what it offers, is not what the config allows."""


class _Listed(TrustStore):  # type: ignore[misc]
    """Certificates that are trusted themselves, or that sign trusted ones (a CA)."""

    def __init__(self, listed: list[x509.Certificate]) -> None:
        super().__init__([], [])
        self._listed = listed
        self._trust_store = x509.verification.Store(listed) if listed else None

    def is_trusted(self, certificate: x509.Certificate) -> bool:
        if certificate in self._listed:
            return True
        return bool(super().is_trusted(certificate))


async def client_of(source: OpcUaSource) -> Any:
    """An unconnected client with the source's security, user and time-outs.

    Raises Untrusted where the server offers no such security or is not on the trust list, AgentError for a
    certificate that cannot be read, OSError and TimeoutError where the server cannot be asked.
    """
    client = _plain(source)
    if source.security is not None:
        await _secure(client, source, source.security)
    if source.user is not None:
        client.set_user(source.user)
        if source.password_file is not None:
            client.set_password(_password(source.password_file))
    if source.user_certificate is not None and source.user_key is not None:
        client.user_certificate = _load(source.user_certificate)
        client.user_private_key = await _user_key(source.user_key)
    return client


async def _user_key(path: Path) -> Any:
    try:
        return await load_private_key(path)
    except (OSError, ValueError) as fault:
        mend = "give the key as .pem or .der without a password, and let the agent's user read it"
        raise AgentError(f"private key cannot be read ({fault})", str(path), mend) from fault


def _plain(source: OpcUaSource) -> Any:
    client = Client(source.endpoint, timeout=source.timeout_us / 1e6, watchdog_intervall=10)
    client.name = client.description = "Plantledger edge agent"
    client.application_uri = APPLICATION_URI
    client.session_timeout = 60_000
    client.uaclient.session = LeanSession(client.uaclient)
    client.nodes = Shortcuts(client.uaclient.session)
    return client


async def _secure(client: Any, source: OpcUaSource, security: Security) -> None:
    policy = getattr(security_policies, f"SecurityPolicy{security.policy}")
    mode = getattr(ua.MessageSecurityMode, security.mode)
    own = _load(security.certificate)
    client.application_uri = _uri_of(own) or APPLICATION_URI
    endpoints = await _plain(source).connect_and_get_server_endpoints()
    try:
        endpoint = Client.find_endpoint(endpoints, mode, policy.URI)
    except ua.UaError as fault:
        raise Untrusted(
            f"server offers no {security.policy} {security.mode}", source.endpoint, _offered(endpoints)
        ) from fault
    certificate = x509.load_der_x509_certificate(first_der(endpoint.ServerCertificate))
    validator = CertificateValidator(_CHECKS, _Listed(_trusted(security.trusted)))
    try:
        await validator(certificate, endpoint.Server)
    except ServiceError as fault:
        name = ua.StatusCode(fault.code).name
        raise Untrusted(
            f"server certificate refused ({name}, SHA-256 {fingerprint(certificate)})",
            source.endpoint,
            f"compare the fingerprint at the server, then put its certificate into {security.trusted}",
        ) from fault
    client.certificate_validator = validator
    await client.set_security(
        policy,
        CertProperties(own.public_bytes(Encoding.DER), "DER"),
        _key(security.key),
        server_certificate=CertProperties(certificate.public_bytes(Encoding.DER), "DER"),
        mode=mode,
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate as pairs of hex digits."""
    return certificate.fingerprint(SHA256()).hex(":").upper()


def _offered(endpoints: list[Any]) -> str:
    known = {
        f"{(endpoint.SecurityPolicyUri or '').rpartition('#')[2]} {endpoint.SecurityMode.name.rstrip('_')}"
        for endpoint in endpoints
    }
    return f"switch it on at the server, or configure what it offers: {', '.join(sorted(known))}"


def first_der(chain: bytes) -> bytes:
    """The first certificate of a chain in DER: a sequence that tells its length."""
    if len(chain) > 4 and chain[0] == 0x30 and chain[1] == 0x82:
        return chain[: 4 + int.from_bytes(chain[2:4], "big")]
    return chain


def _load(path: Path) -> x509.Certificate:
    try:
        content = path.read_bytes()
        if content.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except (OSError, ValueError) as fault:
        mend = "give a certificate as .pem or .der"
        raise AgentError(f"certificate cannot be read ({fault})", str(path), mend) from fault


def _trusted(place: Path) -> list[x509.Certificate]:
    """The certificates of a file, or of the .der, .pem, .crt and .cer files of a folder."""
    if not place.is_dir():
        return [_load(place)]
    suffixes = (".der", ".pem", ".crt", ".cer")
    return [_load(file) for file in sorted(place.iterdir()) if file.suffix.lower() in suffixes]


def _key(path: Path) -> CertProperties:
    """A private key, PEM or DER by its content, whatever its file is called."""
    try:
        content = path.read_bytes()
        pem = content.lstrip().startswith(b"-----")
        (load_pem_private_key if pem else load_der_private_key)(content, None)
    except (OSError, ValueError, TypeError) as fault:
        raise AgentError(
            f"private key cannot be read ({fault})", str(path), "give a key without a password, PEM or DER"
        ) from fault
    return CertProperties(content, "pem" if pem else "der")


def _uri_of(certificate: x509.Certificate) -> str | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uris[0] if uris else None


def _password(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as fault:
        raise AgentError("password cannot be read", str(file), "let the agent's user read it") from fault
