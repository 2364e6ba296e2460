"""Where an embedded cluster can stand, and as whom it runs.

PostgreSQL refuses to run as root. As root, an existing unprivileged user runs it, and programs and
cluster stand where that user can reach them. Permissions of folders that we did not make stay as they are.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from cloud_api.errors import CloudError
from cloud_api.store.binaries import Binaries
from cloud_api.store.leftover import end_leftover

_USERS = ("postgres", "plantledger", "nobody")
_PLACES = ("/var/lib/plantledger-database", "/var/tmp/plantledger-database", "/tmp/plantledger-database")


@dataclass(frozen=True, slots=True)
class Account:
    """The user that runs PostgreSQL; switch is False where this process already is that user."""

    name: str
    uid: int
    gid: int
    switch: bool


def account() -> Account:
    """The user to run PostgreSQL as. Raises CloudError when root finds no unprivileged one."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid(), switch=False)
    for name in _USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid, switch=True)
    raise CloudError(
        "PostgreSQL does not run as root",
        "none of the users postgres, plantledger, nobody exists",
        "create one, run as another user, or set PLANTLEDGER_DATABASE_URL",
    )


def reachable(path: Path, who: Account) -> bool:
    """Whether a user can pass through every folder above a path and look into it, by permission bits."""
    path = path.resolve()
    return all(_allows(place, who, stat.S_IXOTH) for place in (path, *path.parents)) and _allows(
        path, who, stat.S_IROTH
    )


def cluster_folder(data_dir: Path, who: Account) -> Path:
    """A new, empty folder of the user's own for a cluster: in data_dir where it can be reached there.

    Elsewhere its name follows from data_dir. What a deleted data_dir left there is kept once, as NAME.old.
    """
    if not who.switch or reachable(data_dir, who):
        folder = data_dir / "database"
    else:
        name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
        folder = _place(who) / f"cluster-{name}"
    if folder.exists():
        old = folder.with_name(f"{folder.name}.old")
        end_leftover(folder / "data")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    folder.mkdir(mode=0o700)
    if who.switch:
        os.chown(folder, who.uid, who.gid)
    return folder


def within_reach(binaries: Binaries, who: Account) -> Binaries:
    """The same programs where the user can run them: as they are, or copied once to a public place."""
    if not who.switch or reachable(binaries.folder, who):
        return binaries
    source = binaries.root or binaries.folder.parent
    digest = hashlib.sha256((binaries.folder / "postgres").read_bytes()).hexdigest()[:12]
    place = _place(who) / f"postgresql-{binaries.version}-{digest}"
    folder = place / source.name / binaries.folder.relative_to(source)
    if not place.is_dir():
        _copy(source, place)
    return Binaries(folder, binaries.version, binaries.timescaledb, place)


def _copy(source: Path, place: Path) -> None:
    """Copies programs and the libraries beside them (auditwheel's NAME.libs), whole or not at all."""
    building = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    building.mkdir(mode=0o755)
    building.chmod(0o755)
    try:
        shutil.copytree(source, building / source.name, symlinks=True)
        libraries = source.with_name(f"{source.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, building / libraries.name, symlinks=True)
        for path in building.rglob("*"):
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444)
                )
        building.rename(place)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        if not place.is_dir():
            raise


def _place(who: Account) -> Path:
    """A folder of ours that the user can pass through; made where it is not there yet."""
    for name in _PLACES:
        place = Path(name)
        try:
            place.mkdir(mode=0o755)
            place.chmod(0o755)
        except FileExistsError:
            pass
        except OSError:
            continue
        if place.stat().st_uid == os.geteuid() and reachable(place, who) and os.access(place, os.W_OK):
            return place
    raise CloudError(
        "no place for the embedded database",
        f"{', '.join(_PLACES)} cannot be made, or {who.name} cannot reach them",
        "run as another user, or set PLANTLEDGER_DATABASE_URL",
    )


def _allows(place: Path, who: Account, other_bit: int) -> bool:
    try:
        status = place.stat()
    except OSError:
        return False
    if status.st_uid == who.uid:
        return bool(status.st_mode & other_bit << 6)
    if status.st_gid == who.gid:
        return bool(status.st_mode & other_bit << 3)
    return bool(status.st_mode & other_bit)
