"""`serve` as a process on embedded parts, and what runs below it."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "cloud_api", *words]


def environment(**settings: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PLANTLEDGER_")}
    return own | {f"PLANTLEDGER_{name}": value for name, value in settings.items()}


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=environment(**settings), capture_output=True, text=True, timeout=120
    )


def wait_until(what: str, holds: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


@contextmanager
def serving(
    folder: Path, certificate: Path | None = None, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`serve` on embedded parts; tells its process and address once it is ready."""
    said = folder.parent / "serve.out"
    with said.open("w") as output:
        process = subprocess.Popen(
            command("serve"),
            env=environment(DATA_DIR=str(folder), HTTP_PORT="0", **settings),
            stdout=output,
            stderr=output,
            text=True,
        )
    try:
        deadline = time.monotonic() + 60
        while not (match := re.search(r"listening on (https?://\S+)", said.read_text())) or not ready(
            match[1], certificate
        ):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        yield process, match[1]
    finally:
        process.kill()
        process.wait(20)


def ready(address: str, certificate: Path | None = None) -> bool:
    context = None if certificate is None else ssl.create_default_context(cafile=str(certificate))
    address = address.replace("0.0.0.0", "127.0.0.1")
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5, context=context) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


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
