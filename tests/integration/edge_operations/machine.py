"""A throwaway machine without network: this one's files under an overlay, in namespaces of its own.

Where a machine does not give namespaces to its root, packages are unpacked below a folder instead.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_MADE = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
mount --bind /proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount --bind "$2" "$1/root/mnt"
mount -t tmpfs none "$1/root/run"
echo ready
exec sleep 600
"""
_UP = """
import fcntl, socket, struct
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sH", b"lo", 0x1 | 0x40))
"""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def interpreter() -> str:
    """The system's Python of the version of this one, or else this one itself."""
    system = Path(f"/usr/bin/python{PYTHON}")
    return str(system if system.exists() else Path(sys.executable).resolve())


class Machine:
    """root: how its files are seen from here. Commands run in it, as root or as the service's user."""

    def __init__(self, scratch: Path, holder: subprocess.Popen[str] | None) -> None:
        self._holder = holder
        self.scratch = scratch
        self.root = scratch / "root" if holder is None else Path(f"/proc/{holder.pid}/root{scratch}/root")

    @property
    def whole(self) -> bool:
        """Whether it has namespaces, users and a network of its own."""
        return self._holder is not None

    def inside(self, path: str) -> str:
        """How a command in it names a file."""
        return path if self.whole else f"{self.root}{path}"

    def command(self, *words: str, user: str | None = None) -> list[str]:
        if self._holder is None:
            return [self._own(words[0]), *words[1:]]
        enter = ["nsenter", "-t", str(self._holder.pid), "-m", "-n", "chroot", f"{self.scratch}/root"]
        private = interpreter().startswith("/root/")
        if user is not None and not private:
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return [*enter, *words]

    def _own(self, word: str) -> str:
        mine = {"edge-agent": "opt/plantledger-agent/current/bin/edge-agent"}
        own = {"plantledger-agent": "usr/sbin/plantledger-agent"}
        place = {**mine, **own}.get(word)
        return str(self.root / place) if place else word

    def environment(self) -> dict[str, str]:
        base = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        return base if self.whole else {**base, "DPKG_ROOT": str(self.root)}

    def run(self, *words: str, user: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words, user=user), env={**self.environment(), **more}, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip

    def start(self, *words: str, user: str | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words, user=user), env=self.environment(), stderr=subprocess.PIPE, text=True
        )

    def dpkg(self, *words: str) -> list[str]:
        forced = ["--force-depends", "--force-unsafe-io"]
        if not self.whole:
            forced += [f"--root={self.root}", "--force-script-chrootless"]
        return ["dpkg", *forced, *words]

    def link(self, name: str) -> str:
        return (self.root / "opt/plantledger-agent" / name).readlink().name


@contextlib.contextmanager
def machine(scratch: Path, shared: Path) -> Iterator[Machine]:
    """shared: a folder that it sees as /mnt."""
    script = ["unshare", "-m", "-n", "sh", "-c", _MADE, "sh", str(scratch), str(shared)]
    holder = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert holder.stdout is not None
    try:
        if holder.stdout.readline() == "ready\n":
            made = Machine(scratch, holder)
            up = subprocess.run(["nsenter", "-t", str(holder.pid), "-n", sys.executable, "-c", _UP])
            assert up.returncode == 0
        else:
            made = Machine(scratch, None)
            (made.root / "var/lib/dpkg").mkdir(parents=True)
            (made.root / "var/lib/dpkg/status").touch()
            shutil.copytree(shared, made.root / "mnt", dirs_exist_ok=True)
        yield made
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def until(holds: object, within_s: float = 60.0) -> None:
    """Poll until it holds; the test fails at the deadline."""
    assert callable(holds)
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "still not so at the deadline"
        time.sleep(0.05)
