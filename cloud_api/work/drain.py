"""One process of a crew: interprets marked hours until none is left that it can serve, or it is asked to end.

The address of the database comes on standard input, so that no list of processes shows its password."""

from __future__ import annotations

import signal
import sys

from cloud_api.store import pool
from cloud_api.work.worker import Worker


def main() -> int:
    """Works on the machines named by their ids; where none is named, on the history of any."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.append(number))
    url = sys.stdin.read().strip()
    machines = frozenset(int(word) for word in sys.argv[1:]) or None
    with pool.connect(url, name="crew", autocommit=True) as connection:
        Worker(url).drain(connection, machines, lambda: bool(asked), past_only=machines is None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
