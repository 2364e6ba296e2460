"""Bearer tokens of an identity provider: a real one on loopback, with keys of its own."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from cloud_api.access.issuer import Issuer, TokenRefused
from cloud_api.access.roles import KeyRole
from tests.integration.api.conftest import Shop
from tests.integration.api.serving import client, served


@dataclass
class Provider:
    """Serves its discovery document and keys, and signs tokens."""

    key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    url: str = ""

    def documents(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/keys": {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]},
        }

    def token(self, key: RSAPrivateKey | None = None, **claims: Any) -> str:
        now = dt.datetime.now(dt.UTC)
        said = {
            "iss": self.url,
            "aud": "plantledger",
            "sub": "controller-7",
            "exp": now + dt.timedelta(minutes=5),
            "plantledger_role": "finance",
            **claims,
        }
        return jwt.encode(said, key or self.key, "RS256", {"kid": "one"})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = provider.documents().get(self.path)
            self.send_response(200 if said else 404)
            self.end_headers()
            self.wfile.write(json.dumps(said or {}).encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def issuer(provider: Provider) -> Issuer:
    return Issuer(provider.url, "plantledger", roles={"Plant Controllers": KeyRole.FINANCE})


def test_a_token_opens_what_its_role_opens(shop: Shop, provider: Provider, issuer: Issuer) -> None:
    with served(shop.url, require_key=True, issuer=issuer) as address:
        with client(address, provider.token()) as http:
            assert http.get("/v1/costs").status_code == 200
        with client(address, provider.token(plantledger_role="floor")) as http:
            assert http.get("/v1/costs").status_code == 403
        with client(address, provider.token(plantledger_sites=["elsewhere"])) as http:
            assert http.get("/v1/costs?by=site").json()["rows"] == []
        with client(address, shop.keys["finance"]) as http:
            assert http.get("/v1/costs").status_code == 200


def test_a_group_may_stand_for_a_role(provider: Provider, issuer: Issuer) -> None:
    person = issuer.person(provider.token(plantledger_role=["Everyone", "Plant Controllers"]))
    assert (person.subject, person.role, person.sites) == ("controller-7", KeyRole.FINANCE, None)


def test_a_token_may_bind_to_a_line(shop: Shop, provider: Provider, issuer: Issuer) -> None:
    claims = {"plantledger_role": "floor", "plantledger_sites": "tiny", "plantledger_lines": ["one"]}
    assert issuer.person(provider.token(**claims)).lines == {"one"}
    with served(shop.url, require_key=True, issuer=issuer) as address:
        with client(address, provider.token(**claims)) as http:
            assert len(http.get("/v1/segments?from=2026-03-02&to=2026-03-03").json()["rows"]) > 0
        with client(address, provider.token(**claims | {"plantledger_lines": ["two"]})) as http:
            assert http.get("/v1/segments?from=2026-03-02&to=2026-03-03").json()["rows"] == []


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": 1}, "expired"),
        ({"aud": "another"}, "Audience"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"sub": None}, "sub"),
        ({"plantledger_role": "boss"}, "names no role"),
        ({"plantledger_role": None}, "names no role"),
        ({"plantledger_lines": ["one"], "plantledger_sites": ["tiny"]}, "binds the role floor"),
        ({"plantledger_lines": "one", "plantledger_role": "floor"}, "must name that site alone"),
    ],
)
def test_what_a_token_says_must_be_so(
    provider: Provider, issuer: Issuer, claims: dict[str, Any], said: str
) -> None:
    with pytest.raises(TokenRefused, match=said):
        issuer.person(provider.token(**claims))


def test_a_token_of_another_key_or_none_is_refused(shop: Shop, provider: Provider, issuer: Issuer) -> None:
    forged = provider.token(generate_private_key(65537, 2048))
    unsigned = jwt.encode({"sub": "x", "iss": provider.url, "aud": "plantledger"}, "", "none")
    with served(shop.url, require_key=True, issuer=issuer) as address:
        for token in (forged, unsigned, "rubbish", ""):
            with client(address, token or "x") as http:
                assert http.get("/v1/costs").status_code == 401


def test_a_provider_that_is_gone_is_named(provider: Provider) -> None:
    gone = Issuer("http://127.0.0.1:9", "plantledger")
    with pytest.raises(TokenRefused, match="does not answer as an identity provider"):
        gone.person(provider.token())


def test_an_act_of_a_person_is_in_the_audit_by_name(shop: Shop) -> None:
    from cloud_api.access import keys

    with psycopg.connect(shop.url) as connection:
        keys.record(connection, "tried", subject="controller-7", detail={"before": 1})
        row = connection.execute("select subject, detail from audit where action = 'tried'").fetchone()
    assert row == ("controller-7", {"before": 1})
