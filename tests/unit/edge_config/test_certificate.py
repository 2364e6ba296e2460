"""The gateway's own certificate and its end."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge_agent.app.certificate import expires_us

END = datetime.datetime(2030, 6, 1, tzinfo=datetime.UTC)
END_US = round(END.timestamp()) * 1_000_000
DAY_US = 86_400_000_000


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gw-1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = builder.not_valid_before(END - datetime.timedelta(days=365)).not_valid_after(END)
    path = tmp_path / "gw-1.pem"
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(("days", "warned"), [(31, False), (29, True), (-1, True)])
def test_the_end_is_known_and_told_in_time(
    certificate: Path, days: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert expires_us(certificate, END_US - days * DAY_US) == END_US
    assert ("ends on 2030-06-01" in caplog.text) is warned


def test_without_a_certificate_there_is_no_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert expires_us(None, 0) is None
    (tmp_path / "x.pem").write_text("no certificate", "utf-8")
    assert expires_us(tmp_path / "x.pem", 0) is None
    assert "is no certificate in PEM" in caplog.text
