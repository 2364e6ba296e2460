"""What the service manager hears: ready, reloading, stopping, a line of state, and that the loops go round.

The protocol is sd_notify's: datagrams of ``KEY=value`` lines to the socket named in NOTIFY_SOCKET. Without
such a socket (a container, a terminal) nothing is sent. The watchdog is fed only while every loop that
delivers has come round within its longest time; a loop that hangs therefore costs a restart, not a silence.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_log = logging.getLogger(__name__)
_EVERY_S = 10.0


class ServiceManager:
    """Tells the service manager of this process, where there is one. pid: of this process."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self.watchdog_s = _watchdog_s(environment, pid) if self._address else None
        if self._address.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def tell(self, **said: str | int) -> None:
        """For example ``tell(READY=1, STATUS="2 sources")``; a manager that does not listen is no fault."""
        if self._socket is None:
            return
        lines = "\n".join(f"{key}={str(value).replace(chr(10), ' ')}" for key, value in said.items())
        address = self._address.replace("@", "\0", 1) if self._address.startswith("@") else self._address
        try:
            self._socket.sendto(lines.encode(), address)
        except OSError as error:
            _log.warning("the service manager does not listen (%s): %s", error.strerror, self._address)

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@dataclass(frozen=True, slots=True)
class Loop:
    """turned_s: when it last came round, by the clock that never steps. longest_s: what is still well."""

    name: str
    turned_s: Callable[[], float]
    longest_s: float


class Watchdog:
    """Feeds the service manager's watchdog while all loops come round; says once where one does not."""

    def __init__(
        self,
        manager: ServiceManager,
        loops: Sequence[Loop],
        monotonic_s: Callable[[], float],
        state: Callable[[], str],
    ) -> None:
        self._manager, self._loops, self._now_s, self._state = manager, loops, monotonic_s, state
        self._late: list[str] = []

    async def run(self) -> None:
        """Until cancelled."""
        every_s = min(_EVERY_S, (self._manager.watchdog_s or 4 * _EVERY_S) / 4)
        while True:
            self.look()
            await asyncio.sleep(every_s)

    def look(self) -> None:
        """One look at the loops, told to the manager."""
        now_s = self._now_s()
        late = [loop.name for loop in self._loops if now_s - loop.turned_s() > loop.longest_s]
        if late and late != self._late:
            _log.error("stands still: %s: the watchdog is no longer fed", ", ".join(late))
        elif self._late and not late:
            _log.info("all loops go round again")
        self._late = late
        if late:
            self._manager.tell(STATUS=f"stands still: {', '.join(late)}")
        else:
            self._manager.tell(WATCHDOG=1, STATUS=self._state())


def _watchdog_s(environment: Mapping[str, str], pid: int) -> float | None:
    """Seconds within which the manager wants to hear from this process; None where it does not ask."""
    meant = environment.get("WATCHDOG_PID", str(pid))
    span = environment.get("WATCHDOG_USEC", "")
    return int(span) / 1e6 if span.isdecimal() and int(span) > 0 and meant == str(pid) else None


def service_manager() -> ServiceManager:
    """Of this process, as its environment tells."""
    return ServiceManager(os.environ, os.getpid())
