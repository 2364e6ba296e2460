"""From the broker to the intake: a bounded queue, several messages a transaction, replies after the commit.

Two threads: the MQTT client's only puts messages into the queue; this one takes them out, stores them and
answers. Neither the broker nor the database going away ends either.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from paho.mqtt.client import MQTTMessage

from cloud_api.ingest.intake import Intake, Reply
from cloud_api.ingest.link import Broker, Link, connect
from cloud_api.ingest.message import Message
from cloud_api.ingest.replay import replay
from cloud_api.store.statements import statement
from shared.control import Want, encode
from shared.topics import Kind, topic

log = logging.getLogger(__name__)

MOST_QUEUED = 1_000
MOST_QUEUED_BYTES = 64 * 1024 * 1024
"""Beyond these a message is let go of, unanswered: its agent sends it again."""
MOST_MESSAGES = 300
MOST_BYTES = 16 * 1024 * 1024
"""Of one transaction."""
HOUSEKEEPING_S = 10.0
LONGEST_WAIT_S = 5.0


@dataclass
class Inbox:
    """The bounded queue between the MQTT client's thread and ours. dropped: messages it had no room for."""

    dropped: int = 0
    _messages: deque[MQTTMessage] = field(default_factory=deque)
    _bytes: int = 0
    _arrival: threading.Condition = field(default_factory=threading.Condition)

    def put(self, message: MQTTMessage) -> None:
        """Queues a message, or counts it as dropped where there is no room."""
        with self._arrival:
            if len(self._messages) >= MOST_QUEUED or self._bytes + len(message.payload) > MOST_QUEUED_BYTES:
                self.dropped += 1
                return
            self._messages.append(message)
            self._bytes += len(message.payload)
            self._arrival.notify()

    def take(self, wait_s: float) -> list[MQTTMessage]:
        """What is there, at most one transaction's worth; waits for the first one."""
        with self._arrival:
            if not self._messages:
                self._arrival.wait(wait_s)
            taken: list[MQTTMessage] = []
            size = 0
            while self._messages and len(taken) < MOST_MESSAGES and size < MOST_BYTES:
                taken.append(self._messages.popleft())
                size += len(taken[-1].payload)
            self._bytes -= size
            return taken

    def clear(self) -> None:
        """What an old connection left belongs to nobody: agents send it again."""
        with self._arrival:
            self._messages.clear()
            self._bytes = 0


@dataclass
class Consumer:
    """Takes what agents send until it is told to stop. connected: set while the broker is there."""

    broker: Broker
    intake: Intake
    connected: threading.Event = field(default_factory=threading.Event)
    inbox: Inbox = field(default_factory=Inbox)

    def run(self, stop: threading.Event) -> None:
        """Connects, consumes, reconnects; returns soon after stop is set."""
        wait_s, told = 0.2, False
        while not stop.is_set():
            self.inbox.clear()
            try:
                link = connect(self.broker, self.inbox.put)
            except (OSError, ConnectionError) as error:
                if not told:
                    log.warning(
                        "the broker cannot be reached: %s: %s: trying again", self.broker.place, error
                    )
                told = True
                stop.wait(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                continue
            log.info("connected to the broker %s", self.broker.place)
            wait_s, told = 0.2, False
            self.connected.set()
            try:
                self._consume(link, stop)
            finally:
                self.connected.clear()
                link.close()
            if not stop.is_set():
                log.warning("the broker is gone: %s: connecting again", self.broker.place)

    def _consume(self, link: Link, stop: threading.Event) -> None:
        self._patiently(lambda: self._greet(link), link, stop)
        tidied = time.monotonic()
        while not stop.is_set() and not link.lost.is_set():
            arrived = self.inbox.take(0.25)
            for message in arrived:
                link.acknowledge(message)
            messages = [Message(each.topic, bytes(each.payload), each.retain) for each in arrived]
            if messages:
                self._patiently(lambda messages=messages: self.intake.take(messages), link, stop)  # type: ignore[misc]
            if time.monotonic() - tidied > HOUSEKEEPING_S:
                self._patiently(lambda: replay(self.intake), link, stop)
                tidied = time.monotonic()

    def _patiently(self, work: Callable[[], list[Reply]], link: Link, stop: threading.Event) -> None:
        """Work on the database, again and again while it cannot be had; its replies are published."""
        wait_s, told = 0.1, False
        while True:
            try:
                replies = work()
                break
            except psycopg.OperationalError as error:
                if not told:
                    log.warning("the database does not take what came: %s: trying again", str(error).strip())
                told = True
                if stop.wait(wait_s):
                    return
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        if told:
            log.info("the database takes again what comes")
        for reply in replies:
            link.publish(reply.topic, reply.payload)

    def _greet(self, link: Link) -> list[Reply]:
        """A sign of life to every agent that is known: it sends at once what it is waiting for."""
        with self.intake.pool.connection() as connection:
            rows = connection.execute(statement("agents.known")).fetchall()
        return [Reply(topic(site, agent, Kind.WANT), encode(Want())) for site, agent in rows]
