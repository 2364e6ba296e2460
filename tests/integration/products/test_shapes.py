"""Answers of the mill are of the shapes that OpenAPI declares."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from cloud_api.api.endpoint import Endpoint
from cloud_api.api.paths.products import ENDPOINTS


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.path)
def test_an_answer_is_of_its_shape(http: httpx.Client, endpoint: Endpoint) -> None:
    query = "from=2026-03-02&to=2026-03-03" + ("&base=standard" if endpoint.options else "")
    answer = http.get(f"/v1{endpoint.path}?{query}")
    assert answer.status_code == 200, answer.text
    told = msgspec.json.decode(answer.content, type=endpoint.shape, strict=True)
    assert msgspec.to_builtins(told)["rows"]
