"""``bundle``: what support needs to see of a gateway, in one zip file, without any secret.

Secrets are found twice: what stands behind a key that names one is blanked, and what the config's key and
password files and its ``${env:...}`` and ``${file:...}`` hold is blanked wherever it occurs, as it is, in
base64 and URL-encoded.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import re
import sys
import urllib.parse
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from edge_agent.config.load import load
from edge_agent.config.model import Config
from edge_agent.errors import AgentError
from edge_agent.ports import Clock
from edge_agent.ports import Source as Reader
from edge_agent.tools.buffer import folder_of, inspection
from edge_agent.tools.doctor import as_values, examined
from edge_agent.tools.gateway_checks import secret_files
from edge_agent.tools.local_socket import connect

BLANK = "(blanked)"
_LOG_BYTES = 2 * 1024 * 1024
_SHORTEST = 4
"""A shorter secret is no secret, and blanking it would blank half of all text."""
_LIBRARIES = (
    "plantledger",
    "asyncua",
    "pymodbus",
    "paho-mqtt",
    "msgspec",
    "zstandard",
    "ruamel.yaml",
    "cryptography",
)
_NAMED = re.compile(
    r"""(?ix)
    (["']? [\w-]* (?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|credential) [\w-]* ["']? \s* [:=] \s*)
    ( "(?:\\.|[^"\\])*" | '[^']*' | [^\s,}\]]+ )"""
)
_A_FILE = re.compile(r"(?i)_file[\"']?\s*[:=]\s*$")
_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_IN_ADDRESS = re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^\s/@\"']+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/_.~=-]{8,}")
_FILE_NAMED = re.compile(r"""(?i)\b(?:\w*password_file|(?:user_)?key)\s*:\s*["']?([^"',}\s]+)""")
_FILLED = re.compile(r"\$\{(env|file):([^}]+)\}")

Build = Callable[[Config, Clock], Sequence[Reader]]


def bundle(file: Path, out: Path | None, logs: Sequence[Path], clock: Clock, build: Build, nonce: str) -> int:
    """Write the zip file, readable by its owner alone; 0 once it is written. Raises AgentError."""
    at = datetime.fromtimestamp(clock.now_us() / 1e6, UTC)
    out = out or Path(f"plantledger-{file.stem}-{at:%Y%m%dT%H%M%SZ}.zip")
    config = load(file, files_needed=False).config
    clean = Blanker(secrets_of(file, config))
    parts = dict(_parts(file, config, logs, clock, build, nonce))
    try:
        descriptor = os.open(out, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as opened,
            zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as packed,
        ):
            for name, text in parts.items():
                packed.writestr(clean(name), clean(text))
    except OSError as error:
        raise AgentError(f"cannot be written ({error.strerror})", str(out), "choose another -o") from None
    print(f"{out}: {', '.join(parts)}; secrets are blanked, look into it before you send it")
    return 0


class Blanker:
    """Takes secrets out of text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, BLANK)
        text = _BLOCK.sub(BLANK, text)
        text = _IN_ADDRESS.sub(rf"\1{BLANK}@", text)
        text = _BEARER.sub(rf"\1 {BLANK}", text)
        return _NAMED.sub(lambda hit: hit[0] if _A_FILE.search(hit[1]) else hit[1] + BLANK, text)


def secrets_of(file: Path, config: Config | None) -> set[str]:
    """What the key and password files hold, and what is filled into the config from elsewhere; of a config
    with mistakes, too.
    """
    found: set[str] = set()
    for path in secret_files(config) if config is not None else []:
        found |= set(_contents(path))
    folder = file.absolute().parent
    for path in _texts(file, config):
        with suppress(OSError):
            text = path.read_text("utf-8", "replace")
            for name in _FILE_NAMED.findall(text):
                found |= set(_contents(folder / name))
            for kind, name in _FILLED.findall(text):
                if kind == "env":
                    found.add(os.environ.get(name.strip(), ""))
                else:
                    found |= set(_contents(folder / name.strip()))
    return found - {""}


def _contents(path: Path) -> Iterator[str]:
    """The text of a small file whole, and each of its longer lines (of a key in PEM)."""
    with suppress(OSError):
        text = path.read_text("utf-8", "replace").strip()
        yield text
        yield from (line.strip() for line in text.splitlines() if not line.startswith("-----"))


def _forms(secret: str) -> Iterator[str]:
    """As it is, as JSON writes it, URL-encoded, and in base64 at any place of a longer text."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield urllib.parse.quote(secret, safe="")
    content = secret.encode()
    yield base64.b64encode(content).decode()
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + content).decode().rstrip("=")
        inner = whole[(4 if shift else 0) : len(whole) - (1 if (shift + len(content)) % 3 else 0)]
        if len(inner) >= 2 * _SHORTEST:
            yield inner


def _texts(file: Path, config: Config | None) -> list[Path]:
    """The config and every file of it from which something was read."""
    found = [file]
    if config is not None:
        places = [signal.place.file for signal in (*config.signals, *config.tags)]
        places += [part.place.file for part in (*config.sources, *config.machines)]
        found += [Path(name) for name in dict.fromkeys(places) if name and Path(name) != file]
    return found


def _parts(
    file: Path, config: Config | None, logs: Sequence[Path], clock: Clock, build: Build, nonce: str
) -> Iterator[tuple[str, str]]:
    for path in _texts(file, config):
        with suppress(OSError):
            yield f"config/{path.name}", path.read_text("utf-8", "replace")
    yield "versions.json", _as_json(versions())
    yield "doctor.json", _as_json(as_values(list(examined(file, clock, build, nonce))))
    if config is not None:
        yield "status.json", _as_json(_told(lambda: _status(config)))
        yield "buffer.json", _as_json(_told(lambda: inspection(folder_of(config.buffer.path))))
    for number, path in enumerate(logs):
        yield f"log/{number}-{path.name}", _tail(path)


def versions() -> dict[str, Any]:
    """Of the agent, its libraries, Python and the system."""
    installed = {each.name.lower(): each.version for each in distributions() if each.name is not None}
    return {
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
        "libraries": {name: installed.get(name) for name in _LIBRARIES},
    }


def _status(config: Config) -> Any:
    asking = connect(config.buffer.path)
    if asking is None:
        return {"running": False}
    with asking:
        return asking.ask({"ask": "status"})


def _told(ask: Callable[[], Any]) -> Any:
    """What can be said, or why it cannot."""
    try:
        return ask()
    except AgentError as error:
        return {"error": str(error)}


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_BYTES))
            return file.read(_LOG_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise AgentError(f"the log cannot be read ({error.strerror})", str(path), "check the path") from None


def _as_json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
