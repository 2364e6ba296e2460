"""How long an answer takes over a year of fifty machines, against the bare sum of the same rows."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psycopg

from tests.bench.timing import timed
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant

MACHINES = 50
CAUSES = "'production','scrap','rework','speed_loss','downtime','changeover','waiting','idle','usage','price'"
YEAR = "from=2025-01-01&to=2026-01-01&site=tiny"
ASKED = (
    ("costs by cause, a year", f"/v1/costs?{YEAR}&by=cause"),
    ("costs by period and cause, a year", f"/v1/costs?{YEAR}&by=period,cause"),
    ("costs by machine, a year", f"/v1/costs?{YEAR}&by=machine"),
    ("costs by cause, a month", "/v1/costs?from=2025-06-01&to=2025-07-01&site=tiny&by=cause"),
    ("variances by cause, three days", "/v1/variances?from=2026-03-02&to=2026-03-05&site=tiny&by=cause"),
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        try:
            for url in servers.new_database("plain", servers.template):
                told(url, "tiny", write_plant(Path(folder)), [write_history(Path(folder))])
                rows = fill(url)
                print_table(url, rows)
        finally:
            servers.stop()
    return 0


def fill(url: str) -> int:
    """A year of daily sums of fifty machines, twenty a day, beside what the shop has; the rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "insert into machines (site, machine, line, place) "
            f"select 'tiny', 'bench-' || i, 'bench', i from generate_series(1, {MACHINES}) i".encode()
        )
        connection.execute(
            "insert into entry_days "
            "select 'tiny', machine_id, day, 'P' || extract(doy from day)::int % 4, "
            f"(array['machine','labour','energy','material'])[1 + k % 4], (array[{CAUSES}])[1 + k % 10], "
            "'h', 1234.567890123456 + k, 0.5, 24 "
            "from machines, generate_series(0, 19) k, "
            "generate_series('2025-01-01'::date, '2025-12-31', '1 day') day "
            "where machine like 'bench-%'".encode()
        )
        connection.execute(b"vacuum analyze entry_days")
        found = connection.execute("select count(*) from entry_days").fetchone()
        return int(found[0]) if found else 0


def print_table(url: str, rows: int) -> None:
    with psycopg.connect(url) as connection:
        query = "select cause, sum(amount) from entry_days group by 1"
        bare = timed(lambda: connection.execute(query).fetchall())
    sys.stdout.write(f"{rows:,} daily sums of {MACHINES} machines\n")
    sys.stdout.write(f"{'bare sum by cause in the database':<36}{bare * 1000:>9.0f} ms      1.0 x\n")
    with served(url) as address, client(address) as http:
        for name, path in ASKED:
            assert http.get(path).status_code == 200
            took = timed(lambda path=path: http.get(path))
            sys.stdout.write(f"{name:<36}{took * 1000:>9.0f} ms {took / bare:>8.1f} x\n")


if __name__ == "__main__":
    sys.exit(main())
