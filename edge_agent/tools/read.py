"""``read``: each signal as it is now, before anything is deployed; through the running agent where there is
one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from edge_agent.config.load import load_valid
from edge_agent.config.model import Config
from edge_agent.errors import AgentError
from edge_agent.ports import Clock, Reading, Source
from edge_agent.tools.local_socket import Asking, connect
from edge_agent.tools.reading import Row, complete, inputs_of, rows, shown, table

WATCH_S = 1.0
Build = Callable[[Config, Clock], Sequence[Source]]
Once = Callable[[], Awaitable[list[Row]]]


def read(file: Path, clock: Clock, build: Build, *, watch: bool, as_json: bool, only: str | None) -> int:
    """Print every signal of a config, or those whose key holds ``only``; 1 where one of them could not be
    read.
    """
    config = load_valid(file)
    keys = [value.key for value in shown(config) if only is None or only in value.key]
    if not keys:
        raise AgentError(
            "no signal fits", str(only), "choose a part of machine.signal, as check and plan show them"
        )
    asking = connect(config.buffer.path)
    if asking is None:
        return asyncio.run(_direct(config, clock, build, keys, watch=watch, as_json=as_json))
    with asking:
        return asyncio.run(_shown(_asked(asking, keys), watch=watch, as_json=as_json))


def _asked(asking: Asking, keys: Sequence[str]) -> Once:
    async def once() -> list[Row]:
        found: list[Row] = await asyncio.to_thread(asking.ask, {"ask": "read", "signals": list(keys)})
        return found

    return once


async def _direct(
    config: Config, clock: Clock, build: Build, keys: Sequence[str], *, watch: bool, as_json: bool
) -> int:
    """Without an agent: connections of our own, closed at the end."""
    wanted = set(inputs_of(config, keys))
    sources = {source.name: source for source in build(config, clock)}
    plan = {
        name: {signal.index: signal.key for signal in config.signals_of(name) if signal.key in wanted}
        for name in sources
    }

    async def one(name: str) -> dict[str, Reading]:
        readings = await sources[name].read(list(plan[name]))
        return {plan[name][reading.signal]: reading for reading in readings}

    async def once() -> list[Row]:
        found = await asyncio.gather(*(one(name) for name in sources if plan[name]))
        read_now = {key: reading for part in found for key, reading in part.items()}
        return rows(config, complete(config, read_now), clock.now_us(), keys)

    try:
        return await _shown(once, watch=watch, as_json=as_json)
    finally:
        for source in sources.values():
            await source.close()


async def _shown(once: Once, *, watch: bool, as_json: bool) -> int:
    """Print once, or each second until Ctrl-C."""
    while True:
        found = await once()
        if as_json:
            print("\n".join(json.dumps(row, ensure_ascii=False) for row in found), flush=True)
        else:
            start = "\x1b[H\x1b[J" if watch and sys.stdout.isatty() else ""
            print(start + "\n".join(table(found)), flush=True)
        if not watch:
            return int(any(row["quality"] == "bad" for row in found))
        await asyncio.sleep(WATCH_S)
