"""What stands beside a config: the last one that ran, and the last one that was refused, with its reason.

``FILE.good`` lets a gateway boot although its config was broken meanwhile; ``FILE.rejected`` tells why a new
config was not taken. Both are best effort: a folder that cannot be written costs a warning, never the
service.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from edge_agent.config.load import InvalidConfig, load_valid
from edge_agent.config.model import Config

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """The config to run; ``refused`` is why it is not the file itself, but its last good version."""

    config: Config
    refused: str | None = None


def starting_config(file: Path) -> Started:
    """The file, or where it has mistakes the version that ran last; raises InvalidConfig without one."""
    try:
        return Started(load_valid(file))
    except InvalidConfig as error:
        try:
            good = load_valid(_good(file))
        except InvalidConfig:
            raise error from None
        reason = str(error)
        keep_rejected(file, reason)
        _log.error("%s is refused, the agent runs the last good version %s:\n%s", file, _good(file), reason)
        return Started(good, reason)


def keep_good(file: Path) -> None:
    """Remember the file as it is now: it runs."""
    text = _text(file)
    if text is not None and _text(_good(file)) != text:
        _write(_good(file), text)


def keep_rejected(file: Path, reason: str) -> None:
    """Keep the refused text, its reason on top as a comment."""
    head = "".join(f"# refused: {line}\n" for line in reason.splitlines())
    _write(file.with_name(file.name + ".rejected"), head.encode() + (_text(file) or b""))


def _good(file: Path) -> Path:
    return file.with_name(file.name + ".good")


def _text(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write(path: Path, text: bytes) -> None:
    """Replace the file whole; only its owner may read it."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        _log.warning(
            "%s cannot be written (%s): the agent runs, but will not remember this", path, error.strerror
        )
