"""The gate: says who asks, from what a request carries, and refuses whom it does not know.

On loopback, reading needs no key unless the server requires one. A request that a proxy passed on, or
that names another host than this machine (a foreign page in a local browser), is not loopback.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.access import keys, sessions
from cloud_api.access.issuer import Issuer, TokenRefused
from cloud_api.access.roles import Area, KeyRole, may_read, sees_money, withheld_resources


@dataclass(frozen=True, slots=True)
class Caller:
    """What of a request tells who asks: headers, and the address of the other end."""

    authorization: str | None
    address: str | None
    host: str | None
    passed_on: bool
    session: str | None = None
    form_token: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. Neither key_id nor subject: a reader on loopback. `subject` is whom an identity provider
    named; `sites` None means every site, `lines` None every line of them; `session` is the token of a
    browser's session."""

    role: KeyRole
    sites: frozenset[str] | None
    key_id: int | None
    subject: str | None = None
    session: str | None = None
    lines: frozenset[str] | None = None

    @property
    def sees_money(self) -> bool:
        """Whether amounts may stand in the answer."""
        return sees_money(self.role)

    @property
    def is_known(self) -> bool:
        """Whether it is known who asks; only they may write."""
        return self.key_id is not None or self.subject is not None

    @property
    def form_token(self) -> str:
        """What a form must send to be taken for its own; empty without a session."""
        return sessions.form_token(self.session) if self.session is not None else ""

    @property
    def withheld(self) -> frozenset[str]:
        """Resources that the answer leaves out whole, and names."""
        return withheld_resources(self.role)


FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers that a proxy adds: such a request does not come from this machine."""


def caller_of(headers: Mapping[str, str], address: str | None) -> Caller:
    """What of a request tells who asks. `headers` by name in lower case, `address` of the other end."""
    return Caller(
        authorization=headers.get("authorization"),
        address=address,
        host=headers.get("host"),
        passed_on=any(name in headers for name in FORWARDED),
        session=_cookie(headers.get("cookie")),
        form_token=headers.get(sessions.TOKEN_HEADER),
    )


def _cookie(header: str | None) -> str | None:
    for piece in (header or "").split(";"):
        name, _, value = piece.strip().partition("=")
        if name == sessions.COOKIE and value:
            return value
    return None


class Refused(Exception):
    """The gate stays shut: 401 where no usable key came, 403 where the key's role does not open the area."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Gate:
    """Rules of one server. `require_key` closes loopback too. `issuer` knows bearer tokens of an identity
    provider. `clock` gives the present, aware."""

    require_key: bool
    issuer: Issuer | None = None
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)

    def admit(
        self, connection: Connection[TupleRow], caller: Caller, area: Area, *, writes: bool = False
    ) -> Principal:
        """Says who asks for an area. Whoever writes needs a key, on loopback too. Raises Refused."""
        principal = self._principal(connection, caller)
        if writes and not principal.is_known:
            raise Refused(401, "writing needs a key: Authorization: Bearer KEY, or log in at /login")
        if (
            writes
            and principal.session is not None
            and not sessions.is_own_form(principal.session, caller.form_token)
        ):
            raise Refused(
                403, f"the form token ({sessions.TOKEN_HEADER}) is missing or stale: reload the page"
            )
        if not may_read(principal.role, area):
            raise Refused(403, f"a key of role {principal.role} does not open {area}")
        return principal

    def _principal(self, connection: Connection[TupleRow], caller: Caller) -> Principal:
        if caller.authorization is not None:
            offered = offered_key(caller.authorization)
            if self.issuer is not None and not offered.startswith(keys.PREFIX):
                return self._named(self.issuer, offered)
            key = keys.find(connection, offered)
            if key is None:
                raise Refused(401, "the key is not known, or was revoked")
            return Principal(key.role, key.sites, key.key_id, lines=key.lines)
        if caller.session is not None:
            key = sessions.find(connection, caller.session, self.clock())
            if key is not None:
                return Principal(key.role, key.sites, key.key_id, session=caller.session, lines=key.lines)
        if self.require_key or not is_local(caller):
            raise Refused(401, "send a key: Authorization: Bearer KEY")
        return Principal(KeyRole.FINANCE, None, None)

    def _named(self, issuer: Issuer, token: str) -> Principal:
        try:
            person = issuer.person(token)
        except TokenRefused as error:
            raise Refused(401, str(error)) from None
        return Principal(person.role, person.sites, None, subject=person.subject, lines=person.lines)


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
