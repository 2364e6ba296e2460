"""An OPC UA server of the tests, in this process or in one that can be frozen."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import Server, ua

from edge_agent.adapters.opcua import OpcUa
from edge_agent.config.model import OpcUaSource, Security, Signal
from tests.integration.edge_sources.parts import RealClock

URI = "urn:tests:plant"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Plant:
    """The server and its variables by name; write() sets one with a source time of now."""

    server: Any
    port: int
    nodes: dict[str, Any] = field(default_factory=dict)
    ahead: timedelta = timedelta()

    @property
    def endpoint(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/plant"

    async def write(self, name: str, value: Any, *, status: int = 0, at: datetime | None = None) -> None:
        moment = at or datetime.now(UTC) + self.ahead
        await self.nodes[name].write_value(
            ua.DataValue(
                ua.Variant(value, await self.nodes[name].read_data_type_as_variant_type()),
                ua.StatusCode(status),
                SourceTimestamp=moment,
                ServerTimestamp=moment,
            )
        )


@contextlib.asynccontextmanager
async def plant(
    values: dict[str, Any], *, port: int = 0, spaces_before: int = 0, prepare: Any = None
) -> AsyncIterator[Plant]:
    """A server on a free (or the given) port; spaces_before shifts the index of its namespace."""
    server = Server()
    await server.init()
    made = Plant(server, port or free_port())
    server.set_endpoint(made.endpoint)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    if prepare is not None:
        await prepare(server)
    for number in range(spaces_before):
        await server.register_namespace(f"urn:tests:other{number}")
    space = await server.register_namespace(URI)
    for name, value in values.items():
        made.nodes[name] = await server.nodes.objects.add_variable(ua.NodeId(name, space), name, value)
    await server.start()
    try:
        yield made
    finally:
        await server.stop()


def opcua_source(port: int, *, security: Security | None = None, **wishes: Any) -> OpcUaSource:
    interval_us = wishes.pop("interval_us", 100_000)
    given = {"timeout_us": 2_000_000, "grace_us": 3 * interval_us, **wishes}
    return OpcUaSource(
        index=0,
        name="plc",
        interval_us=interval_us,
        endpoint=f"opc.tcp://127.0.0.1:{port}/plant",
        host="127.0.0.1",
        port=port,
        path="/plant",
        security=security,
        **given,
    )


def opcua(port: int, signals: list[Signal], clock: RealClock | None = None, **wishes: Any) -> OpcUa:
    return OpcUa(opcua_source(port, **wishes), signals, clock or RealClock())
