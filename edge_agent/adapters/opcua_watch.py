"""What publish responses and reads of one session tell, and what they prove.

Every response, keep-alives among them, is evidence that the server is there and has reported all changes; a
mark spans from one to the next. A response that is missing in the sequence, evidence that stays out, a
process that was stopped or a clock that was set ends the session: what lies between is then not taken for
watched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asyncua import ua

from edge_agent.adapters.opcua_session import SessionLost, Subscribed
from edge_agent.adapters.opcua_told import Changes, Told
from edge_agent.adapters.opcua_values import Dating, overflowed, reading_of
from edge_agent.config.model import Signal
from edge_agent.core.evidence import Instant, Witnesses
from edge_agent.ports import Reading, Sink
from shared.sample import Quality

_log = logging.getLogger(__name__)


PUBLISHED = "published"
"""Name of the subscription among those who prove that the source was watched."""


class SubscriptionWatch:
    """One session: its subscription, where it has one, and what is read beside it.

    last: newest value by signal index. live: signals whose newest value is not bad. overflows: values
    that the server dropped, as far as it told.
    """

    def __init__(
        self,
        name: str,
        signals: Mapping[int, Signal],
        dating: Dating,
        sink: Sink,
        now: Callable[[], Instant],
        end: Callable[[str], None],
    ) -> None:
        self._name, self._signals, self._dating, self._sink = name, signals, dating, sink
        self._now, self._end = now, end
        self._began_us = now().at_us
        self._ended = False
        self._reported: set[int] = set()
        self._sequence: int | None = None
        self._witnesses: Witnesses | None = None
        self.limit_us = 10_000_000
        self.publishing_s = 1.0
        self.last: dict[int, Told] = {}
        self.live: set[int] = set()
        self.overflows = 0
        self._slowest_us = {index: self._slowest(signal) for index, signal in signals.items()}

    @property
    def evidence(self) -> Instant | None:
        """Until when the source is proven to have been watched; None before all items are there."""
        return self._witnesses.until if self._witnesses is not None else None

    def begin(self, granted: Subscribed | None, grace_us: int, polled_us: Mapping[str, int] = {}) -> None:
        """All items are there: from now on the source is watched.

        granted: None where there is no subscription. polled_us: longest time between the scans of each group
        that is read.
        """
        limits_us = dict(polled_us)
        if granted is not None:
            self.publishing_s = granted.publishing_s
            limits_us[PUBLISHED] = max(grace_us, 3 * round(granted.keep_alive_s * 1e6) + 500_000)
        self._slowest_us = {index: self._slowest(signal) for index, signal in self._signals.items()}
        self.limit_us = min(limits_us.values(), default=self.limit_us)
        if limits_us:
            self._witnesses = Witnesses(limits_us, self._now(), self._proven)

    def read(self, signal: Signal, told: Told) -> Reading:
        """A reading of a value that was read directly: it holds now."""
        now_us = self._now().at_us
        time_us, source_us = self._dating.seen(told.source_us, now_us)
        return self._noted(signal, told, time_us, source_us)

    def published(self, result: Any) -> None:
        """One publish response."""
        if self._ended:
            return
        now, watched = self._now(), self._witnesses
        why = watched.broken(now, PUBLISHED) if watched else None
        data = result.NotificationMessage.NotificationData or []
        why = why or self._out_of_sequence(result.NotificationMessage.SequenceNumber, bool(data))
        if why is not None:
            self._over(why)
            return
        for notification in data:
            if isinstance(notification, Changes):
                self._changes(notification.items, now.at_us)
            elif isinstance(notification, ua.StatusChangeNotification):
                self._over(f"the server ended the subscription: {notification.Status.name}")
                return
        if watched is not None:
            watched.heard(PUBLISHED, now)

    def answered(
        self,
        signals: Sequence[Signal],
        values: Mapping[int, Told],
        since_us: int,
        now: Instant,
        witness: str | None,
    ) -> None:
        """A scan of polled signals that ended now; the one before it ended at since_us."""
        if self._ended or self._witnesses is None:
            return
        why = self._witnesses.broken(now, witness) if witness is not None else None
        if why is not None:
            self._over(why)
            return
        found = ((signal, values[signal.index]) for signal in signals if signal.index in values)
        self._sink.readings(
            self._name, [self._polled(signal, told, since_us, now.at_us) for signal, told in found]
        )
        if witness is not None:
            self._witnesses.heard(witness, now)

    def check(self, now: Instant) -> None:
        """Raises SessionLost where evidence stays out."""
        why = self._witnesses.broken(now) if self._witnesses else None
        if why is not None:
            self._ended = True
            raise SessionLost(f"{self._name}: {why}")

    def _proven(self, from_us: int, to_us: int) -> None:
        self._sink.scanned(self._name, from_us, to_us)

    def _polled(self, signal: Signal, told: Told, since_us: int, now_us: int) -> Reading:
        """What stands as it stood holds now; a change may be dated by the source, since the scan before."""
        known = self.last.get(signal.index)
        if known is not None and (known.content, known.status) == (told.content, told.status):
            return self._noted(signal, told, *self._dating.seen(told.source_us, now_us))
        return self._noted(
            signal, told, *self._dating.changed(signal.index, told.source_us, now_us, since_us)
        )

    def _over(self, why: str) -> None:
        self._ended = True
        self._end(why)

    def _out_of_sequence(self, sequence: int, data: bool) -> str | None:
        """Messages with data are numbered without a gap; a keep-alive tells the number of the next one."""
        expected, self._sequence = self._sequence, sequence + 1 if data else sequence
        if expected is None or sequence == expected or sequence == 1:
            return None
        return f"publish response {expected} did not arrive, {sequence} did"

    def _changes(self, items: list[tuple[int, Told]], now_us: int) -> None:
        signals, reported, changed = self._signals, self._reported, self._dating.changed
        self._dating.measure([told.source_us for index, told in items if index in reported], now_us)
        began_us, slowest_us = self._began_us, self._slowest_us
        readings = []
        for index, told in items:
            signal = signals.get(index)
            if signal is None:
                continue
            floor_us = max(began_us, now_us - slowest_us[index])
            time_us, own_us = changed(index, told.source_us, now_us, floor_us)
            readings.append(self._noted(signal, told, time_us, own_us))
        reported.update(index for index, _ in items)
        if readings:
            self._sink.readings(self._name, readings)

    def _slowest(self, signal: Signal) -> int:
        """How long a change may take from the source to here, before its time stamp is not believed."""
        ways_us = 2 * (round(self.publishing_s * 1e6) + signal.interval_us)
        return max(self._dating.tolerance_us, ways_us + 1_000_000)

    def _noted(self, signal: Signal, told: Told, time_us: int, source_us: int | None) -> Reading:
        index = signal.index
        self.last[index] = told
        reading = reading_of(signal, told, time_us, source_us)
        if told.status and overflowed(told):
            self.overflows += 1
        if reading.quality is Quality.BAD:
            self.live.discard(index)
        else:
            self.live.add(index)
        return reading
