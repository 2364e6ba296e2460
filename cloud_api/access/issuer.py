"""An identity provider (OpenID Connect): whom a bearer token names, and what their role is here.

The token is a signed JWT of the provider; its keys come from the provider's own discovery document and are
kept for some minutes. Only asymmetric signatures count. What a person may do stands in claims of the token.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from cloud_api.access.roles import KeyRole

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
CLOCK_SLACK_S = 30
TIMEOUT_S = 5.0


class TokenRefused(Exception):
    """The token does not say who asks, or says what is not so; the words tell which."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a token names. `sites` None means every site, `lines` None every line of them."""

    subject: str
    role: KeyRole
    sites: frozenset[str] | None
    lines: frozenset[str] | None = None


@dataclass
class Issuer:
    """An identity provider. `url` as in the token's `iss`; `audience` as in its `aud`; `role_claim` holds one
    of our roles or, with `roles`, a group that stands for one; `sites_claim` a list of sites, absent: every
    site; `lines_claim` a list of lines that someone of the floor is bound to, absent: every line."""

    url: str
    audience: str
    role_claim: str = "plantledger_role"
    sites_claim: str = "plantledger_sites"
    lines_claim: str = "plantledger_lines"
    roles: Mapping[str, KeyRole] = field(default_factory=dict)
    _keys: jwt.PyJWKClient | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def person(self, token: str) -> Person:
        """Whom the token names. Raises TokenRefused."""
        try:
            key = self._key_client().get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self.audience,
                issuer=self.url,
                leeway=CLOCK_SLACK_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise TokenRefused(f"the keys of {self.url} cannot be had: {error}") from None
        except jwt.PyJWTError as error:
            raise TokenRefused(f"the token is not good: {error}") from None
        role, sites = self._role(claims), _named(claims.get(self.sites_claim))
        return Person(str(claims["sub"]), role, sites, self._lines(claims, role, sites))

    def _key_client(self) -> jwt.PyJWKClient:
        with self._lock:
            if self._keys is None:
                self._keys = jwt.PyJWKClient(self._keys_address(), lifespan=600, timeout=TIMEOUT_S)
            return self._keys

    def _keys_address(self) -> str:
        address = f"{self.url.rstrip('/')}/.well-known/openid-configuration"
        try:
            answer = httpx.get(address, timeout=TIMEOUT_S, trust_env=False).raise_for_status().json()
            named, keys = answer["issuer"], answer["jwks_uri"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise TokenRefused(f"{address} does not answer as an identity provider: {error}") from None
        if named != self.url:
            raise TokenRefused(f"{address} names the issuer {named!r}: set OIDC_ISSUER to just that")
        return str(keys)

    def _role(self, claims: Mapping[str, Any]) -> KeyRole:
        said = claims.get(self.role_claim)
        words = said if isinstance(said, list) else [said]
        for role in KeyRole:
            if any(word == role.value or self.roles.get(str(word)) is role for word in words):
                return role
        raise TokenRefused(
            f"the token's claim {self.role_claim!r} names no role here: it takes {', '.join(KeyRole)}"
            + (f" or {', '.join(self.roles)}" if self.roles else "")
        )

    def _lines(
        self, claims: Mapping[str, Any], role: KeyRole, sites: frozenset[str] | None
    ) -> frozenset[str] | None:
        lines = _named(claims.get(self.lines_claim))
        if lines is not None and (role is not KeyRole.FLOOR or sites is None or len(sites) != 1):
            raise TokenRefused(
                f"the token's claim {self.lines_claim!r} binds the role floor to lines of one site: "
                f"{self.sites_claim!r} must name that site alone"
            )
        return lines


def _named(said: Any) -> frozenset[str] | None:
    """The names of a claim, one or a list; None where it is absent."""
    if said is None:
        return None
    return frozenset(map(str, said if isinstance(said, list) else [said]))
