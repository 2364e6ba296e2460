"""One PostgreSQL cluster as a direct child: made, started, watched, stopped. No tool of PostgreSQL's own
stands between: after kill -9 of anything the next start just works."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg

from cloud_api.errors import CloudError
from cloud_api.store.binaries import Binaries
from cloud_api.store.children import end, end_with_parent
from cloud_api.store.ground import Account
from cloud_api.store.leftover import end_leftover
from cloud_api.store.ports import kept_port

USER = "plantledger"
DATABASE = "plantledger"
START_S = 60.0
STOP_S = 15.0
_LOG_BYTES = 8 * 1024 * 1024


@dataclass
class Cluster:
    """A cluster on disk and, while it runs, its server process.

    settings: PostgreSQL settings beyond our own, by name. log: file that takes what the server says.
    """

    binaries: Binaries
    account: Account
    folder: Path
    password: str
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """URL of our database in the running server, with its password."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.folder / "data"

    def create(self) -> None:
        """initdb with a password of its own, for TCP only. Does nothing for a finished cluster."""
        if (self.data / "PG_VERSION").is_file() and (self.folder / "ready").is_file():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if self.account.switch:
            os.chown(password_file, self.account.uid, self.account.gid)
        try:
            self._initdb(password_file)
        finally:
            password_file.unlink()
        (self.folder / "ready").touch()

    def start(self) -> None:
        """Starts the server and waits until it takes connections; makes our database where it lacks.

        Raises CloudError with the server's last words when it does not come up.
        """
        end_leftover(self.data)
        deadline = time.monotonic() + START_S
        while True:
            self.port = self.port or kept_port(self.folder / "port")
            self._spawn()
            if self._comes_up(deadline):
                break
            if time.monotonic() > deadline:
                raise self._failure()
            if "could not bind" in self._last_words() or "Address already in use" in self._last_words():
                self.port = 0
            time.sleep(0.2)
        self._ensure_database()

    def stop(self) -> None:
        """SIGINT (open transactions are rolled back), then SIGQUIT when it takes longer than STOP_S."""
        if self.process is not None:
            end(self.process, STOP_S, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
            self.process = None

    def remove(self) -> None:
        """Stops the server and deletes the cluster. For clusters that were made for a test."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initdb(self, password_file: Path) -> None:
        done = subprocess.run(
            [
                self.binaries.program("initdb"), "-D", self.data, "-U", USER, "--pwfile", password_file,
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions",
                *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
            ],
            check=False, capture_output=True, text=True, errors="replace", cwd="/", env=_environment(),
            **self._identity(),
        )  # fmt: skip
        if done.returncode != 0:
            raise CloudError(
                "the embedded database cannot be created",
                f"{self.data}: {done.stderr.strip()[-400:]}",
                "mend what it says, or set PLANTLEDGER_DATABASE_URL",
            )

    def _spawn(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            **({"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}
               if self.binaries.timescaledb else {}),
            **self.settings,
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _log_file(self.log) as log:
            self.process = subprocess.Popen(
                [self.binaries.program("postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_environment(),
                start_new_session=True, **self._identity(),
                preexec_fn=end_with_parent(signal.SIGINT),  # noqa: PLW1509  one prepared system call, no locks
            )  # fmt: skip

    def _identity(self) -> dict[str, Any]:
        if not self.account.switch:
            return {}
        return {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}

    def _comes_up(self, deadline: float) -> bool:
        assert self.process is not None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                psycopg.connect(self._admin_url(), connect_timeout=5).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.02)
        self.stop()
        return False

    def _ensure_database(self) -> None:
        with psycopg.connect(self._admin_url(), autocommit=True) as connection:
            found = connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f"create database {DATABASE}")

    def _admin_url(self) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    def _last_words(self) -> str:
        try:
            return self.log.read_text(errors="replace")[-600:]
        except OSError:
            return ""

    def _failure(self) -> CloudError:
        where = f"{self.data}: {self._last_words().strip()}"
        return CloudError("the embedded database does not start", where, f"see {self.log}")


def new_password() -> str:
    """A password that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _log_file(path: Path) -> IO[bytes]:
    """The log to go on with, begun anew where it has grown beyond _LOG_BYTES."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > _LOG_BYTES:
            path.unlink()
    return path.open("ab")
