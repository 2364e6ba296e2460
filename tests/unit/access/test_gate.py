"""Who gets in: headers, addresses, and the table of roles against areas."""

from __future__ import annotations

import base64

import pytest

from cloud_api.access.gate import Caller, is_local, offered_key
from cloud_api.access.roles import READERS, Area, KeyRole, may_read, sees_money, withheld_resources

MONEY = {Area.COSTS, Area.VARIANCES, Area.CONFIDENCE, Area.PERIODS, Area.PAGE}
"""Areas that are about money as a whole."""


def test_the_floor_and_it_open_nothing_that_is_about_money() -> None:
    for role in (KeyRole.FLOOR, KeyRole.IT):
        assert not {area for area in MONEY if may_read(role, area)}


def test_it_opens_what_it_runs_and_no_more() -> None:
    assert {Area.AGENTS, Area.METRICS} <= {area for area in Area if may_read(KeyRole.IT, area)}
    assert not may_read(KeyRole.IT, Area.SEGMENTS)


def test_finance_reads_all_that_is_read() -> None:
    assert all(may_read(KeyRole.FINANCE, area) for area in MONEY | {Area.SEGMENTS, Area.AGENTS})


def test_every_area_has_a_rule() -> None:
    assert set(READERS) == set(Area)


def test_the_floor_and_it_read_no_money() -> None:
    assert {role for role in KeyRole if not sees_money(role)} == {KeyRole.FLOOR, KeyRole.IT}


def test_only_finance_reads_wages() -> None:
    assert {role for role in KeyRole if "labour" not in withheld_resources(role)} == {KeyRole.FINANCE}


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer plk_a", "plk_a"),
        ("bearer   plk_a ", "plk_a"),
        ("Basic " + base64.b64encode(b"anyone:plk_a:b").decode(), "plk_a:b"),
        ("Basic not-base64", ""),
        ("Basic " + base64.b64encode(b"\xff\xfe").decode(), ""),
        ("Digest x", ""),
        ("", ""),
    ],
)
def test_a_key_is_read_from_bearer_and_basic(header: str, key: str) -> None:
    assert offered_key(header) == key


def caller(
    address: str | None = "127.0.0.1", host: str | None = "127.0.0.1:8000", passed_on: bool = False
) -> Caller:
    return Caller(None, address, host, passed_on)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "[::1]:8000", "LOCALHOST"])
def test_this_machine_is_local(host: str) -> None:
    assert is_local(caller(host=host))


@pytest.mark.parametrize(
    "stranger",
    [
        caller(address="10.0.0.5"),
        caller(address=None),
        caller(host="evil.example"),
        caller(host="127.0.0.1.evil.example"),
        caller(host=None),
        caller(passed_on=True),
    ],
)
def test_all_else_is_not(stranger: Caller) -> None:
    assert not is_local(stranger)
