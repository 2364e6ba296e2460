"""Processes that interpret a backlog beside this one: of `recompute`, and of `serve` after much history.

Machines are claimed turn by turn, so that any number of them work together. A process that is asked to end
does so at the end of its turn; one that fails leaves its marks to the others."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from threading import Event
from typing import Self

from psycopg import Error

from cloud_api.errors import CloudError
from cloud_api.store import pool
from cloud_api.store.children import end_with_parent
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us
from cloud_api.work.turn import live_from
from cloud_api.work.worker import utc_now

WORTH_HOURS = 2000
"""A backlog of fewer machine-hours is not worth the start of a process."""
LOOK_S = 10.0
"""Rest between two looks at the backlog."""
END_S = 10.0
"""A process that was asked to end is given so long for its turn."""

log = logging.getLogger("plantledger.interpret")


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0))


class Crew:
    """Some processes that serve marks until none is left that they can serve."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._begun: list[subprocess.Popen[str]] = []

    def begin(self, parts: Sequence[Sequence[int]]) -> None:
        """A process for each part: the machines (ids) that it works on; none named: on the history of any.
        The address of the database goes in by standard input, so that no list of processes shows it."""
        for machines in parts:
            process = subprocess.Popen(
                [sys.executable, "-m", "cloud_api.work.drain", *map(str, machines)],
                stdin=subprocess.PIPE, text=True, start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prepared system call
            )  # fmt: skip
            self._begun.append(process)
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError), process.stdin as line:
                line.write(self._url)

    def is_busy(self) -> bool:
        """Whether one of them still works."""
        self._begun = [process for process in self._begun if process.poll() is None]
        return bool(self._begun)

    def wait(self) -> None:
        """Waits until all have ended by themselves."""
        for process in self._begun:
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Asks those that still work to end, and makes them."""
        for process in self._begun:
            process.terminate()
        for process in self._begun:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def relieve(url: str, processes: int, stop: Event) -> None:
    """Until `stop` is set: keeps so many processes at work whenever a backlog is worth it."""
    with Crew(url) as crew:
        while processes > 0 and not stop.wait(LOOK_S):
            if not crew.is_busy() and _is_long(url):
                log.info("a backlog of history: %d more processes interpret it", processes)
                crew.begin([()] * processes)


def _is_long(url: str) -> bool:
    before = {"before": from_us(live_from(utc_now())), "most": WORTH_HOURS}
    try:
        with pool.connect(url, name="backlog", autocommit=True) as connection:
            found = connection.execute(statement("work.backlog"), before).fetchone()
    except (Error, CloudError):
        return False
    return found is not None and found[0] >= WORTH_HOURS
