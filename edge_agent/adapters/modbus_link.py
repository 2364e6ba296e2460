"""One connection to a Modbus device or gateway: one request at a time, each answer for its own request.

Rules of this file: it reads (functions 1 to 4) and can do nothing else. After a time-out the socket is
dropped, so that a late answer meets nobody; serial frames carry no number, so that there its device is left
alone for as long again. A device that does not answer is asked seldom and briefly while its neighbours behind
the same gateway answer: they keep 95 of 100 scans. While the connection is down, one attempt to connect every
two seconds at most.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException

from edge_agent.core.address import Space
from edge_agent.core.plan import Block
from edge_agent.core.refusals import GATEWAY_PATH, GATEWAY_TARGET, name_of
from edge_agent.core.retry import Backoff
from edge_agent.errors import AgentError
from edge_agent.ports import Clock

_FUNCTIONS = {Space.COIL: 1, Space.DISCRETE: 2, Space.HOLDING: 3, Space.INPUT: 4}
_CONNECTING = Backoff(first_s=0.25, limit_s=2.0)
_SILENT_AMONG_OTHERS = Backoff(first_s=1.0, limit_s=30.0)
_SILENT_ALONE = Backoff(first_s=0.5, limit_s=2.0)
_SILENT_AFTER = 2
_BRIEF_S = 0.1
_BRIEF_UNNUMBERED_S = 0.2
_HALF_AT, _WHOLE_AT, _ROUND = 7, 15, 16
"""Of 16 attempts to hear a device that is silent among others, one lasts half the time-out, one all of it."""

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
"""What goes wrong is told here, once per change of state; the library would tell it at every request."""


Dial = Callable[[float], Any]
"""Makes an unconnected client of the library, given the time-out in seconds."""

_CLIENT = {"retries": 0, "reconnect_delay": 0, "reconnect_delay_max": 0}


def by_tcp(host: str, port: int, *, rtu: bool = False) -> Dial:
    """Modbus TCP; rtu: serial frames inside TCP, as converters send them."""
    framer = FramerType.RTU if rtu else FramerType.SOCKET
    return lambda timeout_s: AsyncModbusTcpClient(
        host, port=port, framer=framer, timeout=timeout_s, **_CLIENT
    )


def by_serial(device: str, baud: int, parity: str, stop_bits: int) -> Dial:
    """A serial line; parity: even, odd or none. Raises AgentError where the library for it is missing."""
    if find_spec("serial") is None:
        raise AgentError("no serial lines without pyserial", device, "pip install pyserial")
    return lambda timeout_s: AsyncModbusSerialClient(
        device,
        framer=FramerType.RTU,
        baudrate=baud,
        parity=parity[0].upper(),
        stopbits=stop_bits,
        timeout=timeout_s,
        **_CLIENT,
    )


class NoAnswer(Exception):
    """Nothing was read; the text says why."""


class LinkDown(NoAnswer):
    """There is no connection to the host at all."""


class UnitSilent(NoAnswer):
    """The device did not answer; or was not asked, because it has not answered lately."""

    def __init__(self, why: str, *, asked: bool = True) -> None:
        super().__init__(why)
        self.asked = asked


class Refused(NoAnswer):
    """The device answered with an exception."""

    def __init__(self, code: int) -> None:
        super().__init__(name_of(code))
        self.code = code


class _Unit:
    """What is known of one device behind the connection. strikes: requests in a row without an answer."""

    def __init__(self) -> None:
        self.strikes = 0
        self.next_try_s = 0.0
        self.slowest_s = 0.0
        self.answered_s = float("-inf")
        self.quiet_until_s = 0.0
        self.heard = False

    @property
    def silent(self) -> bool:
        return self.strikes >= _SILENT_AFTER


class ModbusLink:
    """A connection that sources with the same host and port share; it connects at the first read.

    chance: draws from [0, 1) for the jitter of pauses. pause_s: silence between an answer and the next
    request. numbered: each frame carries the number of its request (Modbus TCP).
    """

    def __init__(
        self,
        name: str,
        dial: Dial,
        clock: Clock,
        chance: Callable[[], float],
        *,
        pause_s: float = 0.0,
        numbered: bool = True,
    ) -> None:
        self.name = name
        self.connects = 0
        self.requests = 0
        self._dial, self._clock, self._chance = dial, clock, chance
        self._pause_s, self._numbered = pause_s, numbered
        self._spoke_s = float("-inf")
        self._turn = asyncio.Lock()
        self._client: Any = None
        self._units: dict[int, _Unit] = {}
        self._failures = 0
        self._next_connect_s = 0.0
        self._why_down = f"not connected to {self.name} yet"

    @property
    def connected(self) -> bool:
        """Whether there is a socket now."""
        return self._client is not None and bool(self._client.connected)

    def expect(self, units: Iterable[int]) -> None:
        """These devices are behind the connection: none of them may make the others wait for long."""
        for unit in units:
            self._units.setdefault(unit, _Unit())

    def is_silent(self, unit: int) -> bool:
        """Whether a device has not answered lately."""
        return unit in self._units and self._units[unit].silent

    def slowest_s(self, unit: int) -> float:
        """How long a device has lately taken to answer, at most; 0 where it has not."""
        return self._units[unit].slowest_s if unit in self._units else 0.0

    async def read(self, block: Block, timeout_s: float, *, insist: bool = False) -> bytes:
        """The block's bytes: two per register, most significant first; for a table of bits, one byte per bit.

        insist: ask also where the device has not answered lately. Raises LinkDown, UnitSilent or Refused.
        """
        unit = self._units.setdefault(block.unit, _Unit())
        self._refuse_in_vain(unit, block.unit, insist)
        async with self._turn:
            self._refuse_in_vain(unit, block.unit, insist)
            client = await self._open(timeout_s)
            await self._rest()
            began_s = self._clock.monotonic_s()
            try:
                return await self._exchange(client, block, unit, self._patience_s(unit, timeout_s))
            finally:
                unheard = unit.answered_s < began_s and not self._numbered
                unit.quiet_until_s = began_s + 2 * timeout_s if unheard else 0.0

    async def close(self) -> None:
        """Drop the socket; the next read connects again."""
        self._drop()

    def _refuse_in_vain(self, unit: _Unit, number: int, insist: bool) -> None:
        now_s = self._clock.monotonic_s()
        if not insist and unit.silent and now_s < unit.next_try_s:
            raise UnitSilent(f"unit {number} at {self.name} does not answer", asked=False)
        if now_s < unit.quiet_until_s:
            raise UnitSilent(f"unit {number} at {self.name} may still answer late", asked=False)
        if not self.connected and now_s < self._next_connect_s:
            raise LinkDown(self._why_down)

    async def _rest(self) -> None:
        """The silence that the medium or the device wants since the last answer."""
        rest_s = self._spoke_s + self._pause_s - self._clock.monotonic_s()
        if rest_s > 0:
            await asyncio.sleep(rest_s)

    def _patience_s(self, unit: _Unit, timeout_s: float) -> float:
        """The time-out; less where neighbours would have to wait for a device that may not answer.

        A device that is slow, and not silent, is heard in one of the longer attempts, and known from then on.
        """
        strange = not (unit.heard or unit.strikes) and len(self._units) > 1
        if not (strange or self._others_answer(unit)):
            return timeout_s
        if unit.strikes % _ROUND in (_HALF_AT, _WHOLE_AT):
            return timeout_s / (2 if unit.strikes % _ROUND == _HALF_AT else 1)
        brief = unit.silent or not (unit.heard or strange)
        least_s = self._brief_s(unit, timeout_s) if brief else timeout_s / 4
        return min(timeout_s, max(least_s, (2 if brief else 4) * unit.slowest_s))

    def _brief_s(self, unit: _Unit, timeout_s: float) -> float:
        """Enough for a device that is as quick as its neighbours.

        Frames without a number get more: a late answer would meet the request to a neighbour.
        """
        least_s = _BRIEF_S if self._numbered else max(_BRIEF_UNNUMBERED_S, timeout_s / 8)
        slowest_s = max((other.slowest_s for other in self._units.values() if other is not unit), default=0.0)
        return min(timeout_s / 4, max(least_s, 4 * slowest_s))

    async def _open(self, timeout_s: float) -> Any:
        if self.connected:
            return self._client
        self._drop()
        client = self._dial(timeout_s)
        try:
            opened = await client.connect()
        except OSError:
            opened = False
        if not opened:
            client.close()
            self._set_back(f"{self.name} takes no connection")
            raise LinkDown(self._why_down)
        client.ctx.trace_connect = _ends_waiting(client.ctx)
        self._client = client
        self.connects += 1
        return client

    async def _exchange(self, client: Any, block: Block, unit: _Unit, timeout_s: float) -> bytes:
        client.ctx.comm_params.timeout_connect = timeout_s
        began_s = self._clock.monotonic_s()
        self.requests += 1
        try:
            answer = await _ask(client, block)
        except (ConnectionError, ConnectionException) as fault:
            self._drop()
            self._set_back(f"{self.name} closed the connection")
            raise LinkDown(self._why_down) from fault
        except (ModbusException, TimeoutError) as fault:
            raise self._no_answer(unit, block.unit) from fault
        except BaseException:
            self._drop()
            raise
        self._spoke_s = self._clock.monotonic_s()
        took_s = self._spoke_s - began_s
        if took_s > timeout_s:
            raise self._no_answer(unit, block.unit)
        content = self._checked(answer, block, unit)
        unit.slowest_s = max(took_s, 0.95 * unit.slowest_s)
        return content

    def _checked(self, answer: Any, block: Block, unit: _Unit) -> bytes:
        """The content of an answer that is the answer to this request."""
        function = _FUNCTIONS[block.space]
        if answer.dev_id != block.unit or answer.function_code & 0x7F != function:
            raise self._no_answer(unit, block.unit)
        self._failures, unit.answered_s = 0, self._spoke_s
        code = int(answer.exception_code) if answer.isError() else 0
        if code in (GATEWAY_PATH, GATEWAY_TARGET):
            self._strike(unit)
            raise UnitSilent(f"unit {block.unit} at {self.name}: {name_of(code)}")
        unit.strikes, unit.heard = 0, True
        if code:
            raise Refused(code)
        if block.space.is_bits:
            if len(answer.bits) != -(-block.count // 8) * 8:
                raise self._no_answer(unit, block.unit)
            return bytes(answer.bits[: block.count])
        if len(answer.registers) != block.count:
            raise self._no_answer(unit, block.unit)
        return struct.pack(f">{block.count}H", *answer.registers)

    def _no_answer(self, unit: _Unit, number: int) -> UnitSilent:
        """No answer, or one to something else: nothing more that comes on this socket can be trusted."""
        self._drop()
        self._strike(unit)
        return UnitSilent(f"unit {number} at {self.name} did not answer in time")

    def _strike(self, unit: _Unit) -> None:
        unit.strikes += 1
        pauses = _SILENT_AMONG_OTHERS if self._others_answer(unit) else _SILENT_ALONE
        wait_s = pauses.wait_s(unit.strikes - _SILENT_AFTER, self._chance()) if unit.silent else 0.0
        unit.next_try_s = self._clock.monotonic_s() + wait_s

    def _others_answer(self, unit: _Unit) -> bool:
        return any(other.heard and other.strikes == 0 for other in self._units.values() if other is not unit)

    def _set_back(self, why: str) -> None:
        wait_s = _CONNECTING.wait_s(self._failures, self._chance())
        self._failures += 1
        self._next_connect_s = self._clock.monotonic_s() + wait_s
        self._why_down = why

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.ctx.trace_connect = client.ctx.dummy_trace_connect
            client.close()


async def _ask(client: Any, block: Block) -> Any:
    read = {
        Space.COIL: client.read_coils,
        Space.DISCRETE: client.read_discrete_inputs,
        Space.HOLDING: client.read_holding_registers,
        Space.INPUT: client.read_input_registers,
    }[block.space]
    return await read(block.first, count=block.count, device_id=block.unit)


def _ends_waiting(context: Any) -> Callable[[bool], None]:
    """A lost connection ends the wait for an answer at once, not only at the time-out."""

    def changed(connected: bool) -> None:
        if not connected and not context.response_future.done():
            context.response_future.set_exception(ConnectionResetError("connection lost"))
            context.response_future.exception()

    return changed
