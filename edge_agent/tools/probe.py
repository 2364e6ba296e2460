"""``probe``: one address in every type and order, before anyone writes it into a config.

Goes through the running agent where that holds the source.
"""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from edge_agent.config.model import ModbusSource, OpcUaSource
from edge_agent.core.address import Register, RegisterRange, parse_register
from edge_agent.core.node import NodeAddress, parse_node
from edge_agent.errors import AgentError
from edge_agent.ports import Clock
from edge_agent.tools.local_socket import Asking, connect
from edge_agent.tools.moments import shown
from edge_agent.tools.proposals import quoted
from edge_agent.tools.registers import bit_lines, lines, notations, register_rows, values
from edge_agent.tools.target import Target, modbus_of, opcua_of

_REGISTERS, _BITS = 4, 16
_MOST = 125


def probe(
    target: Target, address: str, clock: Clock, *, unit: int | None, count: int | None, as_json: bool
) -> int:
    """Print what stands at an address: a register in any notation, or a node.

    unit: of the Modbus device, where it is not the source's. count: registers; 4, or 16 bits, if None.
    """
    if "=" in address or isinstance(target.source, OpcUaSource):
        told = asyncio.run(_node(opcua_of(target), _parsed_node(address), target))
        print(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(_node_lines(told)))
        return 0 if told["quality"].startswith(("Good", "Uncertain")) else 1
    source = modbus_of(target)
    first = _parsed_register(address, source)
    number = _allowed(source, first, count or (_BITS if first.space.is_bits else _REGISTERS))
    device = source.unit if unit is None else unit
    data = asyncio.run(_registers(target, device, first, number, clock))
    head = f"{source.name} unit {device} {notations(first)}"
    if as_json:
        print(json.dumps(_as_json(first, data) | {"source": source.name, "unit": device}, ensure_ascii=False))
    elif first.space.is_bits:
        print("\n".join([head, "", *bit_lines(first, data)]))
    else:
        print("\n".join([head, "", *lines(first, data)]))
    return 0


def _parsed_node(text: str) -> NodeAddress:
    try:
        return parse_node(text)
    except ValueError as error:
        raise AgentError("no node", text, str(error)) from None


def _parsed_register(text: str, source: ModbusSource) -> Register:
    try:
        return parse_register(text, source.address_base)
    except ValueError as error:
        raise AgentError("no register", text, str(error)) from None


def _allowed(source: ModbusSource, first: Register, count: int) -> int:
    """So many registers as lie in the table and before what the config forbids."""
    if not 1 <= count <= _MOST:
        raise AgentError(f"{count} registers", "--count", f"ask for 1 to {_MOST}")
    count = min(count, 65536 - first.address)
    while count and any(_touches(span, first, count) for span in source.forbidden):
        count -= 1
    if not count:
        raise AgentError("the config forbids this register", str(first), "see forbidden of the source")
    return count


def _touches(span: RegisterRange, first: Register, count: int) -> bool:
    return span.overlaps(first, count)


def _asking(target: Target) -> Asking | None:
    """The running agent, where it holds the source."""
    return connect(target.config.buffer.path) if target.config is not None else None


async def _registers(target: Target, unit: int, first: Register, count: int, clock: Clock) -> bytes:
    source, asking = modbus_of(target), _asking(target)
    timeout_s = source.timeout_us / 1e6
    if asking is not None:
        with asking:
            question = {"ask": "registers", "source": source.name, "unit": unit, "timeout_s": timeout_s}
            place = {"space": str(first.space), "first": first.address, "count": count}
            return bytes.fromhex(asking.ask(question | place)["data"])
    from edge_agent.adapters.modbus import link_of
    from edge_agent.adapters.modbus_probe import registers_at

    link = link_of(source, clock, random.random)
    try:
        return await registers_at(link, unit, first, count, timeout_s)
    finally:
        await link.close()


async def _node(source: OpcUaSource, address: NodeAddress, target: Target) -> dict[str, Any]:
    asking = _asking(target)
    if asking is not None:
        with asking:
            told: dict[str, Any] = asking.ask({"ask": "node", "source": source.name, "node": str(address)})
            return told
    from edge_agent.adapters.opcua_probe import facts_of, session_with

    async with session_with(source) as session:
        return await facts_of(session.client, address)


def _as_json(first: Register, data: bytes) -> dict[str, Any]:
    told = {"register": str(first), "modicon": first.modicon}
    if first.space.is_bits:
        return told | {"bits": list(data)}
    return told | {"registers": register_rows(first, data), "values": values(data)}


def _node_lines(told: dict[str, Any]) -> list[str]:
    rows = [
        ("node", told["node"]),
        ("by index", told["by_index"]),
        ("name", told["display_name"] or told["browse_name"]),
        ("class", told["node_class"]),
        ("description", told["description"]),
        ("type", _type(told)),
        ("value", _cut(told["value"]) if told["node_class"] == "Variable" else None),
        ("quality", told["quality"] if told["node_class"] == "Variable" else None),
        ("source time", None if told["source_time_us"] is None else shown(told["source_time_us"])),
        ("server time", None if told["server_time_us"] is None else shown(told["server_time_us"])),
        (
            "readable",
            None if told["readable"] is None else ("yes" if told["readable"] else "not for this user"),
        ),
        ("sampling", f"at least {told['sampling_ms']:g} ms" if told["sampling_ms"] else None),
    ]
    found = [f"{name:<12}{value}" for name, value in rows if value is not None]
    if told["node_class"] == "Variable":
        found.append(f"{'config':<12}{{node: {quoted(told['node'])}}}")
    return found


def _type(told: dict[str, Any]) -> str | None:
    if told["type"] is None:
        return None
    array = "" if told["value_rank"] in (None, -1) else f", array {told['dimensions'] or ''}".rstrip()
    variant = f" ({told['variant']})" if told["variant"] not in (None, told["type"]) else ""
    return f"{told['type']}{variant}{array}"


def _cut(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
    return text if len(text) <= 200 else text[:200] + "..."
