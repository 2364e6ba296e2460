"""The embedded database of a data folder: one process owns it, others use it while that one lasts.

DATA_DIR/lock is held by the owner and says who it is; DATA_DIR/database.json (readable by its owner alone)
keeps kind, version, place and password, chosen once; DATA_DIR/database.url is there while it runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from cloud_api.errors import CloudError
from cloud_api.settings import Settings
from cloud_api.store import binaries, ground
from cloud_api.store.cluster import Cluster, new_password

URL_FILE = "database.url"
RECORD_FILE = "database.json"
LOCK_FILE = "lock"
WAIT_S = 60.0
PATIENCE_S = 3600.0


@contextmanager
def database(settings: Settings, say: Callable[[str], None] = lambda text: None) -> Iterator[str]:
    """URL of the database for as long as the context lasts.

    The given server; else the embedded one that a running `serve` owns; else the embedded one, owned by
    this process until the context ends. While another short command owns it, waits for that to end.
    Raises CloudError when there is no database to be had. say: takes lines for the person who waits.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    lock = take_lock(settings.data_dir, "command")
    deadline = time.monotonic() + PATIENCE_S
    told = False
    while lock is None:
        owner = Owner.of(settings.data_dir)
        if owner is not None and owner.lasting:
            yield running_url(settings.data_dir)
            return
        if not told:
            who = f"process {owner.pid}" if owner is not None else "another process"
            say(f"waiting: {who} uses the embedded database: it goes on when that command ends")
            told = True
        if time.monotonic() > deadline:
            raise CloudError(
                "the embedded database stays in use", str(settings.data_dir), "end the other command"
            )
        time.sleep(0.1)
        lock = take_lock(settings.data_dir, "command")
    try:
        cluster = open_cluster(settings.data_dir)
        cluster.start()
        try:
            publish(settings.data_dir / URL_FILE, cluster.url)
            yield cluster.url
        finally:
            (settings.data_dir / URL_FILE).unlink(missing_ok=True)
            cluster.stop()
    finally:
        os.close(lock)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the lock of a data folder: a `serve` lasts, a command ends soon."""

    pid: int
    lasting: bool

    @classmethod
    def of(cls, data_dir: Path) -> Owner | None:
        """What the lock file says, or None while it is being written."""
        try:
            kind, pid = (data_dir / LOCK_FILE).read_text().split()
            return cls(int(pid), kind == "serve")
        except (OSError, ValueError):
            return None


def take_lock(data_dir: Path, kind: str) -> int | None:
    """The lock of a data folder as a file descriptor to close at the end, or None while another has it.

    kind: `serve` or `command`. Makes the folder, readable by its owner alone, where it is not there.
    Raises CloudError when the folder cannot be used.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CloudError(
            "the data folder cannot be used", f"{data_dir} ({error.strerror})", "set PLANTLEDGER_DATA_DIR"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{kind} {os.getpid()}\n".encode(), 0)
    return handle


def running_url(data_dir: Path) -> str:
    """URL of the embedded database that another process runs; waits while it is starting.

    Raises CloudError when it does not answer within WAIT_S.
    """
    deadline = time.monotonic() + WAIT_S
    last = "it has left no URL"
    while time.monotonic() < deadline:
        try:
            url = (data_dir / URL_FILE).read_text().strip()
            psycopg.connect(url, connect_timeout=5).close()
            return url
        except FileNotFoundError:
            pass
        except (OSError, psycopg.OperationalError) as error:
            last = str(error).strip()
        time.sleep(0.1)
    raise CloudError(
        "the embedded database does not answer", f"{data_dir} ({last})", "look at the output of serve"
    )


def open_cluster(data_dir: Path) -> Cluster:
    """The cluster of a data folder, created where it is not there yet; not started.

    Kind, version, programs and place are chosen once and recorded. Call it with the lock held.
    Raises CloudError when the recorded programs or the cluster are gone.
    """
    who = ground.account()
    record = _record(data_dir)
    if record is None:
        chosen = ground.within_reach(binaries.find(), who)
        record = {
            "kind": "timescaledb" if chosen.timescaledb else "plain",
            "version": chosen.version,
            "binaries": str(chosen.folder),
            "cluster": str(ground.cluster_folder(data_dir, who)),
            "password": new_password(),
        }
        publish(data_dir / RECORD_FILE, json.dumps(record, indent=1))
    found = _recorded_binaries(record, who)
    folder = Path(record["cluster"])
    if not folder.is_dir():
        raise CloudError(
            "the embedded database is gone",
            f"{folder}, named in {data_dir / RECORD_FILE}",
            "restore it, or delete the data folder to begin anew",
        )
    cluster = Cluster(found, who, folder, record["password"], data_dir / "database.log")
    cluster.create()
    return cluster


def publish(path: Path, text: str) -> None:
    """Writes a small file whole or not at all, readable by its owner alone."""
    new = path.with_name(f".{path.name}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _record(data_dir: Path) -> dict[str, Any] | None:
    path = data_dir / RECORD_FILE
    try:
        record = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CloudError(
            "the record of the embedded database cannot be read", f"{path} ({error})", "restore it"
        ) from error
    if not isinstance(record, dict) or not {"binaries", "cluster", "password", "version"} <= record.keys():
        raise CloudError("the record of the embedded database is not whole", str(path), "restore it")
    return record


def _recorded_binaries(record: dict[str, Any], who: ground.Account) -> binaries.Binaries:
    """The programs that made the cluster; where they moved, any of the same major version."""
    recorded = binaries.look_at(Path(record["binaries"]))
    major = str(record["version"]).split(".", 1)[0]
    timescale = record.get("kind") == "timescaledb"
    if recorded is None or str(recorded.major) != major:
        recorded = ground.within_reach(binaries.find(int(major), timescaledb=timescale), who)
    return recorded
