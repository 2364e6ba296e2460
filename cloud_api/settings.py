"""Settings of the cloud service: environment variables, or a file of the same names; prefix PLANTLEDGER_.

The environment wins over the file. Every bad setting is told at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from cloud_api.errors import CloudError

PREFIX = "PLANTLEDGER_"
SETTINGS = f"{PREFIX}SETTINGS"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)\Z")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})
_ROLES = ("finance", "engineer", "floor", "it")
_BROKER_SCHEMES = ("mqtt", "mqtts", "ws", "wss")

NAMES: dict[str, str] = {
    "DATABASE_URL": "PostgreSQL to use; absent: an embedded one",
    "MQTT_URL": "broker to use, as mqtt://host:1883 or mqtts://user:password@host; absent: an embedded one",
    "MQTT_SHARED": "false: the broker knows neither $share nor MQTT 5; one ingest only (default true)",
    "MQTT_CA": "file with the certificates that the broker's must come from",
    "MQTT_CERTIFICATE": "file with this service's own certificate",
    "MQTT_KEY": "file with the key of that certificate",
    "DATA_DIR": "folder of the embedded parts (default .data)",
    "HTTP_HOST": "address to listen on (default 127.0.0.1)",
    "HTTP_PORT": "port to listen on (default 8000)",
    "TLS_CERTIFICATE": "file with the certificate of this server",
    "TLS_KEY": "file with the key of that certificate",
    "BEHIND_PROXY": "addresses of proxies that end TLS in front of this server, by comma; * for any",
    "REQUIRE_KEY": "true: reading needs a key on loopback too",
    "REQUESTS_PER_MINUTE": "requests that one key, person or address may make a minute (default 1200; where "
    "only this machine reaches the server, any number)",
    "INTERPRETERS": "processes that interpret a backlog of history together (default: one a core)",
    "ALERTS_PRIVATE": "true: webhooks may go to private networks, by http too; loopback: to this machine "
    "only (default while nobody else reaches the server)",
    "OIDC_ISSUER": "identity provider whose bearer tokens are taken, as https://login.example.com/realm",
    "OIDC_AUDIENCE": "audience that its tokens must name (default plantledger)",
    "OIDC_ROLE_CLAIM": "claim that holds the role, or groups (default plantledger_role)",
    "OIDC_ROLES": "groups that stand for a role, as controllers=finance,maintenance=engineer",
    "OIDC_SITES_CLAIM": "claim that lists the sites; absent in a token: every site (plantledger_sites)",
    "OIDC_LINES_CLAIM": "claim that binds the floor to lines; absent: every line (plantledger_lines)",
    "SETTINGS": "file with more of these, as NAME=value lines",
}
"""Every setting, without its prefix, and what it means."""


REQUESTS_PER_MINUTE = 1200


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service was told. Absent URLs mean the embedded part in data_dir."""

    database_url: str | None = None
    mqtt_url: str | None = None
    mqtt_shared: bool = True
    mqtt_ca: Path | None = None
    mqtt_certificate: Path | None = None
    mqtt_key: Path | None = None
    data_dir: Path = Path(".data")
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    behind_proxy: str = ""
    require_key: bool = False
    requests_per_minute: int | None = None
    interpreters: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    alerts_private: str = ""
    oidc_issuer: str | None = None
    oidc_audience: str = "plantledger"
    oidc_role_claim: str = "plantledger_role"
    oidc_roles: Mapping[str, str] = field(default_factory=dict)
    oidc_sites_claim: str = "plantledger_sites"
    oidc_lines_claim: str = "plantledger_lines"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.http_host in LOOPBACK

    @property
    def is_alone(self) -> bool:
        """Whether nobody beyond this machine reaches the server, through a proxy neither."""
        return self.on_loopback and not self.behind_proxy

    @property
    def told_alerts_private(self) -> str:
        """ALERTS_PRIVATE; where nothing is said, loopback if nobody else reaches the server."""
        return self.alerts_private or ("loopback" if self.is_alone else "false")

    @property
    def told_requests_per_minute(self) -> int | None:
        """REQUESTS_PER_MINUTE; where nothing is said, None (any number) if nobody else reaches the server."""
        return self.requests_per_minute or (None if self.is_alone else REQUESTS_PER_MINUTE)

    @property
    def keys_required(self) -> bool:
        """Whether reading needs a key: always beyond loopback."""
        return self.require_key or not self.on_loopback


def read(environment: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Settings out of the environment (default: this process's) and a file of NAME=value lines (default:
    the one that PLANTLEDGER_SETTINGS names).

    Raises CloudError that lists every bad setting, each with its place and its mend.
    """
    environment = os.environ if environment is None else environment
    faults: list[str] = []
    if file is None and environment.get(SETTINGS):
        file = Path(environment[SETTINGS])
    told = _from_file(file, faults) if file is not None else {}
    for name, value in environment.items():
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_"):
            _refuse_slip(name, faults)
            told[name.removeprefix(PREFIX)] = (value.strip(), name)
    settings = _settings(told, faults)
    if faults:
        raise CloudError(
            f"{len(faults)} bad setting{'s' if len(faults) > 1 else ''}",
            "\n  " + "\n  ".join(faults),
            "mend them all",
        )
    return settings


def _refuse_slip(name: str, faults: list[str]) -> None:
    """A variable that is nearly one of ours is a slip of the hand; others belong to other programs."""
    known = name.removeprefix(PREFIX)
    near = get_close_matches(known, NAMES, 1, 0.8)
    if known not in NAMES and near:
        faults.append(f"{name}: no such setting: did you mean {PREFIX}{near[0]}?")


def _from_file(file: Path, faults: list[str]) -> dict[str, tuple[str, str]]:
    told: dict[str, tuple[str, str]] = {}
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{file}: cannot be read ({error})")
        return told
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.match(text)
        if match is None:
            faults.append(f"{file}:{number}: not NAME=value: {text!r}")
            continue
        name = match[1].removeprefix(PREFIX)
        if name not in NAMES:
            faults.append(f"{file}:{number}: no setting {match[1]!r}: settings are {', '.join(NAMES)}")
            continue
        value = match[2].strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        told[name] = (value, f"{file}:{number}: {name}")
    return told


def _settings(told: Mapping[str, tuple[str, str]], faults: list[str]) -> Settings:
    def text(name: str) -> tuple[str, str]:
        value, place = told.get(name, ("", PREFIX + name))
        return value, place

    def path(name: str) -> Path | None:
        value, place = text(name)
        if value and not Path(value).is_file():
            faults.append(f"{place}: no file {value!r}: give the path of {NAMES[name]}")
        return Path(value) if value else None

    settings = Settings(
        database_url=_url(*text("DATABASE_URL"), ("postgresql", "postgres"), faults),
        mqtt_url=_url(*text("MQTT_URL"), _BROKER_SCHEMES, faults),
        mqtt_shared=_truth(*told.get("MQTT_SHARED", ("true", "")), faults),
        mqtt_ca=path("MQTT_CA"),
        mqtt_certificate=path("MQTT_CERTIFICATE"),
        mqtt_key=path("MQTT_KEY"),
        data_dir=Path(text("DATA_DIR")[0] or ".data").expanduser(),
        http_host=text("HTTP_HOST")[0] or "127.0.0.1",
        http_port=_port(*text("HTTP_PORT"), faults),
        tls_certificate=path("TLS_CERTIFICATE"),
        tls_key=path("TLS_KEY"),
        behind_proxy=text("BEHIND_PROXY")[0],
        require_key=_truth(*text("REQUIRE_KEY"), faults),
        requests_per_minute=_count(*text("REQUESTS_PER_MINUTE"), faults),
        interpreters=_count(*text("INTERPRETERS"), faults) or len(os.sched_getaffinity(0)),
        alerts_private=_reach(*text("ALERTS_PRIVATE"), faults),
        oidc_issuer=_url(*text("OIDC_ISSUER"), ("https", "http"), faults),
        oidc_audience=text("OIDC_AUDIENCE")[0] or "plantledger",
        oidc_role_claim=text("OIDC_ROLE_CLAIM")[0] or "plantledger_role",
        oidc_roles=_roles(*text("OIDC_ROLES"), faults),
        oidc_sites_claim=text("OIDC_SITES_CLAIM")[0] or "plantledger_sites",
        oidc_lines_claim=text("OIDC_LINES_CLAIM")[0] or "plantledger_lines",
    )
    _refuse_plain_issuer(settings.oidc_issuer, text("OIDC_ISSUER")[1], faults)
    for one, other in (("TLS_CERTIFICATE", "TLS_KEY"), ("MQTT_CERTIFICATE", "MQTT_KEY")):
        if bool(text(one)[0]) != bool(text(other)[0]):
            faults.append(f"{PREFIX}{one}: needs {PREFIX}{other} beside it: set both or neither")
    return settings


def _url(value: str, place: str, schemes: tuple[str, ...], faults: list[str]) -> str | None:
    if not value:
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        faults.append(f"{place}: no URL ({error}): write {schemes[0]}://host:port")
        return None
    if parts.scheme not in schemes or (port is not None and not 0 < port < 65536):
        faults.append(f"{place}: must begin with one of {', '.join(s + '://' for s in schemes)}")
        return None
    return value


def _port(value: str, place: str, faults: list[str]) -> int:
    if not value:
        return 8000
    if not value.isdecimal() or not 0 <= int(value) < 65536:
        faults.append(f"{place}: {value!r} is no port: give 0 to 65535 (0 = any free one)")
        return 8000
    return int(value)


def _count(value: str, place: str, faults: list[str]) -> int | None:
    if not value:
        return None
    if not value.isdecimal() or int(value) < 1:
        faults.append(f"{place}: {value!r} is no whole number from 1")
        return None
    return int(value)


def _roles(value: str, place: str, faults: list[str]) -> dict[str, str]:
    roles = {}
    for pair in filter(None, (piece.strip() for piece in value.split(","))):
        group, equals, role = (piece.strip() for piece in pair.partition("="))
        if not equals or role not in _ROLES:
            faults.append(f"{place}: {pair!r} is not GROUP=ROLE: roles are {', '.join(_ROLES)}")
        else:
            roles[group] = role
    return roles


def _refuse_plain_issuer(url: str | None, place: str, faults: list[str]) -> None:
    if url is not None and url.startswith("http:") and urlsplit(url).hostname not in LOOPBACK:
        faults.append(f"{place}: http is for loopback only, or others could make tokens; use https")


def _reach(value: str, place: str, faults: list[str]) -> str:
    """loopback, true, false, or nothing said."""
    if value.lower() in ("", "loopback"):
        return value.lower()
    if value.lower() not in _TRUE | _FALSE:
        faults.append(f"{place}: {value!r} is neither true, false nor loopback")
    return "true" if value.lower() in _TRUE else "false"


def _truth(value: str, place: str, faults: list[str]) -> bool:
    if value.lower() not in _TRUE | _FALSE:
        faults.append(f"{place}: {value!r} is neither true nor false")
    return value.lower() in _TRUE


def version() -> str:
    """The version of the installed package."""
    try:
        return metadata.version("plantledger")
    except metadata.PackageNotFoundError:
        return "(not installed as a package)"
