"""Servers and devices in a thread of their own, so that commands can be called beside them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from asyncua import Server, ua

from tests.integration.edge_sources.server import URI, free_port

T = TypeVar("T")
_PACE = "interval: 100 ms, timeout: 30 s"


@contextlib.contextmanager
def in_thread(made: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """An async context, kept open by an event loop in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(made.__aenter__(), loop).result(60)
    finally:
        asyncio.run_coroutine_threadsafe(made.__aexit__(None, None, None), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


@contextlib.asynccontextmanager
async def hall(machines: int, tags: int, *, prepare: Any = None) -> AsyncIterator[str]:
    """A server with so many machines of so many tags each; the endpoint."""
    server = Server()
    await server.init()
    endpoint = f"opc.tcp://127.0.0.1:{free_port()}/hall"
    server.set_endpoint(endpoint)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    if prepare is not None:
        await prepare(server)
    space = await server.register_namespace(URI)
    for number in range(machines):
        name = f"Press{number}"
        press = await server.nodes.objects.add_object(ua.NodeId(name, space), name)
        await press.add_variable(ua.NodeId(f"{name}.State", space), "State", 1)
        await press.add_variable(ua.NodeId(f"{name}.Product", space), "Product", "A-1")
        await press.add_variable(ua.NodeId(f"{name}.Curve", space), "Curve", [1.0, 2.0])
        axes = await press.add_folder(ua.NodeId(f"{name}.Axes", space), "Axes")
        for tag in range(tags):
            await axes.add_variable(ua.NodeId(f"{name}.T{tag}", space), f"OilTemp{tag}", 0.5 + tag)
    await server.start()
    try:
        yield endpoint
    finally:
        await server.stop()


def opcua_config(endpoint: str, signals: str = 'state: {node: "ns=2;s=Press0.State"}') -> str:
    """A config whose source ``plc`` is this server."""
    return (
        "agent: {id: gw-1, site: bench}\n"
        'uplink: {url: "mqtt://127.0.0.1:9"}\n'
        "buffer: {path: ./buffer, max_size: 16 MiB, reserve: 0 B}\n"
        f'sources: {{plc: {{type: opcua, endpoint: "{endpoint}", security: none, {_PACE}}}}}\n'
        f"machines: {{press-0: {{line: l, source: plc, signals: {{{signals}}}}}}}\n"
    )


def modbus_config(port: int, more: str = "") -> str:
    """A config whose source ``plc`` is this Modbus device."""
    return (
        "agent: {id: gw-1, site: bench}\n"
        'uplink: {url: "mqtt://127.0.0.1:9"}\n'
        "buffer: {path: ./buffer, max_size: 16 MiB, reserve: 0 B}\n"
        f"sources: {{plc: {{type: modbus-tcp, host: 127.0.0.1, port: {port}, {_PACE}{more}}}}}\n"
        "machines: {press-1: {line: l, source: plc, signals: {v: {register: 'holding:100', type: uint16}}}}\n"
    )
