"""What tools ask the running agent of a source that it holds: many devices take one connection only.

``{"ask": "registers", "source": S, "unit": 1, "space": "holding", "first": 100, "count": 4}`` gives
``{"data": HEX}``; ``{"ask": "node", "source": S, "node": "ns=2;s=..."}`` gives what is known of the node;
``{"ask": "raw", "source": S, "signals": [...]}`` gives what their nodes hold;
``{"ask": "browse", "source": S, "nodes": [...]}`` gives their children. Any of them may be refused.
"""

from __future__ import annotations

from typing import Any

from edge_agent.core.address import Register, Space
from edge_agent.core.node import parse_node
from edge_agent.core.plan import MOST_BITS, MOST_REGISTERS
from edge_agent.errors import AgentError
from edge_agent.loops.poll import PolledSource
from edge_agent.ports import Source

_SHORTEST_S = 0.2
"""A question may take a third of the grace of its source, so that no scan is lost by it; at least this."""
QUESTIONS = frozenset({"registers", "node", "raw", "browse"})


async def answered(source: Source, question: dict[str, Any]) -> Any:
    """The answer, from the connection that the source holds. Raises AgentError where it has none."""
    if question["ask"] == "registers":
        return {"data": (await _registers(source, question)).hex()}
    from edge_agent.adapters.opcua import OpcUa
    from edge_agent.adapters.opcua_browse import Explorer
    from edge_agent.adapters.opcua_probe import FAULTS, facts_of, held_by

    if not isinstance(source, OpcUa):
        raise AgentError("this is no OPC UA server", source.name, "give a register such as holding:100")
    if source.session is None:
        raise AgentError("not connected", source.name, "see edge-agent status")
    try:
        if question["ask"] == "node":
            return await facts_of(source.session.client, parse_node(question["node"]))
        if question["ask"] == "raw":
            wanted = set(question["signals"])
            return await held_by(source.session, [s for s in source.signals if s.key in wanted])
        return await Explorer(source.session.client).answer(question)
    except FAULTS as fault:
        raise AgentError(str(fault) or type(fault).__name__, source.name, "see edge-agent status") from None


async def _registers(source: Source, question: dict[str, Any]) -> bytes:
    from edge_agent.adapters.modbus import ModbusScanner
    from edge_agent.adapters.modbus_probe import registers_at

    if not isinstance(source, PolledSource) or not isinstance(source.scanner, ModbusScanner):
        raise AgentError("this is no Modbus device", source.name, "give a node such as ns=2;s=Press1.State")
    count = int(question["count"])
    first = Register(Space(question["space"]), int(question["first"]))
    most = MOST_BITS if first.space.is_bits else MOST_REGISTERS
    if not 1 <= count <= most:
        raise AgentError(f"{count} registers", source.name, f"ask for 1 to {most}")
    if source.scanner.forbids(first, count):
        mend = "see forbidden of the source"
        raise AgentError("the running config forbids one of these registers", f"{first}, {count}", mend)
    longest_s = max(_SHORTEST_S, source.scanner.grace_us / 1e6 / 3)
    timeout_s = min(longest_s, float(question.get("timeout_s", longest_s)))
    link, unit = source.scanner.link, int(question["unit"])
    return await registers_at(link, unit, first, count, timeout_s, gently=True)
