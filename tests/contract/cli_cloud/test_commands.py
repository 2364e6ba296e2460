"""`cloud-api` as people type it: help with an example, exit codes, errors as what: where: what to do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from cloud_api.store.embedded import RECORD_FILE, open_cluster

COMMANDS = [
    ("serve",),
    ("migrate",),
    ("load",),
    ("backfill",),
    ("recompute",),
    ("key", "create"),
    ("key", "list"),
    ("key", "revoke"),
    ("agent", "choose"),
]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "cloud_api", *words]


def environment(**settings: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PLANTLEDGER_")}
    return own | {f"PLANTLEDGER_{name}": value for name, value in settings.items()}


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=environment(**settings), capture_output=True, text=True, timeout=120
    )


def help_of(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    from cloud_api.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    told = help_of(words, capsys)
    assert re.search(r"example:\n  .*cloud-api " + " ".join(words), told)


def test_wrong_arguments_exit_with_2() -> None:
    assert run("load").returncode == 2
    assert run("serve", "--role", "cook").returncode == 2


def test_a_key_is_printed_once_as_the_last_word(plain_database: str) -> None:
    made = run("key", "create", "--role", "finance", "--site", "columbus", DATABASE_URL=url(plain_database))
    assert made.returncode == 1
    assert "columbus" in made.stderr
    with psycopg.connect(plain_database) as connection:
        connection.execute("insert into sites values ('columbus')")
    made = run("key", "create", "--role", "finance", "--site", "columbus", DATABASE_URL=url(plain_database))
    assert (made.returncode, made.stderr) == (0, "")
    key = made.stdout.split()[-1]
    listed = run("key", "list", DATABASE_URL=url(plain_database))
    assert key not in listed.stdout
    assert "finance" in listed.stdout


def test_migrate_says_what_it_did(empty_database: str) -> None:
    refused = run("key", "list", DATABASE_URL=url(empty_database))
    assert refused.returncode == 1
    assert re.match(r"the database lacks migrations: 0001_chain.sql.*: run cloud-api migrate", refused.stderr)
    first = run("migrate", DATABASE_URL=url(empty_database))
    assert (first.returncode, "applied 0001_chain.sql" in first.stdout) == (0, True)
    second = run("migrate", DATABASE_URL=url(empty_database))
    assert (second.returncode, second.stdout) == (0, "the schema is up to date\n")


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (("migrate",), {"HTTP_PORT": "x"}, "1 bad setting: "),
        (("migrate",), {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "the database cannot be reached: "),
        (("serve",), {"HTTP_HOST": "0.0.0.0"}, "refusing to serve beyond loopback without TLS: "),
        (("serve", "--role", "ingest,api"), {}, "some roles alone need shared parts: "),
        (
            ("serve", "--role", "ingest"),
            {"DATABASE_URL": "postgresql://h/x"},
            "some roles alone need shared parts: ",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    words: tuple[str, ...], settings: dict[str, str], told: str, tmp_path: Path
) -> None:
    done = run(*words, DATA_DIR=str(tmp_path), **settings)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(told)
    assert "Traceback" not in done.stderr


def url(conninfo: str) -> str:
    info = psycopg.conninfo.conninfo_to_dict(conninfo)
    return f"postgresql://{info['user']}:{info['password']}@{info['host']}:{info['port']}/{info['dbname']}"


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`serve` on embedded parts; tells its process and address."""
    said = folder.parent / "serve.out"
    with said.open("w") as output:
        process = subprocess.Popen(
            command("serve"),
            env=environment(DATA_DIR=str(folder), HTTP_PORT="0"),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while not (match := re.search(r"listening on (http://\S+)", said.read_text())) or not ready(match[1]):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        yield process, match[1]
    finally:
        process.kill()
        process.wait(20)


def ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    if (folder / RECORD_FILE).exists():
        open_cluster(folder).remove()


def test_serve_ends_cleanly_on_sigterm_and_leaves_no_url(data_dir: Path) -> None:
    with serving(data_dir) as (process, _):
        assert (data_dir / "broker.url").read_text().startswith("mqtt://127.0.0.1:")
        assert run("key", "list", DATA_DIR=str(data_dir)).returncode == 0
        second = run("serve", DATA_DIR=str(data_dir), HTTP_PORT="0")
        assert second.returncode == 1
        assert second.stderr.startswith("another serve owns the data folder: ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not list(data_dir.glob("*.url"))


@pytest.mark.needs("proc")
def test_after_kill_9_the_next_serve_works_and_nothing_is_left_running(data_dir: Path) -> None:
    with serving(data_dir) as (process, _):
        made = run("key", "create", "--role", "it", DATA_DIR=str(data_dir))
        assert made.returncode == 0
        process.kill()
        process.wait(20)
    with serving(data_dir) as (process, _):
        assert "it" in run("key", "list", DATA_DIR=str(data_dir)).stdout
        children = offspring(process.pid)
        assert len(children) >= 4
        process.kill()
        process.wait(20)
    deadline = time.monotonic() + 20
    while any(runs(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def offspring(pid: int) -> list[int]:
    """Direct children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


def runs(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
