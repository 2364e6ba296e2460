"""Sources that change all the time, durably to MQTT, counted by a judge outside: what is lost, what it costs.

Servers count all their items up once a second, or five times, and write down each count: node-opcua and
libmodbus, which are other stacks than the agent's, and a lean one of our own, which takes no CPU from the
agent. The agent, a process of its own, delivers to a broker; behind it every arrival of every item is counted
and acknowledged. CPU is that of the agent alone, its ratio is against the 40 s a million that were asked for.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.control import Status
from shared.sample import Sample
from tests.fault.chain.process import Process, python
from tests.integration.edge_delivery.brokers import mosquitto
from tests.integration.edge_delivery.cloud import AGENT, SITE, FakeCloud
from tests.peers.modbus import Peer as ModbusPeer
from tests.peers.modbus import peer as modbus_peer
from tests.peers.opcua import URI
from tests.peers.opcua import Peer as OpcUaPeer
from tests.peers.opcua import peer as opcua_peer

Peer = OpcUaPeer | ModbusPeer
SETTLE_S = 5.0
ASKED_CPU_S = 40.0
"""CPU seconds a million values. Others in memory: ThingsBoard Gateway 63, Node-RED 45; a plain script 80."""


@dataclass(frozen=True)
class Load:
    """interval: of the sources. sampling: of the OPC UA items, where it is another."""

    items: int
    seconds: float
    interval: str = "500 ms"
    sampling: str | None = None


def config(peers: Sequence[Peer], load: Load, broker: int, folder: Path) -> str:
    """All items of all peers; a machine for each peer."""
    items, interval = load.items, load.interval
    sampled = f", interval: {load.sampling}" if load.sampling else ""
    sources, machines = "", ""
    for at, one in enumerate(peers):
        if isinstance(one, OpcUaPeer):
            endpoint = f"opc.tcp://127.0.0.1:{one.port}/plant"
            sources += (
                f'  s{at}: {{type: opcua, endpoint: "{endpoint}", security: none, interval: {interval}}}\n'
            )
            tags = [
                f'      v{n}: {{node: "nsu={URI};s=v{n}", role: measure{sampled}}}\n' for n in range(items)
            ]
        else:
            host = f"host: 127.0.0.1, port: {one.port}"
            sources += f"  s{at}: {{type: modbus-tcp, {host}, interval: {interval}}}\n"
            tags = [
                f'      v{n}: {{register: "holding:{n}", type: uint16, role: measure}}\n'
                for n in range(items)
            ]
        machines += f"  m{at}:\n    line: l\n    source: s{at}\n    signals:\n" + "".join(tags)
    return (
        f"agent: {{id: {AGENT}, site: {SITE}}}\nuplink: {{url: mqtt://127.0.0.1:{broker}}}\n"
        f"buffer: {{path: {folder / 'buffer'}, max_size: 1 GiB}}\n"
        f"sources:\n{sources}machines:\n{machines}"
    )


async def measured(what: str, peers: Sequence[Peer], load: Load) -> int:
    """Run the agent against the peers and judge what arrives; the number of faults."""
    items, seconds = load.items, load.seconds
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        folder = Path(name)
        path = folder / "agent.yaml"
        path.write_text(config(peers, load, broker.port, folder), "utf-8")
        cloud = FakeCloud(broker.port)
        agent = Process("agent", python("-m", "edge_agent", "run", str(path)), folder)
        agent.start()
        try:
            wanted = items * len(peers)
            await until(lambda: len({s.signal for s in cloud.samples()}) >= wanted, 240)
            await asyncio.sleep(SETTLE_S)
            watched = psutil.Process(agent.pid)
            began_us, began_s, cpu = time.time_ns() // 1000, time.monotonic(), _cpu_s(watched)
            await asyncio.sleep(seconds)
            took_s, used_s, rss = time.monotonic() - began_s, _cpu_s(watched) - cpu, watched.memory_info().rss
            ended_us = time.time_ns() // 1000
            await asyncio.sleep(SETTLE_S)
            status: Status = cloud.statuses[-1]
        finally:
            agent.kill()
        samples = cloud.samples()
        cloud.close()
        live = sum(source.live for source in status.sources)
        faults = _told(what, peers, items, samples, (began_us, ended_us), (used_s, took_s, rss), live)
        if faults:
            sys.stdout.write(
                "".join(f"  {line}\n" for line in agent.said().splitlines() if "WARNING" in line)
            )
    return faults


def _told(
    what: str,
    peers: Sequence[Peer],
    items: int,
    samples: Sequence[Sample],
    span: tuple[int, int],
    cost: tuple[float, float, int],
    live: int,
) -> int:
    """Count every arrival of every item against what the servers wrote down.

    A count that reached no item at all is one that the server, or its machine, was too busy to let out.
    """
    by_signal: dict[int, list[float]] = {}
    for sample in samples:
        if sample.value is not None:
            by_signal.setdefault(sample.signal, []).append(float(sample.value))
    expected = lost = twice = of_all = 0
    for at, one in enumerate(peers):
        due = [value for time_us, value in one.truth() if span[0] <= time_us < span[1]]
        own = range(at * items, (at + 1) * items)
        of_all += items * len(set(due) - {value for signal in own for value in by_signal.get(signal, [])})
        for signal in own:
            arrived = by_signal.get(signal, [])
            counts = Counter(value for value, _ in itertools.groupby(arrived))
            expected += len(due)
            lost += sum(value not in counts for value in due)
            twice += sum(counts.get(value, 0) > 1 for value in due)
    used_s, took_s, rss = cost
    cpu_s = used_s / max(1, expected - lost) * 1e6
    cpu = f"{cpu_s:.1f} CPU s a million (ratio {cpu_s / ASKED_CPU_S:.2f})"
    at_once = f" ({of_all} by all items at once)" if of_all else ""
    sys.stdout.write(
        f"{what}: {expected / took_s:,.0f} changing values/s for {took_s:.0f} s: {lost} of {expected} lost"
        f"{at_once}, {twice} twice; health says {live} of {items * len(peers)} live\n"
        f"  agent {used_s / took_s:.0%} of a core, {cpu}, RSS {rss / 2**20:.0f} MiB\n"
    )
    return lost + twice + (live != items * len(peers))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def until(holds: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the first values did not arrive")
        await asyncio.sleep(0.5)


async def opcua(
    servers: int, load: Load, *, lean: bool = False, period_ms: int = 1000, name: str = ""
) -> int:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        peers = []
        for at in range(servers):
            (folder / str(at)).mkdir()
            made = opcua_peer(folder / str(at), lean=lean, items=load.items, period_ms=period_ms)
            peers.append(await stack.enter_async_context(made))
        stack_of = "lean" if lean else "node-opcua"
        return await measured(f"OPC UA{name}, {servers} x {load.items} items ({stack_of})", peers, load)


async def modbus(load: Load) -> int:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = modbus_peer(folder, registers=load.items, period_ms=1000)
        peers = [await stack.enter_async_context(made)]
        return await measured(f"Modbus, {load.items} registers", peers, load)


async def main(seconds: float) -> int:
    faults = await opcua(1, Load(1_000, seconds))
    faults += await opcua(1, Load(5_000, seconds), lean=True)
    faults += await opcua(2, Load(5_000, seconds), lean=True)
    five_hertz = Load(1_000, seconds, interval="1 s", sampling="200 ms")
    faults += await opcua(1, five_hertz, lean=True, period_ms=200, name=" at 5 Hz, published once a second")
    faults += await modbus(Load(20_000, seconds))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)))
