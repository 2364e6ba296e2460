"""`edge-agent browse` on 50,000 nodes, against the plain script that asks for one node's children at a time.

    .venv/bin/python -m tests.bench.browse

The plain script looks at a tenth of the hall; its time is scaled up.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from asyncua import Client, ua

from edge_agent.tools.browse import Look, space_of, walk
from edge_agent.tools.target import Typed, target_of
from tests.integration.edge_tools.devices import hall

MACHINES, TAGS = 500, 95
NODES = MACHINES * (5 + TAGS)


def main() -> int:
    asyncio.run(_measure())
    return 0


async def _measure() -> None:
    async with _server() as endpoint:
        rows = [
            ("plain script, one node a call", *(await _plain(endpoint))),
            ("browse", *(await _ours(endpoint, Look()))),
            ("browse --values", *(await _ours(endpoint, Look(values=True)))),
        ]
    slowest = rows[0][2]
    sys.stdout.write(f"{'':<32}{'nodes':>8}{'seconds':>10}{'nodes/s':>10}{'ratio':>8}\n")
    for name, nodes, seconds in rows:
        sys.stdout.write(
            f"{name:<32}{nodes:>8}{seconds:>10.1f}{nodes / seconds:>10.0f}{slowest / seconds:>8.1f}\n"
        )


async def _ours(endpoint: str, look: Look) -> tuple[int, float]:
    began = time.monotonic()
    async with space_of(target_of(endpoint, Typed(timeout_s=10.0)), look.under) as space:
        found = [each.node async for each in walk(space, look)]
    taken = time.monotonic() - began
    hall_nodes = [node for node in found if node.startswith("nsu=")]
    assert len(hall_nodes) == len(set(hall_nodes)) == NODES, len(hall_nodes)
    return NODES, taken


async def _plain(endpoint: str) -> tuple[int, float]:
    async with Client(endpoint, timeout=10) as client:
        space = await client.get_namespace_index("urn:tests:plant")
        began, count = time.monotonic(), 0
        for machine in range(MACHINES // 10):
            todo = [client.get_node(ua.NodeId(f"Press{machine}", space))]
            while todo:
                node = todo.pop()
                count += 1
                todo += await node.get_children()
        taken = time.monotonic() - began
    assert count * 10 == NODES, count
    return NODES, taken * 10


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    """The hall in a process of its own."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(here.recv)
    finally:
        here.send("end")
        await asyncio.to_thread(process.join, 30)


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        async with hall(MACHINES, TAGS) as endpoint:
            pipe.send(endpoint)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())


if __name__ == "__main__":
    sys.exit(main())
