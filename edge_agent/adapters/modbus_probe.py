"""Registers as they are, for the tools: through a link of their own, or the one of a running source."""

from __future__ import annotations

from edge_agent.adapters.modbus_link import LinkDown, ModbusLink, Refused, UnitSilent
from edge_agent.core.address import Register
from edge_agent.core.plan import Block, Span
from edge_agent.core.refusals import tells_of_address
from edge_agent.errors import AgentError


async def registers_at(
    link: ModbusLink, unit: int, first: Register, count: int, timeout_s: float, *, gently: bool = False
) -> bytes:
    """As many of ``count`` registers from ``first`` on as the device gives, at least one: two bytes each, or
    one byte per bit of a table of bits.

    gently: a device that says nothing is not asked again, for others wait for this link. Raises AgentError
    where it gives none.
    """
    where = f"{link.name} unit {unit} {first}"
    try:
        while True:
            try:
                return await link.read(_block(unit, first, count), timeout_s)
            except Refused as fault:
                if count == 1 or not tells_of_address(fault.code):
                    mend = "compare unit, table and address with the device's list; some count from 1"
                    raise AgentError(f"the device refuses ({fault})", where, mend) from None
                count //= 2
            except UnitSilent as fault:
                if gently or count == 1:
                    mend = "check unit, address and wiring; some devices say nothing to a wrong address"
                    raise AgentError(str(fault), where, mend) from None
                count = 1
    except LinkDown as fault:
        mend = "check address, port and firewall, and whether another client takes the only connection"
        raise AgentError(str(fault), where, mend) from None


def _block(unit: int, first: Register, count: int) -> Block:
    span = Span(unit, first.space, first.address, count)
    return Block(unit, first.space, first.address, count, (span,))
