"""One POST to a webhook: to an address within reach only, signed, never redirected.

The name is resolved once and the connection goes to the address that was checked, so that a name which points
elsewhere a moment later gains nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
import threading
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, Queue

import httpx

TIMEOUT_S = 10.0
"""For connecting, and for each wait for bytes."""
DEADLINE_S = 20.0
"""For all of it: a receiver that sends its answer byte by byte holds nobody up."""
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
    inner = [one for one in beyond if is_inner(one)]
    if inner:
        raise AddressRefused(
            f"{parsed.host} is {inner[0]}, in a private network: PLANTLEDGER_ALERTS_PRIVATE=true allows it"
        )
    if parsed.scheme == "http" and beyond:
        raise AddressRefused("must be https://: what is sent tells of money")
    return parsed, addresses[0]


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_inner(text: str) -> bool:
    """Whether an IP address is none of the public internet: private, shared, of this link or machine, for
    many at once; an IPv6 address that stands for such a one of IPv4 (mapped, NAT64); or one of a relay that
    may end anywhere (6to4, Teredo), whatever the version of Python holds of those."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local or address.sixtofour is not None or address.teredo is not None:
            return True
        mapped = (
            ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.ipv4_mapped
        )
        if mapped is not None:
            return is_inner(str(mapped))
    return not address.is_global or address.is_multicast


def signature(secret: str, at_s: int, body: bytes) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 over ``SECONDS.BODY`` under the hook's secret."""
    mac = hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


def post(
    url: str,
    secret: str,
    delivery: int,
    at_s: int,
    body: bytes,
    reach: Reach = Reach.PUBLIC,
    deadline_s: float = DEADLINE_S,
) -> Answer:
    """Sends a body and waits for the head of the answer, at most `deadline_s` seconds; never raises."""
    came: Queue[Answer] = Queue()

    def send() -> None:
        came.put(_sent(url, secret, delivery, at_s, body, reach))

    threading.Thread(target=send, name="webhook", daemon=True).start()
    try:
        return came.get(timeout=deadline_s)
    except Empty:
        return Answer(False, f"no answer within {deadline_s:.0f} s")


def _sent(url: str, secret: str, delivery: int, at_s: int, body: bytes, reach: Reach) -> Answer:
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
        with (
            httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST",
                parsed.copy_with(host=address),
                content=body,
                headers=headers,
                extensions={"sni_hostname": parsed.host},
            ) as answer,
        ):
            said = f"{answer.status_code} {answer.reason_phrase}".strip()
            if answer.is_redirect:
                said += ": it points elsewhere, which is not followed; give the address that it points to"
            return Answer(answer.is_success, said)
    except (httpx.HTTPError, OSError, ValueError) as error:
        return Answer(False, f"{type(error).__name__}: {error}"[:300])
