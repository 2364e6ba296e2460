"""What was set aside and is stored after all: when a conflict is over, where no two runs spoke of one time,
and when a person wants it tried again."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.ingest.booking import Accepted, book, ensure_partitions, refuse_unknown_indexes, weeks_of
from cloud_api.ingest.intake import Intake, Reply
from cloud_api.ingest.sequence import Run, Standing, choose, overlaps, settle
from cloud_api.ingest.standings import Standings
from cloud_api.ingest.streams import Streams
from cloud_api.store.statements import statement
from shared import codec
from shared.errors import WireError

log = logging.getLogger(__name__)
AT_ONCE = 200


def replay(intake: Intake) -> list[Reply]:
    """Settles conflicts whose holder or rival fell silent, and stores what may be stored. Answers nobody:
    what was set aside has been acknowledged. Raises psycopg.OperationalError."""
    with intake.pool.connection() as connection:
        agents = [row[0] for row in connection.execute(statement("agents.unsettled")).fetchall()]
    for agent_id in agents:
        after: int | None = 0
        while after is not None:
            after = _replay_some(intake, agent_id, after)
    return []


def choose_run(connection: Connection[TupleRow], site: str, agent: str, start: str) -> str:
    """A person says which start of an agent is the true one; says what follows. The caller commits.

    start: at least 4 of its hex digits. Raises CloudError for an agent or start that is not known.
    """
    rows = connection.execute(statement("agents.ids"), {"sites": [site], "agents": [agent]}).fetchall()
    if not rows:
        raise CloudError("no such agent", f"{site}/{agent}", "see /v1/agents")
    agent_id = rows[0][2]
    standings = Standings.lock(connection, [agent_id])
    runs = [run for run in standings.of[agent_id].runs if run[1].hex().startswith(start.lower())]
    if len(runs) != 1 or len(start) < 4:
        known = ", ".join(run[1].hex() for run in standings.of[agent_id].runs) or "none"
        raise CloudError(
            "no one start of this agent", f"{start!r}; known are {known}", "give more of its digits"
        )
    standings.of[agent_id] = choose(standings.of[agent_id], runs[0])
    standings.save(connection)
    connection.execute(statement("set_aside.judge_again"), {"agent": agent_id})
    return (
        f"start {runs[0][1].hex()} speaks for {site}/{agent} from now on; what it alone told of is stored "
        "within seconds, what others tell is set aside"
    )


def _replay_some(intake: Intake, agent_id: int, after: int) -> int | None:
    """One transaction's worth; returns the last message judged, or None when there is none left."""
    with intake.pool.connection() as connection:
        standings = Standings.lock(connection, [agent_id])
        standing = standings.of[agent_id] = settle(standings.of[agent_id], standings.now_us)
        standings.save(connection)
        apart = [b"".join(run) for run in standing.runs if standing.apart(run)]
        told = {"agent": agent_id, "after": after, "apart": apart, "limit": AT_ONCE}
        waiting = connection.execute(statement("set_aside.waiting"), told).fetchall()
        if not waiting:
            return None
        judged = _Judged()
        for set_aside_id, site, message, instance, start in waiting:
            run = bytes(instance), bytes(start)
            judged.add(set_aside_id, _judge(intake, site, agent_id, standing, run, bytes(message)))
        judged.store(connection, standings.now_us)
    if judged.batches:
        log.info("%d batches that were set aside are stored", len(judged.batches))
    return int(waiting[-1][0])


@dataclass
class _Judged:
    """What becomes of messages: the batches to store, and why others stay aside."""

    batches: dict[int, Accepted] = field(default_factory=dict)
    stay: dict[str, list[int]] = field(default_factory=dict)

    def add(self, set_aside_id: int, verdict: Accepted | str) -> None:
        if isinstance(verdict, str):
            self.stay.setdefault(verdict, []).append(set_aside_id)
        else:
            self.batches[set_aside_id] = verdict

    def store(self, connection: Connection[TupleRow], now_us: int) -> None:
        accepted = list(self.batches.values())
        ensure_partitions(connection, weeks_of(each.batch for each in accepted))
        gaps = [(each.agent_id, gap) for each in accepted for gap in each.batch.gaps if gap.seq_from >= 1]
        streams = Streams.lock(connection, {(agent_id, gap.stream): gap.stream for agent_id, gap in gaps})
        for agent_id, gap in gaps:
            streams.replace((agent_id, gap.stream), gap.seq_from, gap.seq_to)
        streams.save(connection)
        book(connection, accepted, now_us)
        _note(connection, "stored after all", list(self.batches), resolved=True)
        for reason, ids in self.stay.items():
            _note(connection, reason, ids, resolved=False)


def _judge(
    intake: Intake, site: str, agent_id: int, standing: Standing, run: Run, message: bytes
) -> Accepted | str:
    """The batch to store, or why it stays aside."""
    try:
        front, batch = codec.unpack(message)
        with intake.pool.connection() as connection:
            registered = intake.registry.registered(connection, site, agent_id, front.dictionary)
        if registered is None:
            return "its dictionary never came"
        refuse_unknown_indexes(batch, registered)
    except WireError as error:
        return f"unusable: {error}"
    spans = [(mark.from_us, mark.to_us) for mark in batch.marks]
    if batch.times:
        spans.append((min(batch.times), max(batch.times)))
    if any(overlaps(standing, run, first, last) for first, last in spans):
        return "another run spoke of the same time"
    return Accepted(agent_id, front.stream, front.seq, batch, registered)


def _note(connection: Connection[TupleRow], resolution: str, ids: list[int], *, resolved: bool) -> None:
    if ids:
        told = {"ids": ids, "resolution": resolution, "resolved": resolved}
        connection.execute(statement("set_aside.judged"), told)
