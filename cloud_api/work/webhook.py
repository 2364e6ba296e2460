"""One POST to a webhook: to an address within reach only, signed, never redirected.

The name is resolved once and the connection goes to the address that was checked, so that a name which points
elsewhere a moment later gains nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from dataclasses import dataclass
from enum import StrEnum

import httpx

TIMEOUT_S = 10.0
SIGNATURE = "Plantledger-Signature"
DELIVERY = "Plantledger-Delivery"
"""Header with the number of the delivery: the same at each attempt, so that a receiver can tell a repeat."""


class Reach(StrEnum):
    """How far webhooks may go besides public addresses by https: nowhere, to this machine, to any private
    network; there by http too."""

    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"

    def covers(self, address: str) -> bool:
        """Whether an address that is not public may be gone to."""
        return self is Reach.PRIVATE or (self is Reach.LOOPBACK and ipaddress.ip_address(address).is_loopback)


class AddressRefused(Exception):
    """The address is none that a webhook may go to; the words say why and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a POST."""

    delivered: bool
    said: str


def checked(url: str, reach: Reach) -> tuple[httpx.URL, str]:
    """The URL and the IP address to connect to. Raises AddressRefused."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise AddressRefused(f"is no URL: {error}") from None
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise AddressRefused("must begin with https://")
    if parsed.scheme == "http" and reach is Reach.PUBLIC:
        raise AddressRefused("must be https://: what is sent tells of money")
    if parsed.userinfo:
        raise AddressRefused("holds a user name; the signature proves who sends")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parsed.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"the host {parsed.host!r} is not known: {error}") from None
    addresses = [str(one[4][0]).partition("%")[0] for one in found]
    beyond = [one for one in addresses if not reach.covers(one)]
    inner = [one for one in beyond if not ipaddress.ip_address(one).is_global]
    if inner:
        raise AddressRefused(
            f"{parsed.host} is {inner[0]}, in a private network: PLANTLEDGER_ALERTS_PRIVATE=true allows it"
        )
    if parsed.scheme == "http" and beyond:
        raise AddressRefused("must be https://: what is sent tells of money")
    return parsed, addresses[0]


def signature(secret: str, at_s: int, body: bytes) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 over ``SECONDS.BODY`` under the hook's secret."""
    mac = hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


def post(url: str, secret: str, delivery: int, at_s: int, body: bytes, reach: Reach = Reach.PUBLIC) -> Answer:
    """Sends a body; never raises."""
    try:
        parsed, address = checked(url, reach)
    except AddressRefused as refused:
        return Answer(False, f"the address {refused}")
    headers = {
        "Host": parsed.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "Plantledger",
        SIGNATURE: signature(secret, at_s, body),
        DELIVERY: str(delivery),
    }
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
            answer = client.post(
                parsed.copy_with(host=address),
                content=body,
                headers=headers,
                extensions={"sni_hostname": parsed.host},
            )
    except httpx.HTTPError as error:
        return Answer(False, f"{type(error).__name__}: {error}"[:300])
    return Answer(answer.is_success, f"{answer.status_code} {answer.reason_phrase}".strip())
