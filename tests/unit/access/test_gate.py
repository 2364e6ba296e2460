"""Who gets in: headers, addresses, and the table of roles against areas."""

from __future__ import annotations

import base64

import pytest

from cloud_api.access.gate import Caller, is_local, offered_key
from cloud_api.access.roles import READERS, Area, KeyRole, may_read, sees_money, withheld_resources

OPEN = {
    KeyRole.FINANCE: set(Area),
    KeyRole.ENGINEER: set(Area),
    KeyRole.FLOOR: {Area.SEGMENTS},
    KeyRole.IT: {Area.AGENTS, Area.METRICS},
}


@pytest.mark.parametrize("role", KeyRole)
@pytest.mark.parametrize("area", Area)
def test_each_role_opens_exactly_its_areas(role: KeyRole, area: Area) -> None:
    assert may_read(role, area) is (area in OPEN[role])


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
