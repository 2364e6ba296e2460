"""An agent's delivery in a process of its own, telling values until it is killed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.integration.edge_delivery.agent import running, uplink_to


async def speak(folder: Path, port: int, first: int) -> None:
    async with running(folder, uplink_to(port)) as agent:
        os.write(1, f"{agent.stream.hex()}\n".encode())
        value = first
        while True:
            value += 1
            agent.tell(float(value))
            await asyncio.sleep(0.01)
            safe = agent.buffer.state().committed
            os.write(1, f"{agent.told[-1][0]} {value} {safe}\n".encode())


if __name__ == "__main__":
    asyncio.run(speak(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
