"""The interpreter: turns marked machine-hours into segments and cost entries, live hours first.

Several may run at once. Each holds one connection; a lost database is waited for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from psycopg import Connection, OperationalError
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.store import pool
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us
from cloud_api.work.context import Asking
from cloud_api.work.turn import Turns, live_from

POLL_S = 0.2
"""Rest between two looks at the marks while there is nothing to do."""
MINUTE_S = 60.0
LEAST_REST_S, MOST_REST_S, SHARE_OF_TIME = 0.3, 3.0, 4.0
"""A live machine rests so long between two turns, or so many times as long as its last turn took."""
RECONNECT_S = 1.0
ASK_S = 15.0
"""Rest between two looks at what the floor should be asked."""
FAULT_REST_S = 60.0
"""A machine whose interpretation failed rests so long; its marks stay."""

log = logging.getLogger("plantledger.interpret")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Rests:
    """Until when each machine rests, by the clock of `time.monotonic`."""

    _until: dict[int, float] = field(default_factory=dict)

    def over(self, machine_id: int, now: float) -> bool:
        return self._until.get(machine_id, 0.0) <= now

    def after_turn(self, machine_id: int, now: float, took_s: float) -> None:
        self._until[machine_id] = now + min(MOST_REST_S, max(LEAST_REST_S, SHARE_OF_TIME * took_s))

    def after_fault(self, machine_id: int, now: float) -> None:
        self._until[machine_id] = now + FAULT_REST_S


class Worker:
    """Interprets until it is told to stop. ``now`` gives the instant at which a lasting loss ends."""

    def __init__(self, url: str, *, now: Callable[[], datetime] = utc_now) -> None:
        self.url = url
        self.now = now
        self._live, self._past = Rests(), Rests()
        self._next_minute = 0.0
        self._asking = Asking(now)
        self._next_asking = 0.0

    def run(self, stop: Event) -> None:
        """Works until ``stop`` is set; at once at the end of a turn, and never in the middle of one."""
        told = False
        while not stop.is_set():
            try:
                with pool.connect(self.url, name="interpret", autocommit=True) as connection:
                    if told:
                        log.info("the database is back")
                    told = False
                    self._work(connection, stop)
            except (OperationalError, CloudError) as error:
                if not told:
                    log.warning("the database cannot be used, marks wait: %s", str(error).strip())
                told = True
                stop.wait(RECONNECT_S)

    def drain(
        self,
        connection: Connection[TupleRow],
        machines: Collection[int] | None = None,
        asked_to_end: Callable[[], bool] = lambda: False,
        past_only: bool = False,
    ) -> None:
        """Works until no mark (of these machines; of hours that are past) is left that it can serve, or it is
        asked to end. Raises what goes wrong."""
        turns = Turns(connection)
        served = True
        while served:
            served = False
            for machine_id in self._marked(connection, past_only):
                if asked_to_end():
                    return
                if machines is None or machine_id in machines:
                    served = turns.history(machine_id, self.now()) or served

    def ask_once(self, connection: Connection[TupleRow]) -> None:
        """One look at what the floor of every site should be asked."""
        self._asking.round(connection)

    def _marked(self, connection: Connection[TupleRow], past_only: bool) -> list[int]:
        before = from_us(live_from(self.now())) if past_only else "infinity"
        found = connection.execute(statement("work.history"), {"before": before}).fetchall()
        return [row[0] for row in found]

    def _work(self, connection: Connection[TupleRow], stop: Event) -> None:
        turns = Turns(connection)
        while not stop.is_set():
            self._each_minute(connection)
            busy = self.live_turns(turns, stop)
            busy = self._one_history_turn(turns) or busy
            if time.monotonic() >= self._next_asking:
                self.ask_once(connection)
                self._next_asking = time.monotonic() + ASK_S
            if not busy:
                stop.wait(POLL_S)

    def _each_minute(self, connection: Connection[TupleRow]) -> None:
        if time.monotonic() >= self._next_minute:
            self._next_minute = time.monotonic() + MINUTE_S
            connection.execute(statement("work.mark_silent"), {"now": self.now()})

    def live_turns(self, turns: Turns, stop: Event) -> bool:
        """A turn at each machine whose live hours are marked and that has rested."""
        since = {"from": from_us(live_from(self.now()))}
        busy = False
        for machine_id, _ in turns.connection.execute(statement("work.live"), since).fetchall():
            if stop.is_set():
                break
            if self._live.over(machine_id, time.monotonic()):
                busy = self._turn(turns.live, machine_id, self._live) or busy
        return busy

    def _one_history_turn(self, turns: Turns) -> bool:
        """A bounded turn at the machine that waits longest."""
        before = {"before": from_us(live_from(self.now()))}
        for (machine_id,) in turns.connection.execute(statement("work.history"), before).fetchall():
            if self._past.over(machine_id, time.monotonic()) and self._turn(turns.history, machine_id, None):
                return True
        return False

    def _turn(self, turn: Callable[[int, datetime], bool], machine_id: int, rests: Rests | None) -> bool:
        """One turn; a fault of one machine rests it and lets the others go on."""
        begin = time.monotonic()
        try:
            worked = turn(machine_id, self.now())
        except (SerializationFailure, DeadlockDetected):
            return False
        except OperationalError:
            raise
        except Exception as error:
            log.exception("machine %s cannot be interpreted, its marks stay: %s", machine_id, error)
            for each in (self._live, self._past):
                each.after_fault(machine_id, time.monotonic())
            return False
        if rests is not None:
            now = time.monotonic()
            rests.after_turn(machine_id, now, now - begin)
        return worked
