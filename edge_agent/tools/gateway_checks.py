"""What ``doctor`` looks at on the gateway itself: rights of files, its disk, its clock."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from edge_agent.config.files import knows_modes
from edge_agent.config.model import Config, OpcUaSource
from edge_agent.core import sizes
from edge_agent.core.quality import EARLIEST_US
from edge_agent.ports import Clock
from edge_agent.tools.finding import Finding, fail, ok, warn

_SYNCS = 8
_BLOCK = bytes(4096)
_CLOCK_OFF_S = 5.0


def permission_findings(config: Config) -> Iterator[Finding]:
    """Who else can read the keys or change the config; what Windows says of modes means nothing."""
    if not knows_modes():
        mend = "see to it that nobody else can read keys and passwords"
        yield warn("permissions", "not looked at: this system tells no file modes", mend)
        return
    secrets = [path for path in secret_files(config) if path.exists()]
    open_to_others = [path for path in secrets if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_to_others:
        yield fail("permissions", f"others can read {path}", f"chmod 600 {path}")
    unreadable = [path for path in secrets if not os.access(path, os.R_OK)]
    for path in unreadable:
        yield fail("permissions", f"{path} cannot be read", "run as the agent's user, or chown the file")
    if stat.S_IMODE(config.file.stat().st_mode) & 0o002:
        yield fail("permissions", f"everyone can change {config.file}", f"chmod o-w {config.file}")
    elif not open_to_others and not unreadable:
        told = f"{len(secrets)} readable by their owner alone" if secrets else "none is named"
        yield ok("permissions", f"files with secrets: {told}")


def secret_files(config: Config) -> list[Path]:
    """Keys and password files that a config names."""
    uplink = config.uplink
    found = [uplink.key, uplink.password_file, uplink.proxy_password_file]
    for source in config.sources:
        if isinstance(source, OpcUaSource):
            found += [source.password_file, source.user_key]
            found += [source.security.key] if source.security is not None else []
    return list(dict.fromkeys(path for path in found if path is not None))


def disk_findings(config: Config, clock: Clock) -> Iterator[Finding]:
    """Room for the buffer beside its reserve, and how long a write takes until it is on the medium."""
    buffer = config.buffer
    folder = buffer.path
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fail("disk", f"{folder} cannot be written", "run as the agent's user, or chown the folder")
        return
    free = shutil.disk_usage(folder).free
    used = sum(path.stat().st_size for path in buffer.path.glob("*.seg")) if buffer.path.is_dir() else 0
    told = f"{sizes.shown(free)} free at {folder}, the buffer has {sizes.shown(used)}"
    wanted = buffer.reserve_bytes + max(0, buffer.max_size_bytes - used)
    if free < buffer.reserve_bytes:
        yield fail("disk", f"{told}, its reserve is {sizes.shown(buffer.reserve_bytes)}", "free some room")
    elif free < wanted:
        mend = "free some room, or lower buffer.max_size; at the reserve the oldest data is dropped"
        yield warn("disk", f"{told}, it may grow to {sizes.shown(buffer.max_size_bytes)}", mend)
    else:
        yield ok("disk", told)
    yield _sync_finding(folder, buffer.commit_window_us / 1e6, clock)


def _sync_finding(folder: Path, window_s: float, clock: Clock) -> Finding:
    taken = []
    try:
        with tempfile.TemporaryFile(dir=folder, prefix="doctor-") as file:
            for _ in range(_SYNCS):
                began_s = clock.monotonic_s()
                file.write(_BLOCK)
                file.flush()
                os.fsync(file.fileno())
                taken.append(clock.monotonic_s() - began_s)
    except OSError as error:
        return fail("sync", f"a write at {folder} fails ({error.strerror})", "check the disk")
    usual_ms, longest_ms = median(taken) * 1000, max(taken) * 1000
    told = (
        f"a write is on the medium after {usual_ms:.1f} ms, the longest of {_SYNCS} after {longest_ms:.0f} ms"
    )
    if median(taken) > window_s:
        mend = "use a better card or disk; until then values are safe only that much later"
        return warn("sync", f"{told}, longer than the commit window", mend)
    return ok("sync", told)


def clock_finding(clock: Clock, status: dict[str, Any] | None) -> Finding:
    """The wall clock: set at all, and near the cloud's where the running agent was told that."""
    if clock.now_us() < EARLIEST_US:
        return fail("clock", "it was not set since boot", "let the gateway have NTP, or a battery")
    offset_s = status.get("clock_offset_s") if status is not None else None
    if offset_s is None:
        return ok("clock", "set; how far it is off is known once the agent runs and is acknowledged")
    if abs(offset_s) > _CLOCK_OFF_S:
        return fail("clock", f"{offset_s:+.1f} s off the cloud's", "let the gateway have NTP")
    return ok("clock", f"{offset_s:+.1f} s off the cloud's")
