"""``read --record``: what the devices hold, row by row, as ``edge-agent test`` replays it.

Registers are kept as they come, before any order of bytes or words, so that a test covers the decoding, too.
Goes through the running agent where that holds the sources.
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from edge_agent.adapters.modbus import limits_of, link_of, medium_of, span_of
from edge_agent.adapters.modbus_probe import registers_at
from edge_agent.config.load import load_valid
from edge_agent.config.model import Config, ModbusSource, OpcUaSource, Signal, Source
from edge_agent.core.address import Register
from edge_agent.core.plan import Block, plan
from edge_agent.errors import AgentError
from edge_agent.ports import Clock
from edge_agent.tools.local_socket import Asking, connect
from edge_agent.tools.moments import shown

COLUMNS = ("time", "tag", "raw", "quality")
Found = tuple[str, str, str]
"""Tag, raw, quality."""
Look = Callable[[], Awaitable[list[Found]]]
Registers = Callable[[Block], Awaitable[bytes]]
Held = Callable[[], Awaitable[dict[str, dict[str, Any]]]]


def record(file: Path, out: Path, clock: Clock, *, only: str | None, watch: bool) -> int:
    """Write one look at every tag, or with watch one each interval until Ctrl-C; only what changed then.

    1 where a tag could not be read. Raises AgentError.
    """
    config = load_valid(file)
    signals = [
        value
        for value in (*config.signals, *config.tags)
        if value.address is not None and (only is None or only in value.key)
    ]
    if not signals:
        raise AgentError("no tag fits", str(only), "choose a part of machine.signal, as plan shows them")
    try:
        with out.open("x", encoding="utf-8", newline="") as opened:
            table = csv.writer(opened, lineterminator="\n")
            table.writerow(COLUMNS)
            return asyncio.run(_record(config, signals, clock, table, opened.flush, watch=watch))
    except OSError as error:
        raise AgentError(f"cannot be written ({error.strerror})", str(out), "choose another file") from None


async def _record(
    config: Config,
    signals: Sequence[Signal],
    clock: Clock,
    table: Any,
    flush: Callable[[], None],
    *,
    watch: bool,
) -> int:
    pause_s = min(source.interval_us for source in config.sources) / 1e6
    last: dict[str, tuple[str, str]] = {}
    async with AsyncExitStack() as stack:
        asking = connect(config.buffer.path)
        if asking is not None:
            stack.enter_context(asking)
        looks = [
            await _look(source, [s for s in signals if s.source == source.name], clock, asking, stack)
            for source in config.sources
        ]
        while True:
            for look in looks:
                at = shown(clock.now_us())
                for key, raw, quality in await look():
                    if last.get(key) != (raw, quality):
                        last[key] = (raw, quality)
                        table.writerow((at, key, raw, quality))
            flush()
            if not watch:
                bad = sum(quality != "good" for _, quality in last.values())
                print(f"{len(last)} tags recorded, {bad} of them bad")
                return int(bad > 0)
            await asyncio.sleep(pause_s)


async def _look(
    source: Source, signals: Sequence[Signal], clock: Clock, asking: Asking | None, stack: AsyncExitStack
) -> Look:
    """A function that reads the tags of one source now; what it opens is closed with the stack."""
    if isinstance(source, OpcUaSource):
        held = await _held(source, signals, asking, stack)
        return lambda: _nodes(signals, held)
    registers = _registers(source, clock, asking, stack)
    return lambda: _blocks(source, signals, registers)


def _registers(source: ModbusSource, clock: Clock, asking: Asking | None, stack: AsyncExitStack) -> Registers:
    timeout_s = source.timeout_us / 1e6
    if asking is not None:
        question = {"ask": "registers", "source": source.name, "timeout_s": timeout_s}

        async def asked(block: Block) -> bytes:
            place = {
                "unit": block.unit,
                "space": str(block.space),
                "first": block.first,
                "count": block.count,
            }
            return bytes.fromhex(asking.ask(question | place)["data"])

        return asked
    link = link_of(source, clock, random.random)
    stack.push_async_callback(link.close)
    return lambda block: registers_at(
        link, block.unit, Register(block.space, block.first), block.count, timeout_s
    )


async def _blocks(source: ModbusSource, signals: Sequence[Signal], registers: Registers) -> list[Found]:
    at: dict[Any, list[Signal]] = {}
    for signal in signals:
        at.setdefault(span_of(signal, source), []).append(signal)
    found: list[Found] = []
    for block in plan(at.keys(), medium_of(source), limits_of(source)):
        try:
            data = await registers(block)
        except AgentError:
            data = b""
        for span in block.spans:
            width = 1 if span.space.is_bits else 2
            start = (span.first - block.first) * width
            part = data[start : start + span.count * width]
            whole = len(part) == span.count * width
            raw = _words(part, bits=span.space.is_bits) if whole else ""
            found += [(signal.key, raw, "good" if whole else "bad") for signal in at[span]]
    return found


def _words(part: bytes, *, bits: bool) -> str:
    if bits:
        return str(part[0])
    return " ".join(f"0x{part[at]:02X}{part[at + 1]:02X}" for at in range(0, len(part), 2))


async def _held(
    source: OpcUaSource, signals: Sequence[Signal], asking: Asking | None, stack: AsyncExitStack
) -> Held:
    """A function that gives ``{value, quality}`` by key."""
    if asking is not None:
        question = {"ask": "raw", "source": source.name, "signals": [signal.key for signal in signals]}

        async def asked() -> dict[str, dict[str, Any]]:
            told: dict[str, dict[str, Any]] = asking.ask(question)
            return told

        return asked
    from edge_agent.adapters.opcua_probe import held_by, session_with

    session = await stack.enter_async_context(session_with(source, signals))
    return lambda: held_by(session, signals)


async def _nodes(signals: Sequence[Signal], held: Held) -> list[Found]:
    values = await held() if signals else {}
    found: list[Found] = []
    for signal in signals:
        told = values.get(signal.key, {"value": None, "quality": "Bad"})
        good = told["quality"].startswith(("Good", "Uncertain")) and told["value"] is not None
        quality = "bad" if not good else "good" if told["quality"].startswith("Good") else "uncertain"
        found.append((signal.key, json.dumps(told["value"], ensure_ascii=False) if good else "", quality))
    return found
