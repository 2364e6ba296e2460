"""Runs the command line as on a system that lacks all that only POSIX has.

python -m tests.unit.edge_tools.elsewhere ARGUMENTS OF edge-agent
"""

from __future__ import annotations

import asyncio
import builtins
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from types import ModuleType
from typing import Any

MODULES = frozenset(("fcntl", "resource", "pwd", "grp", "spwd", "termios", "tty", "pty", "syslog", "crypt"))
"""Of the standard library, what Windows has not."""
NAMES: dict[ModuleType, str] = {
    os: """getuid geteuid getgid getegid getgroups setuid setgid setsid getpgid fork forkpty chown lchown
        fchown fchmod mkfifo mknod nice uname sysconf statvfs fstatvfs getloadavg pread pwrite preadv pwritev
        fdatasync sync O_DIRECTORY O_CLOEXEC O_NONBLOCK O_NOFOLLOW O_SYNC O_DSYNC sched_getaffinity killpg
        posix_fallocate posix_fadvise getxattr setxattr openpty ttyname wait3 wait4 WNOHANG""",
    signal: """SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGCHLD SIGALRM SIGPIPE SIGQUIT pause alarm sigwait""",
    socket: """AF_UNIX AF_NETLINK SOCK_CLOEXEC SOCK_NONBLOCK recv_fds send_fds""",
    time: """CLOCK_BOOTTIME CLOCK_MONOTONIC CLOCK_REALTIME clock_gettime clock_settime tzset""",
    asyncio: """start_unix_server open_unix_connection""",
}


def become() -> None:
    """Take away, before anything of the agent is imported."""
    unix, pair, of_import = socket.AF_UNIX, socket.socketpair, builtins.__import__
    find, usage = importlib.util.find_spec, shutil.disk_usage("/")

    def imported(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return of_import(name, *rest, **named)

    for name in MODULES:
        sys.modules.pop(name, None)
    builtins.__import__ = imported
    importlib.util.find_spec = lambda name, *rest: None if name in MODULES else find(name, *rest)
    socket.socketpair = lambda *_, **__: pair(unix)  # type: ignore[assignment]
    shutil.disk_usage = lambda _: usage  # type: ignore[assignment]
    subprocess.Popen = _no_such_program  # type: ignore[misc, assignment]
    for module, names in NAMES.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    for what in ("add_signal_handler", "add_reader", "add_writer"):
        setattr(asyncio.SelectorEventLoop, what, getattr(asyncio.AbstractEventLoop, what))


def _no_such_program(*_: object, **__: object) -> Any:
    raise FileNotFoundError("no such program")


if __name__ == "__main__":
    become()
    from edge_agent.__main__ import main

    sys.exit(main(sys.argv[1:]))
