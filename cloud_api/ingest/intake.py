"""Messages in, one transaction, replies out. Knows nothing of MQTT.

Rules of this file:
- Nothing is told to an agent before the transaction that it tells of has committed.
- Rows are locked in one order: agents by id, streams by agent and stream, spans of machines by id.
- A message that breaks the transaction is found by taking the messages one by one, and set aside.
- What the database refuses for a while (a restart, a deadlock) is the caller's to repeat as a whole.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.ingest.aside import CONFLICT, UNUSABLE, set_aside
from cloud_api.ingest.booking import (
    Accepted,
    book,
    ensure_partitions,
    mark_agent,
    refuse_unknown_indexes,
    weeks_of,
)
from cloud_api.ingest.message import Incoming, Message, read
from cloud_api.ingest.registry import Registered, Registry, keep
from cloud_api.ingest.sequence import Verdict, missing
from cloud_api.ingest.standings import Standings, save_hello, save_status
from cloud_api.ingest.streams import MOST_RANGES, Key, Streams, multirange, ranges
from cloud_api.store.pool import Pool
from cloud_api.store.statements import statement
from shared.batch import Batch
from shared.control import Ack, Hello, Want, encode
from shared.errors import WireError
from shared.topics import Kind, topic

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to an agent, to be published now that the database has committed."""

    topic: str
    payload: bytes


@dataclass
class Intake:
    """Takes messages into the database. One thread at a time; several processes are safe.

    counts: messages and rows by what became of them, since the start.
    """

    pool: Pool
    counts: Counter[str] = field(default_factory=Counter)
    registry: Registry = field(default_factory=Registry)
    _weeks: set[int] = field(default_factory=set)

    def take(self, messages: Sequence[Message]) -> list[Reply]:
        """Stores messages and tells what to answer.

        Raises psycopg.OperationalError while the database cannot be had: nothing was stored, take the same
        messages again.
        """
        try:
            return self._take(messages)
        except psycopg.OperationalError:
            self.registry.forget()
            self._weeks.clear()
            raise
        except Exception as error:
            if len(messages) > 1:
                return [reply for message in messages for reply in self.take([message])]
            log.exception("a message broke its transaction and is set aside: %s", messages[0].topic)
            return self._take_broken(messages[0], error)

    def _take_broken(self, message: Message, error: Exception) -> list[Reply]:
        """Sets a message aside for what it did; lets go of it, unacknowledged, where even that fails."""
        try:
            return self._take([message], broken=f"{type(error).__name__}: {error}")
        except psycopg.OperationalError:
            raise
        except Exception:
            self.counts["messages let go of"] += 1
            log.exception("a message can neither be stored nor set aside: %s", message.topic)
            return []

    def _take(self, messages: Sequence[Message], broken: str | None = None) -> list[Reply]:
        with self.pool.connection() as connection:
            now_us = _clock(connection)
            incoming = [each for message in messages if (each := read(message, now_us)) is not None]
            if broken is not None:
                for each in incoming:
                    each.fault, each.batch, each.hello, each.status = broken, None, None, None
            ids = self.registry.agent_ids(connection, (each.name for each in incoming))
            meanings = self._meanings(connection, incoming, ids)
            self._ensure_partitions(connection, incoming)
            connection.commit()
            with connection.transaction():
                transaction = _Transaction(connection, ids, meanings, now_us, Counter())
                replies = transaction.run(incoming)
        self.counts += transaction.counts
        return replies

    def _meanings(
        self, connection: Connection[TupleRow], incoming: Iterable[Incoming], ids: dict[tuple[str, str], int]
    ) -> dict[tuple[int, bytes], Registered | None]:
        """What the dictionaries of the batches mean; those that came along are kept first."""
        meanings: dict[tuple[int, bytes], Registered | None] = {}
        batches: list[tuple[Incoming, Batch]] = []
        for each in incoming:
            if each.dictionary is not None and each.fault is None:
                keep(connection, each.dictionary[0], each.message.payload)
            elif each.batch is not None:
                batches.append((each, each.batch))
        for each, batch in batches:
            assert each.front is not None
            key = ids[each.name], each.front.dictionary
            if key not in meanings:
                meanings[key] = self.registry.registered(connection, each.site, *key)
            meaning = meanings[key]
            if meaning is not None:
                try:
                    refuse_unknown_indexes(batch, meaning)
                except WireError as error:
                    each.fault, each.batch = str(error), None
        return meanings

    def _ensure_partitions(self, connection: Connection[TupleRow], incoming: Iterable[Incoming]) -> None:
        """Weeks that are not known to have their partition, before the transaction begins. Commits."""
        batches = [each.batch for each in incoming if each.batch is not None]
        new = weeks_of(batches) - self._weeks
        if new:
            ensure_partitions(connection, new)
            connection.commit()
            self._weeks |= new


@dataclass
class _Transaction:
    """One transaction's worth of messages: judged, sorted, written, answered."""

    connection: Connection[TupleRow]
    ids: dict[tuple[str, str], int]
    meanings: dict[tuple[int, bytes], Registered | None]
    now_us: int
    counts: Counter[str]
    kept: list[tuple[Incoming, str, str]] = field(default_factory=list)
    batches: list[Incoming] = field(default_factory=list)
    hellos: dict[int, Incoming] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    wanted: dict[tuple[str, str], set[bytes]] = field(default_factory=dict)

    def run(self, incoming: Sequence[Incoming]) -> list[Reply]:
        """Everything in its order; returns what to answer once this is committed."""
        standings = Standings.lock(self.connection, set(self.ids.values()))
        for each in incoming:
            self._sort(each, standings)
        streams = Streams.lock(self.connection, self._stream_keys())
        self._set_aside(streams)
        self._book(streams)
        for agent_id, hello in self.hellos.items():
            self._announce(agent_id, hello, streams)
        streams.save(self.connection)
        standings.save(self.connection)
        self._resolve_pending()
        return [*self._acks(streams), *self._wants(streams), *self._greetings(standings)]

    def _sort(self, each: Incoming, standings: Standings) -> None:
        agent_id = self.ids[each.name]
        if each.fault is not None and each.front is None:
            self.kept.append((each, UNUSABLE, each.fault))
            return
        verdict = standings.judge(agent_id, each)
        if each.front is not None:
            self._sort_batch(each, verdict)
        elif each.hello is not None:
            self.counts["hellos"] += 1
            self.hellos[agent_id] = each
            if verdict is Verdict.WAITS:
                self.waiting.add(agent_id)
            if verdict is not Verdict.APART:
                save_hello(self.connection, agent_id, each.hello)
        elif each.status is not None and verdict is Verdict.HOLDS:
            save_status(self.connection, agent_id, each.status)

    def _sort_batch(self, each: Incoming, verdict: Verdict) -> None:
        assert each.front is not None
        if verdict is Verdict.WAITS:
            self.counts["batches of a run that must wait"] += 1
        elif verdict is Verdict.APART:
            self.kept.append((each, CONFLICT, "another run of this agent id speaks at the same time"))
        elif each.fault is not None or each.batch is None:
            self.kept.append((each, UNUSABLE, each.fault or "holds no batch"))
        elif self.meanings[self.ids[each.name], each.front.dictionary] is None:
            self.counts["batches with an unknown dictionary"] += 1
            self.wanted.setdefault(each.name, set()).add(each.front.dictionary)
        else:
            self.batches.append(each)

    def _stream_keys(self) -> dict[Key, bytes]:
        """Every stream that this transaction may raise, with the instance that speaks of it."""
        keys: dict[Key, bytes] = {}
        for each in [*self.batches, *(each for each, _, _ in self.kept)]:
            if each.front is not None:
                agent_id = self.ids[each.name]
                keys[agent_id, each.front.stream] = each.front.instance
                for gap in () if each.batch is None else each.batch.gaps:
                    if gap.seq_from >= 1:
                        keys.setdefault((agent_id, gap.stream), each.front.instance)
        for agent_id, each in self.hellos.items():
            assert each.hello is not None
            for said in each.hello.streams:
                keys.setdefault((agent_id, bytes.fromhex(said.stream)), bytes.fromhex(each.hello.instance))
        return keys

    def _set_aside(self, streams: Streams) -> None:
        for each, reason, detail in self.kept:
            if each.front is not None and not streams.take(
                (self.ids[each.name], each.front.stream), each.front.seq
            ):
                self.counts["batches already received"] += 1
                continue
            self.counts["messages set aside"] += 1
            set_aside(self.connection, each, reason, detail)

    def _book(self, streams: Streams) -> None:
        accepted = []
        for each in self.batches:
            assert each.front is not None
            assert each.batch is not None
            agent_id = self.ids[each.name]
            registered = self.meanings[agent_id, each.front.dictionary]
            assert registered is not None
            if not streams.take((agent_id, each.front.stream), each.front.seq):
                self.counts["batches already received"] += 1
                continue
            for gap in each.batch.gaps:
                if gap.seq_from >= 1:
                    streams.replace((agent_id, gap.stream), gap.seq_from, gap.seq_to)
            accepted.append(Accepted(agent_id, each.front.stream, each.front.seq, each.batch, registered))
            self.counts["rows"] += len(each.batch)
        self.counts["batches"] += len(accepted)
        book(self.connection, accepted, self.now_us)

    def _announce(self, agent_id: int, each: Incoming, streams: Streams) -> None:
        assert each.hello is not None
        named = []
        for said in each.hello.streams:
            key = agent_id, bytes.fromhex(said.stream)
            named.append(key[1])
            told = {"agent": agent_id, "stream": key[1], "seqs": multirange(said.ranges)}
            row = self.connection.execute(statement("streams.announce"), told).fetchone()
            assert row is not None
            streams.received[key] = ranges(*row)
            streams.touched.add(key)
        self.connection.execute(statement("streams.withdraw"), {"agent": agent_id, "streams": named})
        self._want_dictionaries(each.name, each.hello)

    def _want_dictionaries(self, name: tuple[str, str], hello: Hello) -> None:
        said = [bytes.fromhex(each) for each in hello.dictionaries]
        rows = self.connection.execute(statement("series.known_dictionaries"), {"dictionaries": said})
        unknown = set(said) - {bytes(known) for (known,) in rows.fetchall()}
        if unknown:
            self.wanted.setdefault(name, set()).update(unknown)

    def _resolve_pending(self) -> None:
        """Pending records whose backlog is in by now: their hours are computed again."""
        agents = sorted(set(self.ids.values()))
        rows = self.connection.execute(statement("losses.open_pending"), {"agents": agents}).fetchall()
        for (agent_id,) in rows:
            spans = self.connection.execute(statement("losses.resolve"), {"agent": agent_id}).fetchall()
            for starts_at, ends_at in spans:
                mark_agent(self.connection, agent_id, starts_at, ends_at)

    def _acks(self, streams: Streams) -> list[Reply]:
        names = {agent_id: name for name, agent_id in self.ids.items()}
        return [
            _reply(names[key[0]], Kind.ACK, streams.ack(key, self.now_us))
            for key in sorted(streams.touched)
            if key[0] not in self.waiting
        ]

    def _wants(self, streams: Streams) -> list[Reply]:
        """Dictionaries that are unknown, and seqs that a disk holds and the database lacks."""
        replies = [
            _reply(name, Kind.WANT, Want(dictionaries=[each.hex() for each in sorted(hashes)]))
            for name, hashes in self.wanted.items()
        ]
        for agent_id, each in self.hellos.items():
            assert each.hello is not None
            for said in each.hello.streams if agent_id not in self.waiting else ():
                lacking = missing(said.ranges, streams.received[agent_id, bytes.fromhex(said.stream)])
                if lacking:
                    want = Want(stream=said.stream, ranges=lacking[:MOST_RANGES])
                    replies.append(_reply(each.name, Kind.WANT, want))
        return replies

    def _greetings(self, standings: Standings) -> list[Reply]:
        """A sign of life to each agent that another run speaks for now: it sends at once what it holds."""
        return [
            _reply(name, Kind.WANT, Want())
            for name, agent_id in sorted(self.ids.items())
            if standings.before[agent_id].holder not in (None, standings.of[agent_id].holder)
        ]


def _reply(name: tuple[str, str], kind: Kind, said: Ack | Want) -> Reply:
    return Reply(topic(*name, kind), encode(said))


def _clock(connection: Connection[TupleRow]) -> int:
    """The database's clock, microseconds UTC: one clock for every ingest."""
    row = connection.execute(statement("samples.clock")).fetchone()
    connection.commit()
    assert row is not None
    return int(row[0])
