"""Signals that no subscription reports, read on a grid: so configured, or the server takes no more items."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from edge_agent.adapters.opcua_told import Told
from edge_agent.adapters.opcua_watch import SubscriptionWatch
from edge_agent.config.model import Signal
from edge_agent.core.evidence import EVIDENCE_AT_LEAST_US, Instant
from edge_agent.core.schedule import next_due_s

_log = logging.getLogger(__name__)
Read = Callable[[Sequence[Signal]], Awaitable[dict[int, Told]]]


@dataclass(slots=True)
class _Group:
    """witness: its name among those who prove that the source was watched; None for a slow one.

    late: reading it takes longer than its interval, as was told.
    """

    interval_us: int
    signals: list[Signal]
    witness: str | None
    late: bool = False


class Polls:
    """The polled signals of one session, in groups of one interval.

    alone: there is no subscription, what is read is the only evidence. scan_us: how long it took to read all.
    """

    def __init__(self, signals: Sequence[Signal], *, alone: bool, grace_us: int, scan_us: int) -> None:
        self._grace_us, self._scan_us = grace_us, scan_us
        by_interval: dict[int, list[Signal]] = {}
        for signal in signals:
            by_interval.setdefault(signal.interval_us, []).append(signal)
        fastest_us = min(by_interval, default=0)
        self._groups: list[_Group] = []
        for own_us, group in sorted(by_interval.items()):
            interval_us = min(own_us, EVIDENCE_AT_LEAST_US) if alone and own_us == fastest_us else own_us
            quick = interval_us <= EVIDENCE_AT_LEAST_US
            self._groups.append(_Group(interval_us, group, f"polled {interval_us}" if quick else None))
        self.indexes = frozenset(signal.index for signal in signals)

    def limits_us(self) -> Mapping[str, int]:
        """By witness, the longest time between two of its scans."""
        return {
            group.witness: max(self._grace_us, group.interval_us * 5 // 4 + 150_000) + 3 * self._scan_us
            for group in self._groups
            if group.witness is not None
        }

    async def run(self, read: Read, watch: SubscriptionWatch, now: Callable[[], Instant]) -> None:
        """Read until cancelled. Raises what a read raises; a time-out only once it lasts beyond the grace."""
        if not self._groups:
            return
        began = now()
        due_s = [began.at_s + group.interval_us / 1e6 for group in self._groups]
        last = [began] * len(self._groups)
        while True:
            place = min(range(len(due_s)), key=due_s.__getitem__)
            await asyncio.sleep(max(0.0, due_s[place] - now().at_s))
            group, asked = self._groups[place], now()
            try:
                values = await read(group.signals)
            except TimeoutError:
                if now().at_s - last[place].at_s > self._grace_us / 1e6:
                    raise
            else:
                done = now()
                watch.answered(group.signals, values, last[place].at_us, done, group.witness)
                last[place] = done
                _tell_if_late(group, done.at_s - asked.at_s)
            due_s[place] = next_due_s(began.at_s, group.interval_us / 1e6, now().at_s)


def _tell_if_late(group: _Group, took_s: float) -> None:
    """Once, until it is in time again."""
    late = took_s > group.interval_us / 1e6
    if late and not group.late:
        what = f"{len(group.signals)} polled signals from {group.signals[0].key} on"
        _log.warning(
            "%s: reading them takes %.1f s: choose a longer interval for them, or fewer", what, took_s
        )
    group.late = late
