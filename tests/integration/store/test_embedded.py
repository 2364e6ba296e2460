"""The embedded database: chosen once, owned by one process, found by others, whole after kill -9."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cloud_api.errors import CloudError
from cloud_api.settings import Settings
from cloud_api.store import embedded
from cloud_api.store.cluster import Cluster
from cloud_api.store.embedded import database, open_cluster, take_lock


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    yield folder
    if (folder / embedded.RECORD_FILE).exists():
        open_cluster(folder).remove()


def fetch(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return None if row is None else row[0]


def wait_until(what: str, holds: object, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def test_a_command_owns_it_while_it_lasts(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    with database(settings) as url:
        assert fetch(url, "select 1") == 1
        for name in (embedded.URL_FILE, embedded.RECORD_FILE, embedded.LOCK_FILE):
            assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
        assert (data_dir / embedded.URL_FILE).read_text().strip() == url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create table kept as select 42 as x")
    assert not (data_dir / embedded.URL_FILE).exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    with database(settings) as again:
        assert fetch(again, "select x from kept") == 42


def test_it_listens_on_loopback_and_asks_for_a_password(data_dir: Path) -> None:
    with database(Settings(data_dir=data_dir)) as url:
        assert fetch(url, "show listen_addresses") == "127.0.0.1"
        assert fetch(url, "show unix_socket_directories") == ""
        info = psycopg.conninfo.conninfo_to_dict(url)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(
                f"postgresql://plantledger@127.0.0.1:{info['port']}/plantledger", connect_timeout=5
            )


def test_permissions_of_folders_above_stay_as_they_are(data_dir: Path) -> None:
    before = [path.stat().st_mode for path in (data_dir, *data_dir.parents)]
    with database(Settings(data_dir=data_dir)):
        pass
    assert [path.stat().st_mode for path in (data_dir, *data_dir.parents)] == before


def test_kind_and_version_stay_as_chosen(data_dir: Path) -> None:
    with database(Settings(data_dir=data_dir)):
        pass
    first = (data_dir / embedded.RECORD_FILE).read_text()
    with database(Settings(data_dir=data_dir)):
        pass
    assert (data_dir / embedded.RECORD_FILE).read_text() == first
    assert json.loads(first)["kind"] in ("plain", "timescaledb")


def test_a_lost_cluster_is_told_and_not_replaced(data_dir: Path) -> None:
    cluster = open_cluster(data_dir)
    cluster.remove()
    with pytest.raises(CloudError, match="is gone"), database(Settings(data_dir=data_dir)):
        pass
    (data_dir / embedded.RECORD_FILE).unlink()


@pytest.mark.needs("root")
def test_a_deleted_data_folder_leaves_at_most_one_old_cluster(data_dir: Path) -> None:
    folders = []
    for _ in range(3):
        cluster = open_cluster(data_dir)
        folders.append(cluster.folder)
        (data_dir / embedded.RECORD_FILE).unlink()
    old = cluster.folder.with_name(f"{cluster.folder.name}.old")
    assert set(folders) == {cluster.folder}
    assert sorted(cluster.folder.parent.glob(f"{cluster.folder.name}*")) == [cluster.folder, old]
    cluster.remove()
    Cluster(cluster.binaries, cluster.account, old, "", cluster.log).remove()


def test_another_command_uses_what_serve_owns(data_dir: Path) -> None:
    lock = take_lock(data_dir, "serve")
    assert lock is not None
    cluster = open_cluster(data_dir)
    cluster.start()
    try:
        embedded.publish(data_dir / embedded.URL_FILE, cluster.url)
        with database(Settings(data_dir=data_dir)) as url:
            assert url == cluster.url
        assert cluster.process is not None
        assert cluster.process.poll() is None
    finally:
        (data_dir / embedded.URL_FILE).unlink()
        cluster.stop()
        os.close(lock)


def test_commands_take_turns(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    told: list[str] = []
    seen: list[object] = []

    def second() -> None:
        with database(settings, told.append) as url:
            seen.append(fetch(url, "select count(*) from turns"))

    with database(settings) as url:
        waiting = threading.Thread(target=second)
        waiting.start()
        wait_until("the second command waits", lambda: told)
        assert seen == []
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create table turns as select 1 as x")
    waiting.join(30)
    assert seen == [1]
    assert "uses the embedded database" in told[0]


OWNER = """
import sys, time
from pathlib import Path
from cloud_api.store.embedded import open_cluster, take_lock
folder = Path(sys.argv[1])
lock = take_lock(folder, "serve")
cluster = open_cluster(folder)
cluster.start()
print(cluster.process.pid, cluster.url, flush=True)
time.sleep(600)
"""


@pytest.fixture
def owner(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid, url = process.stdout.readline().split()
        yield process, int(pid), url
        process.kill()


def runs(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def commit(url: str, value: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table if not exists kept (x int)")
        connection.execute("insert into kept values (%s)", [value])


@pytest.mark.needs("proc")
def test_kill_9_of_the_owner_loses_nothing(
    data_dir: Path, owner: tuple[subprocess.Popen[str], int, str]
) -> None:
    process, pid, url = owner
    commit(url, 1)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    with database(Settings(data_dir=data_dir)) as again:
        assert fetch(again, "select sum(x) from kept") == 1
    assert not runs(pid)


@pytest.mark.needs("proc")
def test_kill_9_of_the_server_loses_nothing(
    data_dir: Path, owner: tuple[subprocess.Popen[str], int, str]
) -> None:
    process, pid, url = owner
    commit(url, 2)
    os.kill(pid, signal.SIGKILL)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    with database(Settings(data_dir=data_dir)) as again:
        assert fetch(again, "select sum(x) from kept") == 2


def test_a_stale_pid_file_of_another_process_is_no_hindrance(data_dir: Path) -> None:
    with database(Settings(data_dir=data_dir)):
        pass
    cluster = open_cluster(data_dir)
    (cluster.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{cluster.data}\n0\n0\n\n127.0.0.1\n0 0\nready\n"
    )
    with database(Settings(data_dir=data_dir)) as url:
        assert fetch(url, "select 1") == 1
    assert os.getpid()


def test_a_server_that_dies_starts_again_on_its_port(data_dir: Path) -> None:
    cluster: Cluster = open_cluster(data_dir)
    cluster.start()
    url = cluster.url
    commit(url, 3)
    assert cluster.process is not None
    cluster.process.kill()
    cluster.process.wait(20)
    cluster.start()
    assert cluster.url == url
    assert fetch(url, "select sum(x) from kept") == 3
    cluster.stop()
