"""Modbus sources: planned blocks over a shared connection, decoded; what a device refuses is narrowed down.

An exception about an address inside a block never costs more than the value at that address: the block is
halved until the culprit is found, the value is set aside by name, the rest goes on; it is tried again, ever
more slowly. Devices that say nothing instead of an exception are treated likewise, a few time-outs a scan.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from edge_agent.adapters.modbus_link import LinkDown, ModbusLink, Refused, UnitSilent, by_serial, by_tcp
from edge_agent.config.model import Config, ModbusRtuSource, ModbusRtuTcpSource, ModbusSource, Signal
from edge_agent.config.model import OpcUaSource as OpcUaSettings
from edge_agent.core.address import Register
from edge_agent.core.decode import Decode, Plain, bit_decoder, decoder, plain_of
from edge_agent.core.plan import TCP, Block, Limits, Medium, Span, plan, serial, silence_s
from edge_agent.core.refusals import DEVICE_FAILURE, ILLEGAL_FUNCTION, Learnt, halves, tells_of_address
from edge_agent.core.retry import Backoff
from edge_agent.ports import Clock, Group, Reading, Scan
from shared.sample import Quality

_log = logging.getLogger(__name__)

_AGAIN = Backoff(first_s=5.0, limit_s=60.0)
_STRIKES = 3
_SEARCH_TIMEOUTS = 8


def limits_of(source: ModbusSource) -> Limits:
    """What a source's config allows of a request."""
    return Limits(max_registers=source.max_registers, max_gap=source.max_gap, forbidden=source.forbidden)


def medium_of(source: ModbusSource) -> Medium:
    """What a request costs on the source's connection."""
    return serial(source.baud) if isinstance(source, ModbusRtuSource) else TCP


def span_of(signal: Signal, source: ModbusSource) -> Span:
    """Where a signal's value lies. Raises TypeError for a signal that has no register."""
    if not isinstance(signal.address, Register):
        raise TypeError(f"{signal.key} has a node, not a register")
    space = signal.address.space
    unit = source.unit if signal.modbus_unit is None else signal.modbus_unit
    return Span(unit, space, signal.address.address, 1 if space.is_bits else signal.layout.type.registers)


def scanners(config: Config, clock: Clock) -> list[ModbusScanner]:
    """A scanner for each Modbus source; those with the same host and port, or device, share one link."""
    links: dict[str, ModbusLink] = {}
    found = []
    for source in config.sources:
        if isinstance(source, OpcUaSettings):
            continue
        link = link_of(source, clock, random.random)
        link = links.setdefault(link.name, link)
        found.append(ModbusScanner(source, config.signals_of(source.name), link, clock))
    return found


def link_of(source: ModbusSource, clock: Clock, chance: Callable[[], float]) -> ModbusLink:
    """A connection of its own for a source; it touches no network before the first read."""
    pause_s = source.pause_us / 1e6
    if isinstance(source, ModbusRtuSource):
        dial = by_serial(source.device, source.baud, source.parity, source.stop_bits)
        pause_s = max(pause_s, silence_s(source.baud))
        return ModbusLink(source.device, dial, clock, chance, pause_s=pause_s, numbered=False)
    rtu = isinstance(source, ModbusRtuTcpSource)
    dial = by_tcp(source.host, source.port, rtu=rtu)
    return ModbusLink(f"{source.host}:{source.port}", dial, clock, chance, pause_s=pause_s, numbered=not rtu)


@dataclass(slots=True, eq=False)
class _Request:
    """A block, and its signals: the plain ones together, the others with their decoders.

    strikes, refusals: requests in a row without success.
    """

    block: Block
    plain: Plain | None
    decoders: list[tuple[int, Decode]]
    strikes: int = 0
    refusals: int = 0

    def signals(self) -> list[int]:
        """Indexes of all its signals."""
        return [*(self.plain.signals if self.plain else ()), *(index for index, _ in self.decoders)]


class ModbusScanner:
    """One source (ports.Scanner); sources on one connection share its link."""

    def __init__(
        self, source: ModbusSource, signals: Iterable[Signal], link: ModbusLink, clock: Clock
    ) -> None:
        self.name = source.name
        self.grace_us = source.grace_us
        self.link, self._clock = link, clock
        self._timeout_s = source.timeout_us / 1e6
        self._limits, self._medium = limits_of(source), medium_of(source)
        self._signals = {signal.index: signal for signal in signals}
        self._spans = {index: span_of(signal, source) for index, signal in self._signals.items()}
        link.expect(span.unit for span in self._spans.values())
        self._at: dict[Span, list[int]] = {}
        for index, span in self._spans.items():
            self._at.setdefault(span, []).append(index)
        self.groups = _groups(self._signals.values())
        self._learnt = Learnt()
        self._aside: dict[Span, str] = {}
        self._again_s, self._again_failures = 0.0, 0
        self._planned_for = self._learnt
        self._requests = self._plan()

    @property
    def connected(self) -> bool:
        """Whether there is a socket to the device now."""
        return self.link.connected

    def forbids(self, first: Register, count: int) -> bool:
        """Whether the config keeps everyone from one of ``count`` registers from ``first`` on."""
        return any(span.overlaps(first, count) for span in self._limits.forbidden)

    def blocks(self) -> list[tuple[Block, ...]]:
        """The requests of each group as they are planned now."""
        return [tuple(request.block for request in requests) for requests in self._requests]

    async def scan(self, place: int) -> Scan:
        """Read the group at this place: every block once, except those of devices that are silent."""
        scan = Scan()
        requests = list(self._requests[place])
        for number, request in enumerate(requests):
            try:
                await self._take(request, scan)
            except LinkDown as fault:
                for missed in requests[number:]:
                    _fail(scan, missed, str(fault))
                break
            except UnitSilent as fault:
                request.strikes += fault.asked
                _fail(scan, request, str(fault))
        else:
            await self._try_again(self.groups[place], scan)
        await self._search_silence(place, scan)
        self._finish(self.groups[place], scan)
        if self._learnt is not self._planned_for:
            self._requests = self._plan()
        return scan

    async def read(self, signals: Sequence[int]) -> list[Reading]:
        """Read these signals now, in requests of their own; what cannot be read is bad, with the reason."""
        scan, wanted = Scan(), set(signals)
        spans = {self._spans[index] for index in wanted}
        for block in plan(spans, self._medium, self._learnt.applied_to(self._limits)):
            request = self._compiled(block, wanted)
            try:
                await self._take(request, scan)
            except (LinkDown, UnitSilent) as fault:
                _fail(scan, request, str(fault))
        now_us = self._clock.now_us()
        found = {reading.signal: reading for reading in scan.readings}
        for index, why in scan.failed.items():
            found.setdefault(index, Reading(index, now_us, None, Quality.BAD, why=why))
        for span, why in self._aside.items():
            for index in wanted & set(self._at[span]):
                found.setdefault(index, Reading(index, now_us, None, Quality.BAD, why=why))
        return [found[index] for index in signals]

    async def close(self) -> None:
        """Drop the socket; another source that shares it connects again."""
        await self.link.close()

    async def _take(self, request: _Request, scan: Scan) -> None:
        mute = request.strikes >= _STRIKES - 1 and not self.link.is_silent(request.block.unit)
        timeout_s = self._timeout_s / 4 if mute else self._timeout_s
        if request.strikes >= _STRIKES and request.strikes % 2 and len(request.block.spans) > 1:
            await self._probe(request, timeout_s, scan)
            return
        try:
            data = await self.link.read(request.block, timeout_s)
        except Refused as fault:
            request.refusals += 1
            lasting = fault.code == DEVICE_FAILURE and request.refusals >= _STRIKES
            if lasting or tells_of_address(fault.code):
                await self._narrow(request, fault, scan)
            else:
                _fail(scan, request, f"{request.block}: {fault}")
            return
        request.strikes = request.refusals = 0
        self._decode(request, data, scan)

    async def _probe(self, request: _Request, timeout_s: float, scan: Scan) -> None:
        """Is it the device that is silent, or this block? One value alone tells."""
        spans = request.block.spans
        part = self._compiled(_alone(spans[request.strikes // 2 % len(spans)]))
        try:
            data = await self.link.read(part.block, timeout_s)
        except Refused as fault:
            _fail(scan, request, f"{part.block}: {fault}")
            return
        _fail(scan, request, f"{request.block}: no answer, while {part.block} is answered")
        self._decode(part, data, scan)

    def _decode(self, request: _Request, data: bytes, scan: Scan) -> None:
        now_us = self._clock.now_us()
        if (plain := request.plain) is not None:
            values = zip(plain.signals, plain.unpack(data), strict=True)
            scan.readings += [Reading(index, now_us, float(value)) for index, value in values]
        for index, decode in request.decoders:
            meant = decode(data)
            scan.readings.append(
                Reading(index, now_us, meant.value, meant.quality, meant.raw, None, meant.why)
            )

    async def _narrow(self, request: _Request, fault: Refused, scan: Scan) -> None:
        """Halve a refused block until every value in it is read or set aside."""
        parts = None if fault.code == ILLEGAL_FUNCTION else halves(request.block)
        if parts is None:
            self._set_aside(request.block, str(fault))
            return
        answered = 0
        for part in parts:
            half = self._compiled(part)
            try:
                data = await self.link.read(part, self._timeout_s)
            except Refused as again:
                await self._narrow(half, again, scan)
            except UnitSilent as silent:
                _fail(scan, half, str(silent))
            else:
                self._decode(half, data, scan)
                answered += 1
        if answered == len(parts):
            self._learnt = self._learnt.cut_between(*parts)

    async def _search_silence(self, place: int, scan: Scan) -> None:
        """Where a device answers other blocks and is silent on one: find the value that it is silent on.

        Bounded: after some time-outs what is left is searched at the next scan.
        """
        if not any(request.strikes for request in self._requests[place]):
            return
        heard = {self._spans[reading.signal].unit for reading in scan.readings}
        requests: list[_Request] = []
        patience = _SEARCH_TIMEOUTS
        for request in self._requests[place]:
            if not request.strikes or request.block.unit not in heard:
                requests.append(request)
                continue
            found, patience = await self._bisect_silence(request, patience, scan)
            requests += found
        self._requests[place] = requests

    async def _bisect_silence(
        self, request: _Request, patience: int, scan: Scan
    ) -> tuple[list[_Request], int]:
        """(what is to be asked for from now on, time-outs left)."""
        kept, waiting = [], [request]
        while waiting:
            one = waiting.pop(0)
            parts = halves(one.block)
            if parts is None and (one is not request or one.strikes >= _STRIKES):
                self._set_aside(one.block, "no answer for this address, while others are answered")
            elif parts is None or patience <= 0:
                kept.append(one)
            else:
                asked = [self._compiled(part) for part in parts]
                silent = [half for half in asked if not await self._answers(half, scan)]
                patience -= len(silent)
                waiting += [half for half in silent if half.strikes]
                kept += [half for half in silent if not half.strikes]
                if silent:
                    kept += [half for half in asked if half not in silent]
                elif one.strikes > 1:
                    self._learnt = self._learnt.cut_between(*parts)
                    kept += asked
                else:
                    one.strikes = 0
                    kept.append(one)
        return kept, patience

    async def _answers(self, half: _Request, scan: Scan) -> bool:
        """Ask for a part of a silent block, briefly; its strikes say whether it was silent itself."""
        unit = half.block.unit
        timeout_s = min(self._timeout_s, max(self._timeout_s / 4, 4 * self.link.slowest_s(unit)))
        try:
            data = await self.link.read(half.block, timeout_s, insist=True)
        except UnitSilent as fault:
            half.strikes = int(fault.asked)
            return False
        except LinkDown:
            return False
        except Refused as fault:
            await self._narrow(half, fault, scan)
            return True
        self._decode(half, data, scan)
        return True

    async def _try_again(self, group: Group, scan: Scan) -> None:
        """Now and then ask for what was set aside; where one answers, ask for the others at once."""
        now_s = self._clock.monotonic_s()
        if not self._aside or now_s < self._again_s:
            return
        aside = [span for index in group.signals if (span := self._spans[index]) in self._aside]
        if not aside:
            return
        first = self._again_failures % len(aside)
        for span in aside[first:] + aside[:first]:
            request = self._compiled(_alone(span))
            try:
                data = await self.link.read(request.block, self._timeout_s / 4)
            except (LinkDown, UnitSilent, Refused):
                self._again_s = now_s + _AGAIN.whole_s(self._again_failures)
                self._again_failures += 1
                return
            self._decode(request, data, scan)
            self._learnt = self._learnt.again(span)
            if self._aside.pop(span, None):
                self._again_failures = 0
                _log.info("%s: %s answers again", self.name, self._names(span))

    def _set_aside(self, block: Block, why: str) -> None:
        self._learnt = self._learnt.without(block.spans)
        self._again_failures = 0
        self._again_s = self._clock.monotonic_s() + _AGAIN.whole_s(0)
        for span in block.spans:
            self._aside[span] = f"{span}: {why}"
            _log.warning("%s: %s set aside: %s: %s", self.name, self._names(span), span, why)

    def _names(self, span: Span) -> str:
        """The signals at a place, each with its line in the config."""
        signals = (self._signals[index] for index in self._at[span])
        return ", ".join(f"{signal.key} ({signal.place})" for signal in signals)

    def _finish(self, group: Group, scan: Scan) -> None:
        """Every signal of the group is either read or failed."""
        if self._aside:
            for index in group.signals:
                if why := self._aside.get(self._spans[index]):
                    scan.failed.setdefault(index, why)
        if scan.failed:
            for reading in scan.readings:
                scan.failed.pop(reading.signal, None)

    def _plan(self) -> list[list[_Request]]:
        self._planned_for = self._learnt
        return [self._planned(group) for group in self.groups]

    def _planned(self, group: Group) -> list[_Request]:
        spans = {self._spans[index] for index in group.signals} - self._aside.keys()
        limits = self._learnt.applied_to(self._limits)
        return [self._compiled(block, group.signals) for block in plan(spans, self._medium, limits)]

    def _compiled(self, block: Block, only: Collection[int] | None = None) -> _Request:
        found = [
            (index, span.first - block.first, self._signals[index].layout, self._signals[index].meaning)
            for span in block.spans
            for index in self._at[span]
            if only is None or index in only
        ]
        if block.space.is_bits:
            bits = [(index, bit_decoder(meaning, place)) for index, place, _, meaning in found]
            return _Request(block, None, bits)
        plain = plain_of(found)
        rest = [each for each in found if plain is None or each[0] not in plain.signals]
        decoders = [(index, decoder(layout, meaning, place)) for index, place, layout, meaning in rest]
        return _Request(block, plain, decoders)


def _alone(span: Span) -> Block:
    return Block(span.unit, span.space, span.first, span.count, (span,))


def _groups(signals: Iterable[Signal]) -> tuple[Group, ...]:
    by_interval: dict[int, list[int]] = {}
    for signal in signals:
        by_interval.setdefault(signal.interval_us, []).append(signal.index)
    return tuple(Group(interval_us, tuple(found)) for interval_us, found in sorted(by_interval.items()))


def _fail(scan: Scan, request: _Request, why: str) -> None:
    for index in request.signals():
        scan.failed[index] = why
