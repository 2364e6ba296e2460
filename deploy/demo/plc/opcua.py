"""The stamping line's PLC: an OPC UA server without security, for this machine only.

Nodes ``nsu=urn:plantledger:demo:stamping;s=Press1.State`` and so on; the index of the namespace is not to be
relied upon, and changes where a script says ``renumber``.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

from asyncua import Server, ua

from deploy.demo.catalogue import STATES
from deploy.demo.plant import Value
from deploy.demo.plc.clockwork import main, utc

URI = "urn:plantledger:demo:stamping"
_MACHINES = {"press-1": "Press1", "press-2": "Press2"}
_NODES: dict[str, tuple[str, ua.VariantType]] = {
    "state": ("State", ua.VariantType.UInt16),
    "good_count": ("Good", ua.VariantType.UInt32),
    "scrap_count": ("Scrap", ua.VariantType.UInt32),
    "product": ("Product", ua.VariantType.String),
    "order": ("Order", ua.VariantType.String),
    "reason": ("Reason", ua.VariantType.String),
    "crew": ("Crew", ua.VariantType.Byte),
    "energy": ("Energy", ua.VariantType.Double),
    "speed_override": ("Override", ua.VariantType.UInt16),
    "alarm": ("Alarm", ua.VariantType.Boolean),
    "measure:oil_temp": ("OilTemp", ua.VariantType.Double),
}


class OpcUaPlc:
    """A server that can be closed and opened again; values are kept meanwhile."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port or _free_port(host)
        self._server: Any = None
        self._nodes: dict[tuple[str, str], Any] = {}
        self._values: dict[tuple[str, str], Any] = {}

    async def open(self, *, renumbered: bool = False) -> int:
        """Listen; renumbered: with three other namespaces in front."""
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://{self._host}:{self._port}/plantledger/demo")
        server.set_server_name("Plantledger demo, stamping line")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        for number in range(3 if renumbered else 0):
            await server.register_namespace(f"urn:plantledger:demo:other:{number}")
        space = await server.register_namespace(URI)
        nodes: dict[tuple[str, str], Any] = {}
        for machine, folder in _MACHINES.items():
            parent = await server.nodes.objects.add_object(ua.NodeId(folder, space), folder)
            for role, (name, kind) in _NODES.items():
                value = self._values.get((machine, role), _data_value(_nothing(kind), kind))
                node_id = ua.NodeId(f"{folder}.{name}", space)
                node = await parent.add_variable(node_id, name, value.Value)
                await node.write_value(value)
                nodes[machine, role] = node
        await server.start()
        self._server, self._nodes = server, nodes
        return self._port

    async def close(self) -> None:
        """Stop listening and end all connections."""
        server, self._server, self._nodes = self._server, None, {}
        if server is not None:
            await server.stop()

    async def put(self, machine: str, role: str, value: Value) -> Value | None:
        """Write a node with a source time of now."""
        if role not in _NODES:
            return None
        kind = _NODES[role][1]
        told = _told(role, value, kind)
        self._values[machine, role] = data_value = _data_value(told, kind)
        node = self._nodes.get((machine, role))
        if node is not None:
            await node.write_value(data_value)
        return told


def _told(role: str, value: Value, kind: ua.VariantType) -> Any:
    if role == "state":
        return STATES.index(str(value))
    if kind is ua.VariantType.Boolean:
        return bool(value)
    if kind in (ua.VariantType.String, ua.VariantType.Double):
        return value
    return round(float(value))


def _nothing(kind: ua.VariantType) -> Any:
    if kind is ua.VariantType.String:
        return ""
    return 0.0 if kind is ua.VariantType.Double else kind is not ua.VariantType.Boolean and 0


def _data_value(value: Any, kind: ua.VariantType) -> Any:
    now = utc(time.time_ns() // 1000)
    return ua.DataValue(ua.Variant(value, kind), SourceTimestamp=now, ServerTimestamp=now)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    main("stamping", OpcUaPlc)
