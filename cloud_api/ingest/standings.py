"""Standings of agents in the database: locked for a transaction, judged in memory, kept with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from cloud_api.ingest.message import Incoming
from cloud_api.ingest.sequence import Heard, Run, Standing, Verdict, backlog_verdict, end, hear, settle
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.control import Hello, Status, encode


@dataclass
class Standings:
    """Locked agents of one transaction. now_us: the database's clock at its start."""

    now_us: int
    of: dict[int, Standing]
    before: dict[int, Standing] = field(default_factory=dict)

    @classmethod
    def lock(cls, connection: Connection[TupleRow], agents: Collection[int]) -> Standings:
        """Locks agents in the order of their ids and reads who speaks for them."""
        told = {"agents": sorted(agents)}
        locked = connection.execute(statement("agents.lock"), told).fetchall()
        runs: dict[int, dict[Run, Heard]] = {agent_id: {} for agent_id, *_ in locked}
        for agent_id, instance, start, first, last, *rest in connection.execute(
            statement("agents.runs"), told
        ):
            runs[agent_id][bytes(instance), bytes(start)] = Heard(to_us(first), to_us(last), *rest)
        of = {}
        now_us = 0
        for agent_id, _, _, instance, start, conflict_since, now in locked:
            now_us = to_us(now)
            holder = None if instance is None else (bytes(instance), bytes(start))
            of[agent_id] = Standing(
                holder, runs[agent_id], None if conflict_since is None else to_us(conflict_since)
            )
        return cls(now_us, of, dict(of))

    def judge(self, agent_id: int, incoming: Incoming) -> Verdict:
        """What becomes of a message of this agent; who speaks for it is noted."""
        run = incoming.run
        if run is None:
            return Verdict.HOLDS
        standing = settle(self.of[agent_id], self.now_us)
        if incoming.status is not None:
            return self._status(agent_id, standing, run, incoming.status, incoming.message.retained)
        connected = None if incoming.hello is None else incoming.hello.counter
        standing, verdict = hear(standing, run, self.now_us, connected=connected)
        self.of[agent_id] = standing
        if incoming.front is not None and incoming.front.stream != incoming.front.start:
            return backlog_verdict(standing, verdict, incoming.front.stream)
        return verdict

    def save(self, connection: Connection[TupleRow]) -> None:
        """Keeps what changed."""
        for agent_id, standing in sorted(self.of.items()):
            before = self.before.get(agent_id)
            if standing == before:
                continue
            instance, start = standing.holder or (None, None)
            since = standing.conflict_since_us
            connection.execute(
                statement("agents.save_holder"),
                {
                    "agent": agent_id,
                    "instance": instance,
                    "start": start,
                    "conflict_since": None if since is None else from_us(since),
                    "heard": from_us(self.now_us),
                },
            )
            for run, heard in standing.runs.items():
                if before is None or before.runs.get(run) != heard:
                    connection.execute(statement("agents.save_run"), _run_row(agent_id, run, heard))

    def _status(self, agent_id: int, standing: Standing, run: Run, status: Status, retained: bool) -> Verdict:
        before = standing.runs.get(run)
        if not status.will and before is not None and status.counter <= before.counter:
            return Verdict.WAITS
        if not status.online:
            self.of[agent_id] = end(standing, run, status.counter, will=status.will)
            over = self.of[agent_id].runs.get(run)
            ended = over is not None and (over.ended or over.dropped)
            return Verdict.HOLDS if ended and self.of[agent_id].holder == run else Verdict.WAITS
        if retained:
            return Verdict.HOLDS if standing.holder in (None, run) else Verdict.WAITS
        self.of[agent_id], verdict = hear(standing, run, self.now_us, counter=status.counter)
        return verdict


def save_hello(connection: Connection[TupleRow], agent_id: int, hello: Hello) -> None:
    """What a hello told of its agent."""
    connection.execute(
        statement("agents.save_hello"),
        {
            "agent": agent_id,
            "version": hello.version,
            "config_hash": hello.config_hash,
            "certificate_expires": _instant(hello.certificate_expires_us),
        },
    )


def save_status(connection: Connection[TupleRow], agent_id: int, status: Status) -> None:
    """What a status told of its agent; a will knows no more than that the agent is gone."""
    if status.will:
        connection.execute(statement("agents.save_offline"), {"agent": agent_id})
        return
    connection.execute(
        statement("agents.save_status"),
        {
            "agent": agent_id,
            "status": Jsonb(status, dumps=encode),
            "status_at": from_us(status.time_us),
            "online": status.online,
            "version": status.version,
            "config_hash": status.config_hash,
            "certificate_expires": _instant(status.certificate_expires_us),
        },
    )


def _run_row(agent_id: int, run: Run, heard: Heard) -> dict[str, object]:
    return {
        "agent": agent_id,
        "instance": run[0],
        "start": run[1],
        "first": from_us(heard.first_us),
        "last": from_us(heard.last_us),
        "connected": heard.connected,
        "counter": heard.counter,
        "ended": heard.ended,
        "dropped": heard.dropped,
        "lost": heard.lost,
    }


def _instant(us: int | None) -> object:
    return None if us is None else from_us(us)
