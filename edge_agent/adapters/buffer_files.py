"""The file layer of the durable buffer: all that it does to a disk.

It is a seam, so that a test can cut the power at any point of a run. What is written is safe after
``sync`` of the file; a name is safe after ``sync_names``. Every method may raise OSError.
"""

from __future__ import annotations

import os
import shutil
import zlib
from pathlib import Path
from typing import Protocol

from edge_agent.errors import AgentError

_LOCK = "lock"
_ZEROS = bytes(64 * 1024)


class File(Protocol):
    """An open file; offsets and lengths in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to length bytes; fewer at the end of the file."""

    def write(self, offset: int, data: bytes) -> None:
        """All of data, at offset."""

    def size(self) -> int:
        """Length of the file."""

    def resize(self, size: int) -> None:
        """Grow with zeros that are really written, so that later writes change no metadata; or cut."""

    def sync(self) -> None:
        """What was written is on the medium when this returns."""

    def close(self) -> None:
        """Let go of the file; does not sync."""


class Files(Protocol):
    """A flat folder."""

    def names(self) -> list[str]:
        """Of all files, sorted."""

    def create(self, name: str) -> File:
        """A new empty file; FileExistsError where there is one."""

    def open(self, name: str) -> File:
        """A file that exists."""

    def rename(self, old: str, new: str) -> None:
        """At once, over any file of the new name."""

    def unlink(self, name: str) -> None:
        """Delete."""

    def sync_names(self) -> None:
        """Names made, changed and deleted so far are on the medium when this returns."""

    def free(self) -> int:
        """Bytes that the disk still takes."""

    def close(self) -> None:
        """Let go of the folder."""


class DiskFile:
    """A file on a real disk."""

    def __init__(self, path: Path, flags: int) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)

    def read(self, offset: int, length: int) -> bytes:
        parts: list[bytes] = []
        while length > 0:
            part = os.pread(self._descriptor, length, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = os.pwrite(self._descriptor, left, offset)
            offset += written
            left = left[written:]

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def resize(self, size: int) -> None:
        at = self.size()
        if size < at:
            os.ftruncate(self._descriptor, size)
        while at < size:
            self.write(at, _ZEROS[: size - at])
            at += min(len(_ZEROS), size - at)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class DiskFiles:
    """A folder on a real disk, made where it is missing, and held by one process alone.

    Raises AgentError when another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        import fcntl  # not everywhere, and only the agent itself locks: tools that read do without

        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise AgentError(
                "another process holds the buffer",
                str(folder),
                "end it, or give this agent its own buffer.path",
            ) from error

    def names(self) -> list[str]:
        return sorted(
            entry.name for entry in os.scandir(self._folder) if entry.is_file() and entry.name != _LOCK
        )

    def create(self, name: str) -> File:
        return DiskFile(self._folder / name, os.O_CREAT | os.O_EXCL)

    def open(self, name: str) -> File:
        return DiskFile(self._folder / name, 0)

    def rename(self, old: str, new: str) -> None:
        (self._folder / old).replace(self._folder / new)

    def unlink(self, name: str) -> None:
        (self._folder / name).unlink()

    def sync_names(self) -> None:
        os.fsync(self._directory)

    def free(self) -> int:
        return shutil.disk_usage(self._folder).free

    def close(self) -> None:
        os.close(self._lock)
        os.close(self._directory)


def write_whole(files: Files, name: str, content: bytes) -> None:
    """Replace a small file at once and for good, with a check sum in front."""
    temporary = f"{name}.tmp"
    if temporary in files.names():
        files.unlink(temporary)
    file = files.create(temporary)
    try:
        file.write(0, zlib.crc32(content).to_bytes(4, "big") + content)
        file.sync()
    finally:
        file.close()
    files.rename(temporary, name)
    files.sync_names()


def read_whole(files: Files, name: str) -> bytes | None:
    """Content of a file of write_whole; None where it is missing or damaged."""
    if name not in files.names():
        return None
    file = files.open(name)
    try:
        content = file.read(0, file.size())
    finally:
        file.close()
    return checked(content)


def checked(content: bytes) -> bytes | None:
    """What stands behind the check sum of a file of write_whole; None where it does not hold."""
    if len(content) < 4 or zlib.crc32(content[4:]) != int.from_bytes(content[:4], "big"):
        return None
    return content[4:]


def set_aside(files: Files, name: str, keep: int = 4) -> str:
    """Rename a file that cannot be used to NAME.bad; only the newest ``keep`` such files stay."""
    aside = f"{name}.bad"
    files.rename(name, aside)
    for old in [other for other in files.names() if other.endswith(".bad")][:-keep]:
        files.unlink(old)
    files.sync_names()
    return aside
