"""Certificates as people compare them: whose, until when, for which application, with what fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from edge_agent.errors import AgentError

WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one certificate; times in UTC. fingerprint: SHA-256, pairs of hex digits."""

    subject: str
    issuer: str
    since: datetime
    until: datetime
    uris: tuple[str, ...]
    hosts: tuple[str, ...]
    key: str
    fingerprint: str
    self_signed: bool

    def days_left(self, now_us: int) -> int:
        """Whole days until it ends."""
        return int((self.until.timestamp() - now_us / 1e6) // 86_400)

    def trouble(self, now_us: int) -> str | None:
        """What is wrong with its dates now; None for nothing."""
        if now_us / 1e6 < self.since.timestamp():
            return f"not valid before {self.since:%Y-%m-%d}: compare the clocks"
        days = self.days_left(now_us)
        if days < 0:
            return f"ended on {self.until:%Y-%m-%d}"
        return f"ends in {days} days" if days < WARN_DAYS else None

    def lines(self, now_us: int) -> list[str]:
        """As text, a fact a line."""
        signed = "itself" if self.self_signed else self.issuer
        dates = f"{self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}, {self.days_left(now_us)} days left"
        rows = [
            ("subject", self.subject or "(none)"),
            ("signed by", signed),
            ("valid", dates),
            ("application", ", ".join(self.uris) or "(names no application)"),
            ("hosts", ", ".join(self.hosts) or "(none)"),
            ("key", self.key),
            ("SHA-256", self.fingerprint),
        ]
        return [f"  {name:<13}{text}" for name, text in rows]


def loaded(path: Path) -> x509.Certificate:
    """The first certificate of a file, PEM or DER. Raises AgentError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AgentError(
            f"certificate cannot be read ({error.strerror})", str(path), "check the path"
        ) from None
    return parsed(content, str(path))


def parsed(content: bytes, where: str) -> x509.Certificate:
    """A certificate in PEM or DER. Raises AgentError."""
    try:
        if content.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except ValueError as error:
        mend = "give a certificate as .pem or .der"
        raise AgentError(f"this is no certificate ({error})", where, mend) from None


def facts(certificate: x509.Certificate) -> Facts:
    """What a certificate says of itself; times in UTC."""
    uris: list[str] = []
    hosts: list[str] = []
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        hosts = names.get_values_for_type(x509.DNSName)
        hosts += [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    except (x509.ExtensionNotFound, ValueError):
        pass
    return Facts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        since=certificate.not_valid_before_utc,
        until=certificate.not_valid_after_utc,
        uris=tuple(uris),
        hosts=tuple(hosts),
        key=_key(certificate),
        fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
        self_signed=certificate.subject == certificate.issuer,
    )


def same_fingerprint(one: str, other: str) -> bool:
    """Whether two fingerprints say the same, however they are written."""
    return _digits(one) == _digits(other)


def moment(at_us: int) -> datetime:
    """An instant of the clock, UTC."""
    return datetime.fromtimestamp(at_us / 1e6, UTC)


def _digits(text: str) -> str:
    return "".join(sign for sign in text.lower().removeprefix("sha256:") if sign in "0123456789abcdef")


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, RSAPublicKey):
        return f"RSA {key.key_size} bits"
    if isinstance(key, EllipticCurvePublicKey):
        return f"elliptic curve {key.curve.name}"
    return type(key).__name__
