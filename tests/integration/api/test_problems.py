"""Mistakes in a question: all at once, each with its field; and an OpenAPI document that is true."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from cloud_api.api.actions import ACTIONS
from cloud_api.api.bodies import read_body
from cloud_api.api.endpoints import ENDPOINTS
from cloud_api.api.formats import encoded
from tests.integration.api.conftest import Shop


def test_every_mistake_is_told_at_once(http: httpx.Client) -> None:
    answer = http.get(
        "/v1/costs?from=yesterday&to=2026-03-02T06:00&by=cause,colour&limit=0&machine=cutt&basis=hope&speling=1"
        "&format=pdf&resource=people&site=mars&period=2026-99"
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 400
    assert problem["instance"] == "/v1/costs"
    fields = {error["field"] for error in problem["errors"]}
    assert fields >= {"by", "limit", "basis", "speling", "format", "resource", "site", "period"}


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("machine=cutt", "machine", "did you mean 'cut'"),
        ("from=2026-03-05&to=2026-03-02", "to", "exclusive"),
        ("from=2026-03-02T06:00", "from", "no offset"),
        ("from=2026-13-02", "from", "no date"),
        ("from=20260302", "from", "neither a date"),
        ("from=2026-W10-1", "from", "neither a date"),
        ("cursor=!!", "cursor", "none that an answer gave"),
        ("limit=1&limit=2", "limit", "more than once"),
        ("by=cuase", "by", "did you mean 'cause'"),
        ("from=0001-01-01", "from", "outside"),
    ],
)
def test_a_mistake_says_its_mend(http: httpx.Client, query: str, field: str, hint: str) -> None:
    problem = http.get(f"/v1/costs?{query}").json()
    assert [error["field"] for error in problem["errors"]] == [field]
    assert hint in problem["errors"][0]["message"]


def test_a_plus_that_was_not_escaped_is_understood(http: httpx.Client) -> None:
    plain = http.get("/v1/costs?from=2026-03-02T10:00:00+01:00").json()
    assert plain["from"] == "2026-03-02T09:00:00Z"
    assert http.get("/v1/costs?from=2026-03-02t09:00:00.5z").json()["from"] == "2026-03-02T09:00:00.500000Z"


def test_no_such_path_is_a_problem_too(http: httpx.Client) -> None:
    answer = http.get("/v1/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "did you mean '/v1/costs'" in http.get("/v1/costs/").json()["detail"]


def test_a_path_says_what_it_takes(http: httpx.Client) -> None:
    refused = http.delete("/v1/notes")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert "POST" in refused.json()["detail"]
    asked = http.options("/v1/costs")
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, "GET, HEAD, OPTIONS", b"")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/docs", "/v1/costs", "/v1/nowhere"])
def test_head_tells_what_get_would_without_the_body(http: httpx.Client, path: str) -> None:
    got, head = http.get(path), http.head(path)
    assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
    assert head.content == b""


def test_every_answer_says_how_final_and_how_complete_it_is(http: httpx.Client) -> None:
    for endpoint in ENDPOINTS:
        asked = "&".join(
            filter(None, [endpoint.example, "format=json" if "format" in endpoint.parameters else ""])
        )
        said = http.get(f"/v1{endpoint.path}?{asked}").json()
        assert set(said) >= {"status", "confidence", "computed_through", "pending_hours"}, endpoint.path


def test_every_mistake_of_a_body_is_told_at_once(http: httpx.Client, shop: Shop) -> None:
    answer = http.post(
        "/v1/notes",
        headers={"Authorization": f"Bearer {shop.keys['finance']}"},
        json={
            "site": "tiny",
            "kind": "nope",
            "text": 1,
            "machine": "cutt",
            "from": "x",
            "to": "y",
            "speling": 1,
        },
    )
    assert answer.status_code == 400
    assert answer.json()["detail"] == "6 fields are wrong; nothing was changed"
    fields = [error["field"] for error in answer.json()["errors"]]
    assert sorted(fields) == ["from", "kind", "machine", "speling", "text", "to"]


def test_a_page_says_a_mistake_in_words(http: httpx.Client) -> None:
    answer = http.get("/?machine=cutt")
    assert answer.status_code == 400
    assert "did you mean" in answer.text


def test_openapi_names_every_path_parameter_and_shape(http: httpx.Client) -> None:
    said = http.get("/openapi.json").json()
    assert said["openapi"].startswith("3.1")
    for endpoint in ENDPOINTS:
        operation = said["paths"][f"/v1{endpoint.path}"]["get"]
        takes = {*endpoint.parameters, *(option.name for option in endpoint.options)}
        assert {one["name"] for one in operation["parameters"]} == takes
        assert set(operation["responses"]) == {"200", "400", "401", "403", "503"}
        for one in operation["parameters"]:
            assert one["description"]


def test_answers_are_of_the_declared_shape(http: httpx.Client, shop: Shop) -> None:
    said = http.get("/openapi.json").json()
    for endpoint in ENDPOINTS:
        path = f"/v1{endpoint.path}"
        operation = said["paths"][path]["get"]
        shape = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        by = "?by=resource,cause,day,machine" if path in ("/v1/costs", "/v1/variances") else ""
        address = operation["x-example"] if endpoint.example else path + by
        answer = http.get(address, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text[:500]
        _fits(answer.json(), shape, said["components"]["schemas"], path)


def test_every_example_of_what_is_sent_is_one() -> None:
    for action in ACTIONS:
        if action.example is not None:
            assert read_body(msgspec.json.encode(action.example), action.body)[1] == []


def _fits(value: Any, reference: str, schemas: dict[str, Any], where: str) -> None:
    schema = schemas[reference.rpartition("/")[2]]
    assert set(schema["required"]) <= set(value), where
    assert set(value) <= set(schema["properties"]), where
    for name, one in value.items():
        about = schema["properties"][name]
        if "$ref" in about:
            _fits(one, about["$ref"], schemas, f"{where}.{name}")
        elif about.get("type") == "array" and "$ref" in about["items"]:
            for row in one:
                _fits(row, about["items"]["$ref"], schemas, f"{where}.{name}")
        elif about.get("type") == "number":
            assert isinstance(one, int | float), f"{where}.{name}"


def test_the_manual_shows_it_all_without_anything_from_elsewhere(http: httpx.Client) -> None:
    text = http.get("/docs").text
    for endpoint in ENDPOINTS:
        assert f"GET /v1{endpoint.path}" in text
    for word in ("<script", "http://", "https://", "@import"):
        assert word not in text


class Rows(msgspec.Struct):
    rows: list[dict[str, str]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_spreadsheet_takes_text_for_a_formula(start: str) -> None:
    body = encoded(Rows([{"a": f"{start}1+1"}]), "csv", "x").content.decode()
    assert body.split("\r\n", 1)[1].lstrip('"').startswith("'")


def test_a_person_with_a_browser_reads_a_page_and_a_program_json(http: httpx.Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = http.get("/produkts", headers=browser)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Not Found</h1>" in page.text
    assert "There is no /produkts" in page.text
    assert http.get("/produkts").headers["content-type"] == "application/problem+json"
    asked = http.get("/v1/costs?colour=red", headers=browser)
    assert asked.json()["errors"][0]["field"] == "colour"
