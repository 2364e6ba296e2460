"""`cloud-api serve` on embedded parts: it ends cleanly, survives kill -9 of anything, and keeps its door."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_api.store.embedded import RECORD_FILE, open_cluster
from tests.contract.cli_cloud.process import offspring, ready, run, runs, serving, wait_until


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    if (folder / RECORD_FILE).exists():
        open_cluster(folder).remove()


def test_serve_ends_cleanly_on_sigterm_and_leaves_no_url(data_dir: Path) -> None:
    with serving(data_dir) as (process, _):
        broker = (data_dir / "broker.url").read_text()
        assert broker.startswith("mqtt://127.0.0.1:")
        database = (data_dir / "database.url").read_text()
        assert run("key", "list", DATA_DIR=str(data_dir)).returncode == 0
        second = run("serve", DATA_DIR=str(data_dir), HTTP_PORT="0")
        assert second.returncode == 1
        assert second.stderr.startswith("another serve owns the data folder: ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not list(data_dir.glob("*.url"))
    with serving(data_dir):
        assert (data_dir / "broker.url").read_text() == broker
        assert (data_dir / "database.url").read_text() == database


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
    deadline = time.monotonic() + 60
    while any(runs(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def words_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@pytest.mark.needs("proc")
def test_parts_that_die_are_started_again(data_dir: Path) -> None:
    with serving(data_dir) as (process, address):
        before = {pid: words_of(pid) for pid in offspring(process.pid)}
        for pid in before:
            os.kill(pid, signal.SIGKILL)

        def all_back() -> bool:
            now = sorted(words_of(pid) for pid in offspring(process.pid) if runs(pid) and pid not in before)
            return now == sorted(before.values()) and ready(address)

        wait_until("everything runs again", all_back)
        assert run("key", "list", DATA_DIR=str(data_dir)).returncode == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    made, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=plantledger",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made, "-days", "2"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


def status(address: str, certificate: Path, key: str | None) -> int:
    context = ssl.create_default_context(cafile=str(certificate))
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_beyond_loopback_it_speaks_tls_and_asks_for_a_key(
    data_dir: Path, certificate: tuple[Path, Path]
) -> None:
    made, key = certificate
    settings = {"HTTP_HOST": "0.0.0.0", "TLS_CERTIFICATE": str(made), "TLS_KEY": str(key)}
    with serving(data_dir, made, **settings) as (_, address):
        local = address.replace("0.0.0.0", "127.0.0.1")
        word = run("key", "create", "--role", "it", DATA_DIR=str(data_dir)).stdout.split()[-1]
        assert status(f"{local}/v1/agents", made, None) == 401
        assert status(f"{local}/v1/agents", made, word) == 200
