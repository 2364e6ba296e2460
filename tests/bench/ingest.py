"""Ingest of one worker, from the broker to committed rows, against the server's own COPY from a file.

Both fill the same table with the same rows, index and all. Bar: at least 0.3 of COPY.
    python -m tests.bench.ingest [rows]
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cloud_api.ingest.broker import EmbeddedBroker
from cloud_api.ingest.consumer import Consumer
from cloud_api.ingest.intake import Intake
from cloud_api.ingest.link import Broker
from cloud_api.store.embedded import open_cluster
from cloud_api.store.migrations import migrate
from cloud_api.store.pool import open_pool
from shared import codec, dictionary
from shared.batch import Batch, Lane, ScanMark, batch_of
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Sample
from shared.topics import Kind, topic

BAR = 0.3
ROUNDS = 3
MACHINES = 20
SITE = "bench"
TABLES = "samples, streams, coverage, marks, machine_spans, late_arrivals"


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as folder:
        cluster = open_cluster(Path(folder))
        broker = EmbeddedBroker(Path(folder))
        try:
            cluster.start()
            broker.start()
            migrate(cluster.url)
            kind = "mosquitto" if broker.mosquitto else "amqtt"
            say(f"{rows:,} rows through {kind}, medians of {ROUNDS}")
            worst = _table(f"PostgreSQL {cluster.binaries.version}", cluster.url, broker, rows)
            with _timescaledb() as url:
                if url is not None:
                    worst = min(worst, _table("TimescaleDB", url, broker, rows))
        finally:
            broker.stop()
            cluster.remove()
    say(f"bar {BAR}: {'held' if worst >= BAR else 'NOT HELD'}")
    return 0 if worst >= BAR else 1


@contextmanager
def _timescaledb() -> Iterator[str | None]:
    """URL of a fresh database on the TimescaleDB of the tests, or None where there is none."""
    server = os.environ.get("PLANTLEDGER_TEST_TIMESCALE_URL")
    if server is None:
        say("no TimescaleDB: set PLANTLEDGER_TEST_TIMESCALE_URL (.ci/timescaledb start)")
        yield None
        return
    name = f"bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        url = psycopg.conninfo.make_conninfo(server, dbname=name)
        try:
            migrate(url)
            yield url
        finally:
            connection.execute(f"drop database {name} with (force)".encode())


def _table(server: str, url: str, broker: EmbeddedBroker, rows: int) -> float:
    """Prints one server's rows; gives the worst ratio."""
    say(f"{server:<44} {'rows/s':>12} {'ratio':>7}")
    return min(_compare(url, broker, rows, per_batch) for per_batch in (500, 5_000))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _compare(url: str, broker: EmbeddedBroker, rows: int, per_batch: int) -> float:
    ingested, copied = [], []
    for _ in range(ROUNDS):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"truncate {TABLES}".encode())
        ingested.append(rows / _ingest(url, broker, rows, per_batch))
        copied.append(rows / _copy(url, rows))
    ours, theirs = statistics.median(ingested), statistics.median(copied)
    say(f"{f'broker to committed rows, {per_batch} a batch':<44} {ours:>12,.0f} {ours / theirs:>7.2f}")
    say(f"{'COPY from file, the same rows, same table':<44} {theirs:>12,.0f} {1:>7.2f}")
    return ours / theirs


def _ingest(url: str, broker: EmbeddedBroker, rows: int, per_batch: int) -> float:
    """Seconds from the first message that the broker passes on to the last commit."""
    stop = threading.Event()
    intake = Intake(open_pool(url, name="bench", size=3))
    consumer = Consumer(Broker(broker.url, broker.shared, broker.shared), intake)
    worker = threading.Thread(target=consumer.run, args=[stop])
    worker.start()
    assert consumer.connected.wait(30)
    with psycopg.connect(url, autocommit=True) as connection:
        publisher = subprocess.Popen(
            [sys.executable, "-c", _PUBLISH, str(broker.port), str(rows), str(per_batch)]
        )
        try:
            while not intake.counts["batches"] and publisher.poll() is None:
                time.sleep(0.001)
            begun, head = time.perf_counter(), intake.counts["rows"]
            while intake.counts["rows"] < rows and time.perf_counter() - begun < 120:
                time.sleep(0.002)
            took = time.perf_counter() - begun
            found = connection.execute("select count(*) from samples").fetchone()
        finally:
            publisher.wait(60)
            stop.set()
            worker.join()
            intake.pool.close()
    assert found == (rows,), f"{found} rows arrived, {rows} were sent"
    return took * rows / (rows - head)


_PUBLISH = "import sys; from tests.bench.ingest import publish; publish(*map(int, sys.argv[1:]))"


def publish(port: int, rows: int, per_batch: int) -> None:
    """Everything at once, as an agent after an outage; runs in a process of its own."""
    messages = list(_messages(rows, per_batch))
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(100)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(name, payload, qos=1) for name, payload in messages]
    for each in sent:
        each.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def _messages(rows: int, per_batch: int) -> Iterator[tuple[str, bytes]]:
    signals = [
        SignalEntry(f"press-{machine}", role, role, 0, raw=role is Role.STATE)
        for machine in range(MACHINES)
        for role in (Role.STATE, Role.GOOD_COUNT, Role.ENERGY, Role.SPEED_OVERRIDE)
    ]
    content_hash, packed = dictionary.pack(Dictionary([SourceEntry("plc", "opcua")], signals))
    stream, instance = os.urandom(16), os.urandom(16)
    agent = f"gw-{instance.hex()[:8]}"
    yield topic(SITE, agent, Kind.DICTIONARY), packed
    start_us = int(time.time() * 1e6) - 3_600_000_000
    for seq in range(1, rows // per_batch + 1):
        batch = _batch(content_hash, signals, start_us + seq * 250_000, per_batch, random.Random(seq))
        message = codec.message(
            codec.pack(batch), lane=Lane.LIVE, stream=stream, seq=seq, instance=instance, start=stream
        )
        yield topic(SITE, agent, Kind.BATCH), message


def _batch(
    content_hash: bytes, signals: list[SignalEntry], from_us: int, rows: int, chance: random.Random
) -> Batch:
    samples = []
    for row in range(rows):
        signal = chance.randrange(len(signals))
        time_us = from_us + row * 250_000 // rows
        if signals[signal].role is Role.STATE:
            samples.append(Sample(signal, time_us, chance.choice(("running", "down", "idle")), raw=1.0))
        else:
            samples.append(Sample(signal, time_us, float(chance.randrange(100_000))))
    return batch_of(content_hash, samples, marks=[ScanMark(0, from_us, from_us + 250_000)])


def _copy(url: str, rows: int) -> float:
    """Seconds that COPY from a file takes for the rows that are in the table, into the emptied table."""
    with psycopg.connect(url, autocommit=True) as connection:
        where = connection.execute("show data_directory").fetchone()
        assert where is not None
        file = f"{where[0]}/bench.copy"
        connection.execute(f"copy (select * from samples) to '{file}' (format binary)".encode())
        connection.execute(b"truncate samples")
        begun = time.perf_counter()
        done = connection.execute(f"copy samples from '{file}' (format binary)".encode())
        took = time.perf_counter() - begun
        assert done.rowcount == rows
        return took


if __name__ == "__main__":
    sys.exit(main())
