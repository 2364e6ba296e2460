"""``cert``: the gateway's own keys and certificates: make, request, install, show.

A certificate for OPC UA names the application (a URI), the host, and may sign and encrypt. Keys are made on
the gateway, readable by their owner alone, and never leave it.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_agent.config.load import load_valid
from edge_agent.config.model import Config, OpcUaSource
from edge_agent.errors import AgentError
from edge_agent.tools.certificates import facts, loaded, moment

_BACKDATED = timedelta(hours=1)
"""A server whose clock is a little behind takes a new certificate, too."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new certificate is to say. days: how long it is valid. uri: of the application."""

    host: str = ""
    uri: str = ""
    organization: str = ""
    days: int = 1825
    bits: int = 2048

    def names(self) -> tuple[str, str]:
        """(host, application URI), filled in where they were left out."""
        host = self.host or socket.gethostname()
        return host, self.uri or f"urn:{host}:plantledger:edge-agent"


def create(base: Path, wish: Wish, now_us: int, *, renew: bool) -> int:
    """Make BASE.key and a self-signed BASE.pem; renew: a new certificate for the key that is there.

    Raises AgentError where one of them is there already.
    """
    key_file, certificate_file = _file(base, "key"), _file(base, "pem")
    if not renew:
        for file in (key_file, certificate_file):
            if file.exists():
                mend = "say --renew to keep the key and make a new certificate, or choose another name"
                raise AgentError("this is there already", str(file), mend)
    key = _key(key_file) if renew else _new_key(key_file, wish.bits)
    host, uri = wish.names()
    name = _name(host, wish)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment(now_us) - _BACKDATED)
        .not_valid_after(moment(now_us) + timedelta(days=wish.days))
    )
    for extension, critical in _extensions(key, host, uri):
        made = made.add_extension(extension, critical)
    _write(certificate_file, made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    print(f"{key_file}: private key, readable by its owner alone")
    return _tell(certificate_file, now_us)


def request(base: Path, wish: Wish) -> int:
    """Write BASE.csr for a certificate authority, with the key BASE.key, made if it is not there."""
    key_file, csr_file = _file(base, "key"), _file(base, "csr")
    key = _key(key_file) if key_file.exists() else _new_key(key_file, wish.bits)
    host, uri = wish.names()
    made = x509.CertificateSigningRequestBuilder().subject_name(_name(host, wish))
    for extension, critical in _extensions(key, host, uri):
        made = made.add_extension(extension, critical)
    _write(csr_file, made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    print(f"{csr_file}: give it to the certificate authority, then: edge-agent cert install {base} SIGNED")
    return 0


def install(base: Path, signed: Path, now_us: int) -> int:
    """Put a signed certificate beside its key; the one before stays as BASE.pem.old.

    Raises AgentError where it belongs to another key, or is not valid now.
    """
    key_file, certificate_file = _file(base, "key"), _file(base, "pem")
    certificate = loaded(signed)
    if _public(certificate.public_key()) != _public(_key(key_file).public_key()):
        raise AgentError(
            "it belongs to another key", str(signed), f"it must be made from the request of {base}"
        )
    found = facts(certificate)
    if (trouble := found.trouble(now_us)) is not None and "ends in" not in trouble:
        raise AgentError(f"the certificate is {trouble}", str(signed), "ask for a new one")
    if not found.uris:
        print(f"{signed}: names no application: OPC UA servers may refuse it", file=sys.stderr)
    content = signed.read_bytes()
    if not content.lstrip().startswith(b"-----"):
        content = certificate.public_bytes(Encoding.PEM)
    if certificate_file.exists():
        certificate_file.replace(certificate_file.with_name(certificate_file.name + ".old"))
    _write(certificate_file, content)
    return _tell(certificate_file, now_us)


def show(file: Path, now_us: int) -> int:
    """Show a certificate, or every one that a config names; 1 where one has ended or cannot be read."""
    if file.suffix.lower() not in (".yaml", ".yml"):
        return _tell(_file(file, "pem") if not file.exists() else file, now_us)
    worst = 0
    named = certificates_of(load_valid(file, files_needed=False))
    if not named:
        print(f"{file}: names no certificate")
    for what, path in named:
        print(f"{what}:")
        try:
            worst = max(worst, _tell(path, now_us))
        except AgentError as error:
            print(error, file=sys.stderr)
            worst = 1
    return worst


def certificates_of(config: Config) -> list[tuple[str, Path]]:
    """What is whose: (uplink or source, file) of every certificate that a config names and that is a file."""
    uplink = config.uplink
    found = [("uplink ca", uplink.ca), ("uplink certificate", uplink.certificate)]
    for source in config.sources:
        if isinstance(source, OpcUaSource):
            found.append((f"source {source.name} user", source.user_certificate))
        if isinstance(source, OpcUaSource) and source.security is not None:
            found.append((f"source {source.name} certificate", source.security.certificate))
            if not source.security.trusted.is_dir():
                found.append((f"source {source.name} trusted", source.security.trusted))
    return [(what, path) for what, path in found if path is not None]


def _tell(file: Path, now_us: int) -> int:
    found = facts(loaded(file))
    print("\n".join([f"{file}:", *found.lines(now_us)]))
    trouble = found.trouble(now_us)
    if trouble is not None:
        print(f"{file}: {trouble}: renew it", file=sys.stderr)
    return int(found.days_left(now_us) < 0)


def _file(base: Path, suffix: str) -> Path:
    """BASE.key, BASE.pem, BASE.csr; BASE may be given as one of them."""
    stem = base.with_suffix("") if base.suffix in (".key", ".pem", ".csr", ".der", ".crt") else base
    return stem.with_name(f"{stem.name}.{suffix}")


def _new_key(file: Path, bits: int) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise AgentError(
            f"the key cannot be written ({error.strerror})", str(file), "choose another name"
        ) from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    return key


def _key(file: Path) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise AgentError(
            f"the key cannot be read ({error})", str(file), "give the name used with cert create"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise AgentError("the key is not RSA", str(file), "OPC UA wants RSA: edge-agent cert create")
    return key


def _public(key: object) -> bytes:
    encode = getattr(key, "public_bytes")  # noqa: B009 - every kind of public key has it, their union does not say so
    return bytes(encode(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _write(file: Path, content: bytes) -> None:
    try:
        temporary = file.with_name(file.name + ".tmp")
        temporary.write_bytes(content)
        temporary.replace(file)
    except OSError as error:
        raise AgentError(f"cannot be written ({error.strerror})", str(file), "choose another name") from None


def _name(host: str, wish: Wish) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, f"Plantledger edge agent on {host}"[:64])]
    if wish.organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, wish.organization))
    return x509.Name(parts)


def _extensions(key: rsa.RSAPrivateKey, host: str, uri: str) -> list[tuple[x509.ExtensionType, bool]]:
    """What OPC UA part 6 wants of an application certificate."""
    if not re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:", uri):
        raise AgentError("no URI", uri, "write for example urn:gw-1:plantledger:edge-agent")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName(host)]
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName(names), False),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]
