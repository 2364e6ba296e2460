"""How many nodes go into a call: what is told, what is known of the kind, what was refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.opcua_profile import PROFILES, UNKNOWN, CallLimit, profile_of


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (
            ["urn:SIMATIC.S7-1500.OPC-UA.Application:PLC_1", "http://www.siemens.com/simatic-s7-opcua"],
            "s7-1500",
        ),
        (
            ["urn:SIMATIC.S7-1200.OPC-UA.Application:PLC_1", "http://www.siemens.com/simatic-s7-opcua"],
            "s7-1200",
        ),
        (["http://www.siemens.com/simatic-s7-opcua"], "s7-1500"),
        (["BMENUA0100.2"], "bmenua0100"),
        (["urn:somebody", "some server"], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_server_is_known_by_its_namespaces_or_product(words: list[str], name: str) -> None:
    assert profile_of(words).name == name


def test_every_profile_says_where_its_figures_are_from() -> None:
    assert all(profile.source and profile.marks for profile in PROFILES)


@pytest.mark.parametrize(("told", "nodes"), [(0, 100), (25, 25), (10_000, 100)])
def test_the_smaller_of_what_is_told_and_what_is_known(told: int, nodes: int) -> None:
    assert CallLimit().meets(profile_of(["S7-1200"]), told).nodes == nodes


def test_an_unknown_server_gets_more_only_after_it_has_answered() -> None:
    limit = CallLimit().meets(UNKNOWN, 1_000)
    seen = []
    for _ in range(6):
        seen.append(limit.nodes)
        limit = limit.answered(limit.nodes)
    assert seen == [50, 100, 200, 400, 500, 500]
    assert CallLimit().meets(UNKNOWN, 0).answered(50).nodes == 50


def test_a_refusal_halves_and_outlives_the_session() -> None:
    limit = CallLimit().meets(UNKNOWN, 0).refused(50)
    assert limit.nodes == 25
    assert limit.answered(25).meets(UNKNOWN, 1_000).nodes == 25


def test_one_time_out_is_no_refusal_and_the_second_in_a_row_is() -> None:
    once = CallLimit().meets(UNKNOWN, 0).unanswered(50)
    assert once.nodes == 50
    assert once.answered(50).unanswered(50).nodes == 50
    assert once.unanswered(50).nodes == 25


@settings(deadline=None)
@given(
    st.integers(0, 2_000),
    st.lists(st.tuples(st.sampled_from(["answered", "refused", "unanswered"])), max_size=30),
)
def test_a_call_always_holds_a_node_and_never_more_than_told(told: int, steps: list[tuple[str]]) -> None:
    limit = CallLimit().meets(UNKNOWN, told)
    for (step,) in steps:
        assert 1 <= limit.nodes <= (told or 50)
        limit = getattr(limit, step)(limit.nodes)
