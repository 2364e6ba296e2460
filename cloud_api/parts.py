"""What `serve` keeps alive, and how it hears that it shall end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cloud_api.errors import CloudError
from cloud_api.ingest.broker import EmbeddedBroker
from cloud_api.store.children import end, end_with_parent
from cloud_api.store.cluster import Cluster

log = logging.getLogger(__name__)

CHILD_STOP_S = 15.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0


@dataclass
class Ending:
    """Whether the process was asked to end; stop tells its threads.

    A signal handler sets a plain flag and no more: the lock of an Event may be held by the very code that
    the signal interrupted. So the main thread waits with pause(), and passes the word on.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    _signalled: bool = False

    def listen(self) -> None:
        """Takes SIGTERM and SIGINT as the wish to end. Call it in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    @property
    def asked(self) -> bool:
        """Whether it is time to end."""
        if self._signalled:
            self.stop.set()
        return self.stop.is_set()

    def pause(self, seconds: float) -> bool:
        """Sleeps, and tells whether it is time to end."""
        time.sleep(seconds)
        return self.asked

    def _note(self, number: int, frame: object) -> None:
        self._signalled = True


class Part(Protocol):
    """Something that serve keeps alive."""

    def mend(self) -> None:
        """Starts it again if it has ended by itself."""


@dataclass
class Child:
    """A role in a process of its own; after an end of its own it starts again, ever slower."""

    role: str
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    pause_s: float = 0.5
    due_s: float | None = None

    def start(self) -> None:
        """Starts the process; it ends with us."""
        self.started_s, self.due_s = time.monotonic(), None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cloud_api", "serve", "--role", self.role],
            env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prepared system call
        )  # fmt: skip

    def mend(self) -> None:
        """Starts it again a while after it ended."""
        now = time.monotonic()
        if self.due_s is not None:
            if now >= self.due_s:
                self.start()
        elif self.process is not None and (code := self.process.poll()) is not None:
            self.pause_s = 0.5 if now - self.started_s > STEADY_S else min(self.pause_s * 2, LONGEST_PAUSE_S)
            self.due_s = now + self.pause_s
            log.error("role %s ended with %s: starting it again in %.1f s", self.role, code, self.pause_s)

    def stop(self) -> None:
        """Asks it to end, and makes it."""
        if self.process is not None:
            end(self.process, CHILD_STOP_S, signal.SIGTERM, signal.SIGKILL)


@dataclass
class Server:
    """A server process of an embedded part (PostgreSQL, the broker), started again on the same port."""

    name: str
    part: Cluster | EmbeddedBroker
    tried_s: float = field(default_factory=time.monotonic)

    def mend(self) -> None:
        """Starts it again where it is gone; tries every other second."""
        process = self.part.process
        if (process is not None and process.poll() is None) or time.monotonic() - self.tried_s < 2:
            return
        log.error("the embedded %s is gone: starting it again", self.name)
        self.tried_s = time.monotonic()
        try:
            self.part.start()
        except CloudError as error:
            log.error("%s", error)
