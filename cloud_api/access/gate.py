"""The gate: says who asks, from what a request carries, and refuses whom it does not know.

On loopback, reading needs no key unless the server requires one. A request that a proxy passed on, or
that names another host than this machine (a foreign page in a local browser), is not loopback.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.access import keys
from cloud_api.access.roles import Area, KeyRole, may_read, sees_money, withheld_resources


@dataclass(frozen=True, slots=True)
class Caller:
    """What of a request tells who asks: headers, and the address of the other end."""

    authorization: str | None
    address: str | None
    host: str | None
    passed_on: bool


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. key_id is None for a reader on loopback; `sites` None means every site."""

    role: KeyRole
    sites: frozenset[str] | None
    key_id: int | None

    @property
    def sees_money(self) -> bool:
        """Whether amounts may stand in the answer."""
        return sees_money(self.role)

    @property
    def withheld(self) -> frozenset[str]:
        """Resources that the answer leaves out whole, and names."""
        return withheld_resources(self.role)

    def may_see(self, site: str) -> bool:
        """Whether the site is one of the principal's."""
        return self.sites is None or site in self.sites


FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers that a proxy adds: such a request does not come from this machine."""


def caller_of(headers: Mapping[str, str], address: str | None) -> Caller:
    """What of a request tells who asks. `headers` by name in lower case, `address` of the other end."""
    return Caller(
        authorization=headers.get("authorization"),
        address=address,
        host=headers.get("host"),
        passed_on=any(name in headers for name in FORWARDED),
    )


class Refused(Exception):
    """The gate stays shut: 401 where no usable key came, 403 where the key's role does not open the area."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Gate:
    """Rules of one server. `require_key` closes loopback too."""

    require_key: bool

    def admit(
        self, connection: Connection[TupleRow], caller: Caller, area: Area, *, writes: bool = False
    ) -> Principal:
        """Says who asks for an area. Whoever writes needs a key, on loopback too. Raises Refused."""
        principal = self._principal(connection, caller)
        if writes and principal.key_id is None:
            raise Refused(401, "writing needs a key: Authorization: Bearer KEY")
        if not may_read(principal.role, area):
            raise Refused(403, f"a key of role {principal.role} does not open {area}")
        return principal

    def _principal(self, connection: Connection[TupleRow], caller: Caller) -> Principal:
        if caller.authorization is not None:
            key = keys.find(connection, offered_key(caller.authorization))
            if key is None:
                raise Refused(401, "the key is not known, or was revoked")
            return Principal(key.role, key.sites, key.key_id)
        if self.require_key or not is_local(caller):
            raise Refused(401, "send a key: Authorization: Bearer KEY")
        return Principal(KeyRole.FINANCE, None, None)


def offered_key(authorization: str) -> str:
    """The key of an Authorization header: ``Bearer KEY``, or ``Basic`` with the key as the password.

    Spreadsheets and browsers ask for a name and a password; the name is ignored. Empty when unreadable.
    """
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


def is_local(caller: Caller) -> bool:
    """Whether both ends are this machine: the peer's address, the host asked for, and nothing between."""
    return not caller.passed_on and _is_loopback(caller.address) and _is_loopback(_host_name(caller.host))


def _host_name(host: str | None) -> str | None:
    if host is None:
        return None
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(name: str | None) -> bool:
    if name is None:
        return False
    if name.lower() in {"localhost", "localhost."}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
