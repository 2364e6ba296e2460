"""Settings: environment over file, every bad one told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_api.errors import CloudError
from cloud_api.settings import NAMES, Settings, read


def test_without_any_setting_all_is_embedded_and_on_loopback() -> None:
    settings = read({})
    assert settings == Settings()
    assert (settings.database_url, settings.mqtt_url) == (None, None)
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
    assert settings.on_loopback
    assert not settings.keys_required


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text(
        "\ufeff# of this server\r\n\r\nexport PLANTLEDGER_HTTP_PORT=81\r\n"
        "HTTP_HOST = '10.0.0.1'\r\nDATA_DIR=\"/d d\"\r\n"
    )
    settings = read({"PLANTLEDGER_HTTP_PORT": "82", "HTTP_HOST": "ignored"}, file)
    assert (settings.http_host, settings.http_port, settings.data_dir) == ("10.0.0.1", 82, Path("/d d"))


def test_beyond_loopback_a_key_is_required() -> None:
    assert read({"PLANTLEDGER_HTTP_HOST": "0.0.0.0"}).keys_required
    assert read({"PLANTLEDGER_REQUIRE_KEY": "yes"}).keys_required


def test_every_bad_setting_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("HTTP_PROT=1\nnonsense\nREQUIRE_KEY=maybe\n")
    environment = {
        "PLANTLEDGER_DATABASE_URL": "mysql://x/y",
        "PLANTLEDGER_MQTT_URL": "mqtt://host:99999",
        "PLANTLEDGER_HTTP_PORT": "eighty",
        "PLANTLEDGER_TLS_CERTIFICATE": str(tmp_path / "absent.pem"),
    }
    with pytest.raises(CloudError) as caught:
        read(environment, file)
    told = str(caught.value)
    assert told.startswith("8 bad settings")
    for words in (
        f"{file}:1: no setting 'HTTP_PROT'",
        f"{file}:2: not NAME=value",
        f"{file}:3: REQUIRE_KEY: 'maybe' is neither true nor false",
        "PLANTLEDGER_DATABASE_URL: must begin with",
        "PLANTLEDGER_MQTT_URL: no URL",
        "PLANTLEDGER_HTTP_PORT: 'eighty' is no port",
        "PLANTLEDGER_TLS_CERTIFICATE: no file",
        "needs PLANTLEDGER_TLS_KEY beside it",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("told", "webhooks", "most"),
    [
        ({}, "loopback", None),
        ({"PLANTLEDGER_HTTP_HOST": "0.0.0.0"}, "false", 1200),
        ({"PLANTLEDGER_BEHIND_PROXY": "127.0.0.1"}, "false", 1200),
        ({"PLANTLEDGER_ALERTS_PRIVATE": "no", "PLANTLEDGER_REQUESTS_PER_MINUTE": "7"}, "false", 7),
        ({"PLANTLEDGER_ALERTS_PRIVATE": "true", "PLANTLEDGER_HTTP_HOST": "10.0.0.1"}, "true", 1200),
    ],
)
def test_what_only_this_machine_reaches_is_freer(
    told: dict[str, str], webhooks: str, most: int | None
) -> None:
    settings = read(told)
    assert (settings.told_alerts_private, settings.told_requests_per_minute) == (webhooks, most)


def test_a_misspelt_variable_is_told() -> None:
    with pytest.raises(CloudError, match=r"PLANTLEDGER_HTTP_PROT.*did you mean PLANTLEDGER_HTTP_PORT"):
        read({"PLANTLEDGER_HTTP_PROT": "1"})


def test_variables_of_other_programs_are_left_alone() -> None:
    assert read({"PLANTLEDGER_TEST_TIMESCALE_URL": "postgresql://x", "PLANTLEDGER_SITE": "x"}) == Settings()


def test_the_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("HTTP_PORT=81\n")
    assert read({"PLANTLEDGER_SETTINGS": str(file)}).http_port == 81


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="cannot be read"):
        read({}, tmp_path / "absent")


def test_every_setting_has_a_field() -> None:
    assert {name.lower() for name in NAMES} - {"settings"} == set(Settings.__dataclass_fields__)
