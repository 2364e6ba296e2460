"""When the gateway's own certificate ends."""

from __future__ import annotations

import logging
from pathlib import Path

_log = logging.getLogger(__name__)
WARN_DAYS = 30


def expires_us(path: Path | None, now_us: int) -> int | None:
    """Microseconds since 1970, UTC, of the end of the first certificate in a PEM file; None without one.

    Warns where it is near.
    """
    if path is None:
        return None
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        _log.warning("%s is no certificate in PEM (%s): its end is not watched", path, error)
        return None
    end = certificate.not_valid_after_utc
    days = (end.timestamp() - now_us / 1e6) / 86_400
    if days < WARN_DAYS:
        _log.warning("%s ends on %s, in %.0f days: renew it before", path, end.date(), days)
    return round(end.timestamp() * 1_000_000)
