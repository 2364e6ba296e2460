"""From a change in a PLC to the answer of the API, while five weeks of history are being backfilled.

A Modbus server flips the state of a machine at random moments; each flip is looked for in /v1/segments, and
in /v1/costs. Prints median and 99th percentile; the bar is 5 s at p99.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import struct
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

from tests.fault.chain.plc import modbus_reply
from tests.fault.chain.process import Process, free_port, python, wait_for

STATES = {1: "running", 2: "down"}
FLIPS = 120
SITE = "latency"

MODEL = f"""
site: {SITE}
time_zone: UTC
currency: EUR
calendar:
  shifts: [{{name: A, days: [mon, tue, wed, thu, fri, sat, sun], start: "00:00", end: "00:00"}}]
fiscal: {{pattern: calendar, year_start: 2026-01-01}}
labour: [{{from: 2020-01-01, standard: 30, actual: 30, overtime_multiplier: 1.5}}]
energy: [{{from: 2020-01-01, standard: 0.12, actual: 0.12}}]
lines:
  - id: one
    machines: [{{id: live, cost_centre: C, rate: [{{from: 2020-01-01, standard: 3600, actual: 3600}}]}}]
  - id: two
    machines:
""" + "".join(
    f"      - {{id: old-{n}, cost_centre: C, rate: [{{from: 2020-01-01, standard: 85, actual: 85}}]}}\n"
    for n in range(10)
)
AGENT = """
agent: {{id: gw, site: latency}}
uplink: {{url: {mqtt}}}
buffer: {{path: {buffer}, max_size: 64 MiB}}
sources:
  plc: {{type: modbus-tcp, host: 127.0.0.1, port: {port}, unit: 1, interval: 250 ms}}
machines:
  live:
    line: one
    source: plc
    signals:
      state: {{register: "holding:0", type: uint16, map: {{1: running, 2: down}}}}
"""


class Plc:
    """A Modbus server in a thread; register 0 is the state."""

    def __init__(self) -> None:
        self.registers = [1] + [0] * 15
        self.port = 0
        up = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(up)), daemon=True).start()
        up.wait()

    async def _serve(self, up: threading.Event) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    transaction, protocol, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                    body = await reader.readexactly(length - 1)
                    writer.write(modbus_reply(self.registers, transaction, protocol, unit, body))
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        up.set()
        await server.serve_forever()


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        running: list[Process] = []
        try:
            return measure(folder, running)
        finally:
            for process in reversed(running):
                process.kill()


def measure(folder: Path, running: list[Process]) -> int:
    plc = Plc()
    http_port = free_port()
    settings = {"PLANTLEDGER_DATA_DIR": str(folder / "cloud"), "PLANTLEDGER_HTTP_PORT": str(http_port)}
    url = f"http://127.0.0.1:{http_port}"
    (folder / "model").mkdir()
    (folder / "model" / "site.yaml").write_text(MODEL)
    (folder / "model" / "standards.csv").write_text(
        "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh\n"
        + "".join(f"P,old-{n},2020-01-01,2,2,0.02,0.01,30,1000,0.9,0.1\n" for n in range(10))
    )

    def start(label: str, *arguments: str) -> Process:
        process = Process(label, python("-m", *arguments), folder, settings)
        running.append(process)
        process.start()
        return process

    cloud = start("cloud", "cloud_api", "serve")
    wait_for("ready", lambda: ready(url), 60, cloud)
    load = start("load", "cloud_api", "load", str(folder / "model"))
    wait_for("loaded", lambda: not load.runs(), 60, load)
    mqtt = (folder / "cloud" / "broker.url").read_text().strip()
    (folder / "agent.yaml").write_text(AGENT.format(mqtt=mqtt, port=plc.port, buffer=folder / "buffer"))
    agent = start("agent", "edge_agent", "run", str(folder / "agent.yaml"))
    wait_for("the first segment", lambda: bool(segments(url)), 60, agent, cloud)
    history = folder / "history.csv"
    rows = write_history(history)
    backfill = start("backfill", "cloud_api", "backfill", "--site", SITE, str(history))
    in_segments, in_costs, during = [], [], 0
    chance = random.Random(1)
    for flip in range(FLIPS):
        time.sleep(chance.uniform(0.3, 0.8))
        busy = backfill.runs() or pending(url) > 2
        during += busy
        before = downtime(url)
        plc.registers[0] = state = 2 if plc.registers[0] == 1 else 1
        began = time.monotonic()
        flipped = datetime.now(UTC)
        wait_for("segment", partial(shows, url, flipped, STATES[state]), 60, agent, cloud)
        in_segments.append(time.monotonic() - began)
        if state == 2:
            wait_for("cost", partial(dearer, url, before), 60, agent, cloud)
            in_costs.append(time.monotonic() - began)
        if not busy and flip > 20:
            break
    report("in /v1/segments", in_segments)
    report("in /v1/costs", in_costs)
    sys.stdout.write(
        f"{during} of {len(in_segments)} flips while {rows:,} rows of history came in and were priced\n"
    )
    return 0


def report(what: str, delays_s: list[float]) -> None:
    ordered = sorted(delays_s)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    sys.stdout.write(f"{what:<18} median {statistics.median(ordered):.2f} s   p99 {p99:.2f} s   (bar 5 s)\n")


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def ask(url: str, path: str, **parameters: str) -> dict:  # type: ignore[type-arg]
    answer = httpx.get(f"{url}/v1/{path}", params={"site": SITE, **parameters}, timeout=60)
    answer.raise_for_status()
    return answer.json()  # type: ignore[no-any-return]


def today() -> str:
    return (datetime.now(UTC) - timedelta(hours=2)).isoformat()


def segments(url: str) -> list:  # type: ignore[type-arg]
    return ask(url, "segments", machine="live", **{"from": today()})["rows"]  # type: ignore[no-any-return]


def shows(url: str, since: datetime, state: str) -> bool:
    last = segments(url)[-1]
    began = datetime.fromisoformat(last["from"])
    return bool(last["state"] == state and began >= since - timedelta(seconds=1))


def dearer(url: str, before: float) -> bool:
    return downtime(url) > before


def downtime(url: str) -> float:
    rows = ask(url, "costs", machine="live", by="cause", **{"from": today()})["rows"]
    return sum(row["amount"] for row in rows if row["cause"] == "downtime")


def pending(url: str) -> int:
    return ask(url, "confidence")["pending_hours"]  # type: ignore[no-any-return]


def write_history(file: Path) -> int:
    """Ten machines, five weeks, a state change and two counter samples every two minutes."""
    began = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(weeks=5)
    rows = 0
    with file.open("w", encoding="utf-8") as out:
        out.write("time,machine,role,value\n")
        for n in range(10):
            out.write(f"{began.isoformat()},old-{n},product,P\n")
            for minute in range(0, 5 * 7 * 24 * 60, 2):
                at = (began + timedelta(minutes=minute)).isoformat()
                state = "down" if minute % 14 == 0 else "running"
                for role, value in (("state", state), ("good_count", minute * 25), ("scrap_count", minute)):
                    out.write(f"{at},old-{n},{role},{value}\n")
                    rows += 1
    return rows


if __name__ == "__main__":
    sys.exit(main())
