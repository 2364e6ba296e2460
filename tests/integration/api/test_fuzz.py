"""Whatever is asked of the API is answered: never with a fault, and always in the declared shape."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_api.api.action import Action
from cloud_api.api.actions import ACTIONS
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.endpoints import ENDPOINTS
from cloud_api.api.problems import Problem
from tests.conftest import Servers
from tests.integration.api.conftest import Shop, new_shop
from tests.integration.api.serving import client

EXAMPLES = int(os.environ.get("PLANTLEDGER_FUZZ_EXAMPLES", "8"))
"""Requests per path; more are worth a night."""

FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)
KNOWN: dict[str, list[str]] = {
    "site": ["tiny", "elsewhere"],
    "line": ["l", "main"],
    "machine": ["cut", "pack"],
    "product": ["P", "=Q", ""],
    "order": ["A1", ""],
    "from": ["2026-03-02", "2026-03-02T00:00:00Z", "2026-03-03T10:07:31.5+01:00"],
    "to": ["2026-03-03", "2026-03-04", "2026-03-09T00:00:00Z"],
    "period": ["2026-03"],
    "limit": ["1", "7", "100000"],
    "format": ["json", "csv", "xlsx", "parquet"],
    "resource": ["machine", "labour", "line"],
    "cause": ["production", "downtime", "expedite"],
    "month": ["2026-03"],
}
NASTY = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "0", "-1", "NaN", "1e309", "null", "\x00", "'; drop table keys; --", "%", "😀", "2026-02-30"]
    ),
    st.sampled_from(["9999-12-31", "0001-01-01", "2026-13", "9" * 20, "../../etc/passwd", "{}", "a,b,,c"]),
)


@pytest.fixture(scope="module")
def spoilt(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of its own: what is sent here may be kept."""
    yield from new_shop(servers, tmp_path_factory)


def requests(endpoint: Endpoint) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Query parameters: those of the path with values that are right, nearly right or nonsense."""
    options = {option.name: option for option in endpoint.options}

    def values(name: str) -> st.SearchStrategy[str]:
        good = list(KNOWN.get(name, []))
        if name == "by":
            good += list(endpoint.by)
        if name in options:
            good += [*options[name].words, *filter(None, [options[name].default, options[name].example])]
        return st.one_of(st.sampled_from(good), NASTY) if good else NASTY

    names = sorted({*endpoint.parameters, *options}) or ["nothing"]
    pair = st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), values(name)))
    return st.lists(pair, max_size=6)


def checked(answer: httpx.Response, shape: type[msgspec.Struct]) -> None:
    assert answer.status_code < 500, (answer.request.url, answer.text[:500])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        told = msgspec.json.decode(answer.content, type=Problem, strict=True)
        assert told.status == answer.status_code
        assert told.detail
    elif answer.headers["content-type"].startswith("application/json"):
        msgspec.json.decode(answer.content, type=shape, strict=True)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
def test_no_question_is_answered_with_a_fault(spoilt: Shop, endpoint: Endpoint) -> None:
    path = f"/v1{endpoint.path}"
    with client(spoilt.address, spoilt.keys["finance"]) as http:

        @FUZZ
        @given(requests(endpoint))
        def ask(parameters: list[tuple[str, str]]) -> None:
            base = httpx.QueryParams(endpoint.example) if endpoint.example else httpx.QueryParams()
            for name, value in parameters:
                base = base.add(name, value) if name == "by" else base.set(name, value)
            checked(http.get(path.replace("{", "").replace("}", ""), params=base), endpoint.shape)

        ask()


def bodies(action: Action) -> st.SearchStrategy[bytes]:
    """Bodies: the example with fields dropped, spoiled or added; and what is no object at all."""
    fields = [field.encode_name for field in msgspec.structs.fields(action.body)]
    values = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), NASTY),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=4,
    )
    spoiled = st.dictionaries(st.sampled_from([*fields, "unknown"]), values, min_size=1, max_size=4)

    def merged(change: dict[str, Any]) -> bytes:
        return msgspec.json.encode({**(action.example or {}), **change})

    return st.one_of(
        spoiled.map(merged), st.sampled_from([b"", b"[]", b"{", b"nul", b"\xff\xfe", b'"x"', b"[" * 5000])
    )


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.method} {action.path}")
def test_no_body_is_answered_with_a_fault(spoilt: Shop, action: Action) -> None:
    with client(spoilt.address, spoilt.keys["finance"]) as http:

        @FUZZ
        @given(bodies(action), st.sampled_from(["1", "999999", "2026-01", "x", "%00", "-1"]))
        def send(body: bytes, name: str) -> None:
            path = "/".join(name if part.startswith("{") else part for part in action.path.split("/"))
            checked(http.request(action.method, f"/v1{path}", content=body), action.shape)

        send()
