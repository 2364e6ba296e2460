"""A disk that loses power: what was not synchronised is dropped, kept or torn by chance.

Every change is one step; the power can be cut before any of them. After a cut, of what was not synchronised:
each write to a file keeps a random part of its 512-byte sectors, a change of size happened or not, and of the
changes of names a random number of the first ones happened, as a journal orders them.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from dataclasses import dataclass, field

SECTOR = 512


class PowerCut(BaseException):
    """The power is gone; whatever runs ends here."""


@dataclass
class Inode:
    """cache: what a reader sees. stable: what is on the medium. pending: changes since the last sync."""

    cache: bytearray = field(default_factory=bytearray)
    stable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes] | int] = field(default_factory=list)


def _apply(content: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del content[change:]
        content.extend(bytes(change - len(content)))
        return
    offset, data = change
    content.extend(bytes(max(0, offset + len(data) - len(content))))
    content[offset : offset + len(data)] = data


class PowerDisk:
    """Implements Files over a dictionary. cut_at: the step before which the power goes, None for never.

    room: bytes that the disk takes; a write beyond it is ENOSPC. broken: True makes each write EIO.
    """

    def __init__(self, seed: int, cut_at: int | None = None) -> None:
        self.random = random.Random(seed)
        self.cut_at = cut_at
        self.steps = 0
        self.said: list[str] = []
        self.room: int | None = None
        self.broken = False
        self.on_step: Callable[[str], None] = lambda what: None
        self.entries: dict[str, Inode] = {}
        self.stable_entries: dict[str, Inode] = {}
        self._journal: list[tuple[str, str, str | Inode]] = []

    def step(self, what: str) -> None:
        if self.cut_at is not None and self.steps >= self.cut_at:
            raise PowerCut(what)
        self.steps += 1
        self.said.append(what)
        self.on_step(what)

    def first_of(self, what: str) -> int:
        """The number of the first step of a kind, after the small files of the start."""
        return next(n for n, said in enumerate(self.said) if said.startswith(what) and ".seg" in said)

    def after_the_cut(self) -> PowerDisk:
        """The disk as it is found when the power is back."""
        found = PowerDisk(self.random.randrange(1 << 30))
        names = dict(self.stable_entries)
        for change in self._journal[: self.random.randint(0, len(self._journal))]:
            _change_names(names, change)
        for name, inode in names.items():
            content = bytearray(inode.stable)
            for each in inode.pending:
                self._partly(content, each)
            found.entries[name] = Inode(content, bytearray(content))
        found.stable_entries = dict(found.entries)
        return found

    def _partly(self, content: bytearray, change: tuple[int, bytes] | int) -> None:
        fate = self.random.random()
        if fate < 0.3:
            return
        if fate < 0.6 or isinstance(change, int):
            _apply(content, change)
            return
        offset, data = change
        for at in range(0, len(data), SECTOR):
            if self.random.random() < 0.5:
                _apply(content, (offset + at, data[at : at + SECTOR]))

    def used(self) -> int:
        return sum(len(inode.cache) for inode in self.entries.values())

    def names(self) -> list[str]:
        return sorted(self.entries)

    def create(self, name: str) -> PowerFile:
        self.step(f"create {name}")
        if name in self.entries:
            raise FileExistsError(errno.EEXIST, "exists", name)
        self._refuse_if_broken()
        inode = self.entries[name] = Inode()
        self._journal.append(("add", name, inode))
        return PowerFile(self, inode)

    def open(self, name: str) -> PowerFile:
        if name not in self.entries:
            raise FileNotFoundError(errno.ENOENT, "missing", name)
        return PowerFile(self, self.entries[name])

    def rename(self, old: str, new: str) -> None:
        self.step(f"rename {old} {new}")
        self.entries[new] = self.entries.pop(old)
        self._journal.append(("move", old, new))

    def unlink(self, name: str) -> None:
        self.step(f"unlink {name}")
        del self.entries[name]
        self._journal.append(("remove", name, ""))

    def sync_names(self) -> None:
        self.step("sync names")
        for change in self._journal:
            _change_names(self.stable_entries, change)
        self._journal.clear()

    def free(self) -> int:
        return 1 << 40 if self.room is None else max(0, self.room - self.used())

    def close(self) -> None:
        pass

    def _refuse_if_broken(self) -> None:
        if self.broken:
            raise OSError(errno.EIO, "input/output error")


class PowerFile:
    """An open file of a PowerDisk."""

    def __init__(self, disk: PowerDisk, inode: Inode) -> None:
        self._disk = disk
        self._inode = inode

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self._inode.cache[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        self._change(f"write {len(data)}", (offset, data), offset + len(data))

    def size(self) -> int:
        return len(self._inode.cache)

    def resize(self, size: int) -> None:
        if size > len(self._inode.cache):
            self.write(len(self._inode.cache), bytes(size - len(self._inode.cache)))
        elif size < len(self._inode.cache):
            self._change(f"cut to {size}", size, 0)

    def sync(self) -> None:
        self._disk.step("sync")
        self._disk._refuse_if_broken()
        self._inode.stable[:] = self._inode.cache
        self._inode.pending.clear()

    def close(self) -> None:
        pass

    def _change(self, what: str, change: tuple[int, bytes] | int, end: int) -> None:
        self._disk.step(what)
        self._disk._refuse_if_broken()
        growth = end - len(self._inode.cache)
        if growth > 0 and growth > self._disk.free():
            raise OSError(errno.ENOSPC, "no space left on device")
        _apply(self._inode.cache, change)
        self._inode.pending.append(change)


def _change_names(names: dict[str, Inode], change: tuple[str, str, str | Inode]) -> None:
    kind, name, detail = change
    if kind == "add" and isinstance(detail, Inode):
        names[name] = detail
    elif kind == "move" and isinstance(detail, str) and name in names:
        names[detail] = names.pop(name)
    elif kind == "remove":
        names.pop(name, None)
