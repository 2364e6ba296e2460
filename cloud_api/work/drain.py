"""One process of `recompute`: interprets marked hours of some machines. The address of the database comes on
standard input, so that no list of processes shows its password."""

from __future__ import annotations

import sys

from cloud_api.store import pool
from cloud_api.work.worker import Worker


def main() -> int:
    """Works on the machines named by their ids until none of their marks is left that it can serve."""
    url = sys.stdin.read().strip()
    machines = [int(word) for word in sys.argv[1:]]
    with pool.connect(url, name="recompute", autocommit=True) as connection:
        Worker(url).drain(connection, machines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
