"""What both simulated PLCs share: playing the plant in real time, writing down the truth, failing on demand.

A script is a comma-separated row of AT:WHAT[:SECONDS], AT in seconds since the start: ``20:freeze:5`` stops
the whole process from answering, ``40:gone:10`` closes the server and all connections, ``60:renumber``
closes it and comes back at once with other namespace indexes (OPC UA; the same as ``gone:0`` for Modbus).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from deploy.demo.plant import SECOND, Event, Plant, Stories, Value, day_of, start_us

KINDS = ("freeze", "gone", "renumber")


@dataclass(frozen=True, slots=True)
class Mishap:
    """at_s: seconds after the start. lasts_s: until it is over."""

    at_s: float
    kind: str
    lasts_s: float


class Server(Protocol):
    """A PLC's server: takes values at any time, also while it is closed."""

    async def open(self, *, renumbered: bool = False) -> int:
        """Listen; the port. Values that came before are there at once."""

    async def close(self) -> None:
        """Stop listening and end all connections."""

    async def put(self, machine: str, role: str, value: Value) -> Value | None:
        """A signal takes a value; returns it as it can be read, None where the PLC has no such signal."""


class Truth:
    """Append-only log of every change: ``{"t_us": ..., "signal": "machine.role", "value": ...}``."""

    def __init__(self, file: Path | None) -> None:
        self._out = file.open("a", encoding="utf-8", buffering=1) if file else None

    def write(self, machine: str, role: str, value: Value) -> None:
        """The value can be read from now on."""
        if self._out is not None:
            line = {"t_us": time.time_ns() // 1000, "signal": f"{machine}.{role}", "value": value}
            self._out.write(json.dumps(line) + "\n")


def parse_script(text: str) -> list[Mishap]:
    """Read a script. Raises ValueError for what is none."""
    mishaps = []
    for part in filter(None, text.split(",")):
        at, kind, *lasts = part.strip().split(":")
        if kind not in KINDS or len(lasts) > 1:
            raise ValueError(f"{part!r} is not AT:WHAT[:SECONDS] with WHAT one of {', '.join(KINDS)}")
        mishaps.append(Mishap(float(at), kind, float(lasts[0]) if lasts else 0.0))
    return sorted(mishaps, key=lambda mishap: mishap.at_s)


def main(line: str, make: Callable[[str, int], Server], argv: Sequence[str] | None = None) -> None:
    """The program of one PLC: serves one line of the plant until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog=f"python -m deploy.demo.plc.{'opcua' if line == 'stamping' else 'modbus'}",
        description=f"A simulated PLC of the {line} line. First line of output: listening HOST PORT.",
        epilog="example: --port 4840 --log truth.jsonl --script 20:freeze:5,40:gone:10",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="which plant")
    parser.add_argument("--speed", type=float, default=1.0, help="plant seconds per second")
    parser.add_argument("--log", type=Path, help="file for the log of truth, JSON lines")
    parser.add_argument("--script", type=parse_script, default=[], help="mishaps: AT:WHAT[:SECONDS],...")
    options = parser.parse_args(argv)
    server = make(options.host, options.port)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_serve(line, server, options))


async def _serve(line: str, server: Server, options: argparse.Namespace) -> None:
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    truth = Truth(options.log)

    async def put(event: Event) -> None:
        value = await server.put(event.machine, event.role, event.value)
        if value is not None:
            truth.write(event.machine, event.role, value)

    began_us = time.time_ns() // 1000
    clockwork = Clockwork(Plant(Stories(day_of(began_us)), options.seed), line, began_us, options.speed)
    for event in clockwork.as_it_stands():
        await put(event)
    port = await server.open()
    sys.stdout.write(f"listening {options.host} {port}\n")
    sys.stdout.flush()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(clockwork.play(put))
            tasks.create_task(_fail(server, options.script))
    finally:
        await server.close()


async def _fail(server: Server, script: Sequence[Mishap]) -> None:
    began_s = time.monotonic()
    for mishap in script:
        await asyncio.sleep(max(0.0, began_s + mishap.at_s - time.monotonic()))
        if mishap.kind == "freeze":
            time.sleep(mishap.lasts_s)  # noqa: ASYNC251 - nothing in this process may answer meanwhile
            continue
        await server.close()
        await asyncio.sleep(mishap.lasts_s)
        await server.open(renumbered=mishap.kind == "renumber")


class Clockwork:
    """The plant's day, played from now on. Where it is not in a shift, it works all the same until the next.

    speed: plant seconds per second.
    """

    def __init__(self, plant: Plant, line: str, began_us: int, speed: float = 1.0) -> None:
        self._plant, self._line, self._began_us, self._speed = plant, line, began_us, speed
        self._day = day_of(began_us)
        self._events = plant.day(line, self._day, self._extra()).events

    def _extra(self) -> list[tuple[int, int]]:
        """Work from now to the next shift, or to the end of the day."""
        if self._plant.works_at(self._line, self._began_us):
            return []
        ends = start_us(self._day + timedelta(days=1))
        minute = 60 * SECOND
        until = self._began_us
        while until < ends and not self._plant.works_at(self._line, until):
            until += minute - until % minute
        return [(self._began_us, min(until, ends))]

    def as_it_stands(self) -> list[Event]:
        """The last value of each signal now."""
        last = {
            (event.machine, event.role): event for event in self._events if event.time_us <= self._began_us
        }
        return list(last.values())

    async def play(self, put: Callable[[Event], Awaitable[None]]) -> None:
        """Every change from now on, at its time, for ever."""
        after_us = self._began_us
        while True:
            for event in self._events:
                if event.time_us > after_us:
                    await self._until(event.time_us)
                    await put(event)
            after_us = 0
            self._day += timedelta(days=1)
            await self._until(start_us(self._day))
            self._events = self._plant.day(self._line, self._day).events

    async def _until(self, plant_us: int) -> None:
        at_us = self._began_us + (plant_us - self._began_us) / self._speed
        await asyncio.sleep(max(0.0, (at_us - time.time_ns() / 1000) / SECOND))


def utc(time_us: int) -> datetime:
    """A moment as the servers want it."""
    return datetime.fromtimestamp(time_us / SECOND, UTC)
