"""How fast figures are computed again: ninety days of a plant that says three things a minute, and one late
hour that changes nothing after it.

Fifty machines take minutes, so a tenth is measured unless FULL=1 is set; no machine depends on another. CPU
seconds are those of all processes, the server's too: on a busy machine the clock tells little. The obvious
limit is to copy the segments that were written, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg

from cloud_api.ingest.backfill import backfill
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from cloud_api.work.recompute_command import run
from cloud_api.work.worker import Worker
from tests.conftest import Servers

ALL, DAYS = 50, 90
MACHINES = ALL if os.environ.get("FULL") else ALL // 10
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
BAR_S, LATE_BAR_S, CORES = 300.0, 1.0, 2
SITE = """\
site: mill
time_zone: Europe/Berlin
currency: EUR
calendar:
  shifts:
    - {name: A, days: [mon, tue, wed, thu, fri, sat, sun], start: "06:00", end: "14:00"}
    - {name: B, days: [mon, tue, wed, thu, fri, sat, sun], start: "14:00", end: "22:00"}
    - {name: C, days: [mon, tue, wed, thu, fri, sat, sun], start: "22:00", end: "06:00"}
labour: [{from: 2026-01-01, standard: 30, actual: 30, overtime_multiplier: 1.5}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - id: one
    machines:
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        servers = Servers(folder)
        try:
            for url in servers.new_database("plain", servers.template):
                samples = fill(url, folder)
                measure(url, folder, samples, servers)
        finally:
            servers.stop()
    return 0


def fill(url: str, folder: Path) -> int:
    """A state change and two counter samples a minute of each machine; the number of samples."""
    plant = folder / "mill"
    plant.mkdir()
    machines = [f"m{number:02}" for number in range(MACHINES)]
    rate = "rate: [{from: 2026-01-01, standard: 100, actual: 100}]"
    rows = "".join(f"      - {{id: {machine}, cost_centre: C, {rate}}}\n" for machine in machines)
    (plant / "site.yaml").write_text(SITE + rows, encoding="utf-8")
    header = (
        "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,"
    )
    cards = "".join(f"P,{machine},2026-01-01,20,2,0.02,0,20,400,0.9,0.1\n" for machine in machines)
    (plant / "standards.csv").write_text(f"{header}energy_kwh\n{cards}", encoding="utf-8")
    with connect(url) as connection:
        load_directory(connection, plant)
    first = folder / "first.csv"
    signals = (("state", "running"), ("product", "P"), ("good_count", "0"), ("scrap_count", "0"))
    said = [f"{BEGIN.isoformat()},{m},{role},{value}\n" for m in machines for role, value in signals]
    first.write_text("time,machine,role,value\n" + "".join(said), encoding="utf-8")
    backfill(url, "mill", [first])
    return _pour(url)


def _pour(url: str) -> int:
    end = BEGIN + timedelta(days=DAYS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            b"select ensure_sample_partitions(array(select generate_series(%s::timestamptz, %s, '1 day')))",
            (BEGIN, end),
        )
        done = connection.execute(
            "insert into samples (time, series_id, value, text, quality, origin, received_at) "
            "select at, series_id, "
            "case when role like '%%count' then extract(epoch from at - %(begin)s) / 60 end, "
            "case role when 'state' then "
            "(array['running','down'])[1 + (extract(epoch from at)::bigint / 60) %% 2] end, "
            "0, 1, now() "
            "from generate_series(%(begin)s::timestamptz + '1 minute', %(end)s, '1 minute') at, series "
            "where role in ('state', 'good_count', 'scrap_count')",
            {"begin": BEGIN, "end": end},
        )
        connection.execute("update machine_spans set last_sample = %s", (end,))
        connection.execute(b"vacuum analyze samples")
        return done.rowcount


def measure(url: str, folder: Path, samples: int, servers: Servers) -> None:
    say = sys.stdout.write
    begin, spent = time.monotonic(), cpu_s(servers)
    run(url, site="mill", say=lambda line: None, complain=print)
    took, spent = time.monotonic() - begin, cpu_s(servers) - spent
    whole, work = took * ALL / MACHINES, spent * ALL / MACHINES
    say(f"{MACHINES} machines, {DAYS} days, {samples:,} samples: {took:.1f} s, {spent:.1f} s of CPU\n")
    say(
        f"{samples / took:,.0f} samples a second; {ALL} machines {whole:.0f} s, "
        f"{whole / BAR_S:.2f} of the bar\n"
    )
    share = work / CORES / BAR_S
    say(
        f"{samples / spent:,.0f} samples a CPU second; {ALL} machines {work:.0f} s of CPU, "
        f"{share:.2f} of the bar on {CORES} cores that have nothing else to do\n"
    )
    begin = cpu_s(servers)
    copy_segments(url)
    bare = cpu_s(servers) - begin
    say(f"raw COPY of its segments: {bare:.1f} s of CPU; recompute {spent / bare:.1f} x\n")
    late = folder / "late.csv"
    minute = DAYS // 2 * 24 * 60 + 1
    middle = (BEGIN + timedelta(minutes=minute, seconds=30)).isoformat()
    late.write_text(f"time,machine,role,value\n{middle},m00,good_count,{minute}\n", encoding="utf-8")
    backfill(url, "mill", [late])
    begin = time.monotonic()
    with connect(url, autocommit=True) as connection:
        Worker(url).drain(connection)
    took = time.monotonic() - begin
    say(f"one late hour: {took:.2f} s, {took / LATE_BAR_S:.2f} of the bar\n")


def copy_segments(url: str) -> None:
    """What was written last of all, once more into a bare table."""
    with psycopg.connect(url) as connection, tempfile.TemporaryFile() as file:
        with connection.cursor().copy("copy segments to stdout") as out:
            for block in out:
                file.write(block)
        file.seek(0)
        connection.execute("create temporary table bare (like segments)")
        with connection.cursor().copy("copy bare from stdin") as into:
            while block := file.read(1 << 16):
                into.write(block)


def cpu_s(servers: Servers) -> float:
    """CPU seconds of this process, of those that it began, and of the server."""
    own = os.times()
    assert servers.cluster is not None
    assert servers.cluster.process is not None
    server, used = psutil.Process(servers.cluster.process.pid), 0.0
    for child in server.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            used += sum(child.cpu_times()[:2])
    return sum(own[:4]) + used + sum(server.cpu_times()[:4])


if __name__ == "__main__":
    sys.exit(main())
