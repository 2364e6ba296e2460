"""When the gateway's own certificate ends."""

from __future__ import annotations

import logging
from pathlib import Path

_log = logging.getLogger(__name__)


def expires_us(path: Path | None) -> int | None:
    """Microseconds since 1970, UTC, of the end of the first certificate in a PEM file; None without one."""
    if path is None:
        return None
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        _log.warning("%s is no certificate in PEM (%s): its end is not watched", path, error)
        return None
    return round(certificate.not_valid_after_utc.timestamp() * 1_000_000)
