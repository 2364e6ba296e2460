"""Polls a source that answers when asked: scans by interval, and what the scans prove.

A scan mark spans only what was watched: from scan to scan, while nothing failed for longer than the grace and
neither the process nor a clock stood still or jumped in between. A signal that fails beyond the grace becomes
bad, dated at its last good scan; a source of which everything fails is lost, dated likewise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from edge_agent.core.evidence import EVIDENCE_AT_LEAST_US, Instant, break_between
from edge_agent.core.schedule import next_due_s
from edge_agent.ports import Clock, Group, Reading, Scan, Scanner, Sink, Source
from shared.control import SourceStatus
from shared.sample import Quality

_log = logging.getLogger(__name__)

_RETRY_S = 2.0
_AGAIN_AFTER_FAULT_S = 5.0


class Watch:
    """What the scans of one source prove; tells it to the sink. Times come in, no clock is read."""

    def __init__(self, name: str, grace_us: int, groups: Sequence[Group], sink: Sink, began: Instant) -> None:
        self._name, self._grace_us, self._sink, self._began = name, grace_us, sink, began
        self._signals = frozenset(signal for group in groups for signal in group.signals)
        fastest_us = min((group.interval_us for group in groups), default=EVIDENCE_AT_LEAST_US)
        self._limit_us = max(grace_us, fastest_us * 5 // 4 + 150_000)
        self._places = frozenset(range(len(groups)))
        self._owes_full = set(self._places)
        self._last_good: dict[int, Instant] = {}
        self._failing: dict[int, str] = {}
        self._told: set[int] = set()
        self._alive: Instant | None = None
        self._marked_us: int | None = None
        self.lost = False
        self.reason: str | None = None

    @property
    def last_scan_us(self) -> int | None:
        """When anything was last read, microseconds UTC."""
        return self._alive.at_us if self._alive else None

    def live(self) -> int:
        """Signals that answer."""
        return 0 if self.lost else len(self._last_good.keys() - self._failing.keys())

    def take(self, place: int, scan: Scan, now: Instant) -> None:
        """One scan of the group at this place, which ended now."""
        if scan.readings:
            self._prove(now)
            self._note_good(scan, now)
        self._failing.update(scan.failed)
        self.reason = next(iter(self._failing.values()), None)
        if scan.readings:
            self._deliver(place, scan)
        elif self._failing.keys() >= self._signals:
            self._give_up_after_grace(now)
        if not self.lost:
            self._tell_failed(now)
        if scan.readings and self._failing.keys() <= self._told:
            self._mark(now)

    def _prove(self, now: Instant) -> None:
        """Values have come: was the source watched since those before?"""
        why = break_between(self._alive, now, self._limit_us) if self._alive and not self.lost else None
        if why is not None:
            self._lose(why, now)
        if self.lost or self._alive is None:
            self._marked_us = None
            self._owes_full = set(self._places)
        if self.lost:
            _log.info("%s is back", self._name)
        self._alive, self.lost = now, False

    def _note_good(self, scan: Scan, now: Instant) -> None:
        for reading in scan.readings:
            self._last_good[reading.signal] = now
            self._failing.pop(reading.signal, None)
            self._told.discard(reading.signal)
        if self._marked_us is None:
            self._marked_us = min(reading.time_us for reading in scan.readings)

    def _deliver(self, place: int, scan: Scan) -> None:
        self._sink.readings(self._name, scan.readings, full=place in self._owes_full)
        self._owes_full.discard(place)

    def _give_up_after_grace(self, now: Instant) -> None:
        last = self._alive or self._began
        if not self.lost and now.at_s - last.at_s > self._grace_us / 1e6:
            self._lose(self.reason or "no answer", now)

    def _lose(self, why: str, now: Instant) -> None:
        last = self._alive or self._began
        self._sink.lost(self._name, min(last.at_us, now.at_us), why)
        self._told |= self._signals
        self.lost = True
        _log.warning("%s is lost: %s", self._name, why)

    def _tell_failed(self, now: Instant) -> None:
        """Signals that failed for longer than the grace while others of the source answer."""
        bad = []
        for signal in sorted(self._failing.keys() - self._told):
            last = self._last_good.get(signal)
            if now.at_s - (last or self._began).at_s <= self._grace_us / 1e6:
                continue
            at_us = min(last.at_us, now.at_us) if last else now.at_us
            bad.append(Reading(signal, at_us, None, Quality.BAD, why=self._failing[signal]))
        if bad:
            self._told |= {reading.signal for reading in bad}
            self._sink.readings(self._name, bad)

    def _mark(self, now: Instant) -> None:
        marked_us, self._marked_us = self._marked_us, now.at_us
        if marked_us is not None and now.at_us > marked_us:
            self._sink.scanned(self._name, marked_us, now.at_us)


class PolledSource:
    """A source (ports.Source) made of a scanner: one task, each group on its own grid."""

    def __init__(self, scanner: Scanner, clock: Clock) -> None:
        self.name = scanner.name
        self.scanner, self._clock = scanner, clock
        self._configured = sum(len(group.signals) for group in scanner.groups)
        self._watch: Watch | None = None

    async def run(self, sink: Sink) -> None:
        """Scan until cancelled."""
        groups = self.scanner.groups
        if not groups:
            await asyncio.Event().wait()
        began = self._now()
        watch = self._watch = Watch(self.name, self.scanner.grace_us, groups, sink, began)
        intervals_s = _intervals_s(groups)
        due_s = [began.at_s] * len(groups)
        try:
            while True:
                place = min(range(len(due_s)), key=due_s.__getitem__)
                await asyncio.sleep(max(0.0, due_s[place] - self._clock.monotonic_s()))
                scan = await self.scanner.scan(place)
                end_if_cancelled()
                now = self._now()
                watch.take(place, scan, now)
                due_s[place] = next_due_s(began.at_s, intervals_s[place], now.at_s)
                if not scan.readings:
                    due_s[place] = min(due_s[place], now.at_s + _RETRY_S)
        finally:
            await self.scanner.close()

    async def read(self, signals: Sequence[int]) -> list[Reading]:
        """One direct read now, between the scans."""
        return await self.scanner.read(signals)

    async def close(self) -> None:
        """Let go of the connection."""
        await self.scanner.close()

    def health(self) -> SourceStatus:
        """Configured against live signals, connection, last scan, first reason."""
        watch = self._watch
        return SourceStatus(
            name=self.name,
            configured=self._configured,
            live=watch.live() if watch else 0,
            connected=self.scanner.connected,
            last_scan_us=watch.last_scan_us if watch else None,
            reason=watch.reason if watch else None,
        )

    def _now(self) -> Instant:
        return Instant(self._clock.now_us(), self._clock.monotonic_s())


def end_if_cancelled() -> None:
    """Raises CancelledError where a request to end was swallowed, as asyncio.wait_for of Python 3.11 may."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _intervals_s(groups: Sequence[Group]) -> list[float]:
    """Seconds between scans; the fastest group is also the evidence that the source is there."""
    fastest_us = min(group.interval_us for group in groups)
    return [
        (
            min(group.interval_us, EVIDENCE_AT_LEAST_US)
            if group.interval_us == fastest_us
            else group.interval_us
        )
        / 1e6
        for group in groups
    ]


async def run_sources(sources: Sequence[Source], sink: Sink, clock: Clock) -> None:
    """Run every source in a task of its own until cancelled; a fault of one never ends another."""
    async with asyncio.TaskGroup() as tasks:
        for source in sources:
            tasks.create_task(_kept_running(source, sink, clock), name=f"source {source.name}")


async def _kept_running(source: Source, sink: Sink, clock: Clock) -> None:
    while True:
        try:
            await source.run(sink)
        except Exception:
            _log.exception("%s: fault in the agent's own code: the source starts again", source.name)
        end_if_cancelled()
        sink.lost(source.name, source.health().last_scan_us or clock.now_us(), "source starts again")
        await asyncio.sleep(_AGAIN_AFTER_FAULT_S)
