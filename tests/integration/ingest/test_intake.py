"""What messages leave in the database, and what is answered; on each kind of server."""

from __future__ import annotations

import math
import random
import threading

import psycopg
import pytest

from cloud_api.errors import CloudError
from cloud_api.ingest.aside_command import retry_aside
from cloud_api.ingest.intake import Intake
from cloud_api.ingest.message import Message
from cloud_api.ingest.replay import replay
from cloud_api.store.pool import open_pool
from cloud_api.store.times import hour_of, to_us
from shared.batch import Gap, Pending, ScanMark
from shared.sample import Quality
from tests.integration.ingest.gateway import (
    ENERGY,
    GOOD,
    HOUR_US,
    PACK,
    PRESS,
    STATE,
    Gateway,
    acks,
    now_us,
    rows,
    sample,
    wants,
)

SAMPLES = """
select (extract(epoch from time) * 1000000)::int8, machine, signal, value, text, raw, raw_text,
       (extract(epoch from source_time) * 1000000)::int8, quality, origin
from samples join series using (series_id) join machines using (machine_id) order by 1, 2, 3
"""


def test_every_shape_of_sample_arrives_as_it_was(intake: Intake, database: str) -> None:
    gateway, t = Gateway(), now_us() - HOUR_US
    sent = [
        sample(STATE, t, "running", raw=1.0),
        sample(STATE, t + 1, "läuft € 🙂", raw="eins"),
        sample(STATE, t + 2, ""),
        sample(STATE, t + 3, None),
        sample(STATE, t + 4, None, Quality.BAD, raw=math.nan),
        sample(GOOD, t + 5, -0.0),
        sample(GOOD, t + 6, 2.0**53, Quality.UNCERTAIN, source_time_us=t - 5),
        sample(ENERGY, t + 7, 1e-300, raw=-math.inf, source_time_us=0),
    ]
    intake.take([gateway.dictionary(), gateway.batch(1, sent)])
    found = rows(database, SAMPLES)
    names = {STATE: ("press-1", "state"), GOOD: ("press-1", "good_count"), ENERGY: ("packer-1", "energy")}
    wanted = [
        (
            each.time_us,
            *names[each.signal],
            None if isinstance(each.value, str) else each.value,
            each.value if isinstance(each.value, str) else None,
            None if isinstance(each.raw, str) else each.raw,
            each.raw if isinstance(each.raw, str) else None,
            each.source_time_us,
            int(each.quality),
            0,
        )
        for each in sent
    ]
    assert repr(found) == repr(wanted)


def test_each_batch_is_stored_once(intake: Intake, database: str) -> None:
    gateway, t = Gateway(), now_us() - HOUR_US
    first = [gateway.batch(seq, [sample(GOOD, t + seq, float(seq))]) for seq in (1, 2, 4)]
    stream = gateway.start.hex()
    assert acks(intake.take([gateway.dictionary(), *first, first[0]])) == {stream: (2, [(4, 4)])}
    assert acks(intake.take([first[1], gateway.batch(3, [sample(GOOD, t + 3, 3.0)])])) == {stream: (4, [])}
    assert acks(intake.take([first[2]])) == {stream: (4, [])}
    assert rows(database, "select value from samples order by 1") == [(1.0,), (2.0,), (3.0,), (4.0,)]


def test_an_unknown_dictionary_is_asked_for_and_nothing_acknowledged(intake: Intake, database: str) -> None:
    gateway = Gateway()
    message = gateway.batch(1, [sample(GOOD, now_us(), 1.0)])
    replies = intake.take([message])
    assert acks(replies) == {}
    assert [len(want.dictionaries) for want in wants(replies)] == [1]
    assert rows(database, "select count(*) from set_aside") == [(0,)]
    intake.take([gateway.dictionary()])
    assert acks(intake.take([message])) == {gateway.start.hex(): (1, [])}


def test_scan_marks_unite_by_hour_and_mark_the_machines(intake: Intake, database: str) -> None:
    gateway, t = Gateway(), hour_of(now_us() - 5 * HOUR_US)
    intake.take([gateway.dictionary(), gateway.batch(1, marks=[ScanMark(PRESS, t + 10, t + 20)])])
    intake.take(
        [
            gateway.batch(2, marks=[ScanMark(PRESS, t + 20, t + 30), ScanMark(PRESS, t + 50, t + 60)]),
            gateway.batch(3, marks=[ScanMark(PACK, t + HOUR_US - 5, t + HOUR_US + 5)]),
        ]
    )
    spans = rows(
        database,
        "select source, lower(span), upper(span) from coverage join sources using (source_id), "
        "unnest(spans) span order by 1, 2",
    )
    assert [(source, to_us(first), to_us(last)) for source, first, last in spans] == [
        ("pack-plc", t + HOUR_US - 5, t + HOUR_US),
        ("pack-plc", t + HOUR_US, t + HOUR_US + 5),
        ("press-plc", t + 10, t + 30),
        ("press-plc", t + 50, t + 60),
    ]
    marked = rows(
        database, "select distinct machine, hour from marks join machines using (machine_id) order by 1, 2"
    )
    assert [(machine, to_us(hour)) for machine, hour in marked] == [
        ("packer-1", t),
        ("packer-1", t + HOUR_US),
        ("press-1", t),
    ]


def test_samples_mark_their_hours_and_widen_the_span(intake: Intake, database: str) -> None:
    gateway, t = Gateway(), hour_of(now_us()) - 3 * HOUR_US
    intake.take(
        [gateway.dictionary(), gateway.batch(1, [sample(GOOD, t + 5, 1.0), sample(ENERGY, t + 9, 1.0)])]
    )
    intake.take([gateway.batch(2, [sample(GOOD, t - HOUR_US, 1.0)], marks=[ScanMark(PRESS, t, t + 100)])])
    found = rows(
        database,
        "select machine, first_sample, last_sample, last_mark "
        "from machine_spans join machines using (machine_id) order by 1",
    )
    as_us = [(name, *(None if at is None else to_us(at) for at in times)) for name, *times in found]
    assert as_us == [("packer-1", t + 9, t + 9, None), ("press-1", t - HOUR_US, t + 5, t + 100)]
    marked = rows(
        database,
        "select machine, hour from marks join machines using (machine_id) group by 1, 2 order by 1, 2",
    )
    assert [(name, to_us(hour)) for name, hour in marked] == [
        ("packer-1", t),
        ("press-1", t - HOUR_US),
        ("press-1", t),
    ]
    late = rows(
        database, "select machine, hour, late_rows from late_arrivals join machines using (machine_id)"
    )
    assert [(name, to_us(hour), count) for name, hour, count in late] == [("press-1", t - HOUR_US, 1)]


def test_a_gap_record_counts_for_its_seqs(intake: Intake, database: str) -> None:
    gateway, t = Gateway(), hour_of(now_us()) - 2 * HOUR_US
    old = b"o" * 16
    gaps = [
        Gap(gateway.start, 2, 5, t, t + HOUR_US + 1, 7, "disk full", [GOOD]),
        Gap(old, 1, 3, t, t + 9, 0, "lost"),
    ]
    replies = intake.take([gateway.dictionary(), gateway.batch(1), gateway.batch(6, gaps=gaps)])
    assert acks(replies) == {gateway.start.hex(): (6, []), old.hex(): (3, [])}
    found = rows(
        database, "select kind, reason, samples, cardinality(series), seqs::text from losses order by loss_id"
    )
    assert found == [("gap", "disk full", 7, 1, "[2,6)"), ("gap", "lost", 0, 0, "[1,4)")]
    marked = rows(
        database,
        "select machine, hour from marks join machines using (machine_id) group by 1, 2 order by 1, 2",
    )
    assert [(name, to_us(hour)) for name, hour in marked] == [
        ("packer-1", t),
        ("press-1", t),
        ("press-1", t + HOUR_US),
    ]


def test_a_gap_of_data_that_never_got_a_seq_replaces_none(intake: Intake, database: str) -> None:
    gateway, t = Gateway(), now_us()
    replies = intake.take(
        [gateway.dictionary(), gateway.batch(1, gaps=[Gap(gateway.start, 0, 0, t - 9, t, 3, "full")])]
    )
    assert acks(replies) == {gateway.start.hex(): (1, [])}
    assert rows(database, "select seqs from losses") == [(None,)]


def test_pending_lasts_until_the_backlog_is_in(intake: Intake, database: str) -> None:
    before = Gateway()
    t = hour_of(now_us()) - 3 * HOUR_US
    intake.take([before.dictionary(), before.batch(1, [sample(GOOD, t, 1.0)])])
    gateway = before.again()
    intake.take([before.status(9, online=False)])
    hello = gateway.hello(ranges=[(before.start, [(1, 3)]), (gateway.start, [(1, 1)])])
    live = gateway.batch(1, [sample(GOOD, now_us(), 9.0)], pending=[Pending(t + 1, t + HOUR_US)])
    intake.take([hello, live])
    open_ones = "select count(*) from losses where kind = 'pending' and resolved_at is null"
    assert rows(database, open_ones) == [(1,)]
    intake.take([gateway.batch(2, [sample(GOOD, t + 2, 2.0)], stream=before.start)])
    assert rows(database, open_ones) == [(1,)]
    with psycopg.connect(database) as connection:
        connection.execute("delete from marks")
    intake.take([gateway.batch(3, [sample(GOOD, t + 3, 3.0)], stream=before.start)])
    assert rows(database, open_ones) == [(0,)]
    assert {
        name for (name,) in rows(database, "select machine from marks join machines using (machine_id)")
    } == {
        "press-1",
        "packer-1",
    }


def test_hello_is_answered_with_what_is_here_and_what_lacks(intake: Intake, database: str) -> None:
    gateway = Gateway()
    intake.take([gateway.dictionary(), gateway.batch(1), gateway.batch(2), gateway.batch(5)])
    replies = intake.take([gateway.hello(ranges=[(gateway.start, [(1, 7)])])])
    assert acks(replies) == {gateway.start.hex(): (2, [(5, 5)])}
    assert [(want.stream, want.ranges) for want in wants(replies)] == [
        (gateway.start.hex(), [(3, 4), (6, 7)])
    ]
    assert rows(database, "select version, config_hash, online from agents") == [("0.1.0", "c0ffee", True)]


def test_hello_of_an_unknown_dictionary_is_answered_with_want(intake: Intake) -> None:
    gateway = Gateway()
    replies = intake.take([gateway.hello()])
    assert [len(want.dictionaries) for want in wants(replies)] == [1]


def test_status_is_kept_and_an_old_one_changes_nothing(intake: Intake, database: str) -> None:
    gateway = Gateway()
    intake.take([gateway.hello(1), gateway.status(3, buffer_depth=7)])
    intake.take(
        [gateway.status(2, buffer_depth=99), gateway.status(1, online=False, will=True, retained=True)]
    )
    assert rows(database, "select online, status->>'buffer_depth' from agents") == [(False, "7")]
    intake.take([gateway.hello(4), gateway.status(5, buffer_depth=8)])
    intake.take([gateway.status(1, online=False, will=True)])
    assert rows(database, "select online, status->>'buffer_depth' from agents") == [(True, "8")]
    intake.take([gateway.status(6, online=False)])
    assert rows(database, "select online from agents") == [(False,)]


def corrupt(message: Message, at: int) -> Message:
    payload = bytearray(message.payload)
    payload[at] ^= 0xFF
    return Message(message.topic, bytes(payload))


def test_what_cannot_be_used_is_set_aside_with_its_bytes(intake: Intake, database: str) -> None:
    gateway, t = Gateway(), now_us()
    good = gateway.batch(1, [sample(GOOD, t, 1.0)])
    bad = [
        gateway.batch(2, [sample(99, t, 1.0)]),
        gateway.batch(3, [sample(GOOD, 5, 1.0)]),
        gateway.batch(4, [sample(GOOD, t + 2 * HOUR_US, 1.0)]),
        gateway.batch(5, marks=[ScanMark(7, t, t)]),
        gateway.batch(6, marks=[ScanMark(PRESS, t - 30 * 24 * HOUR_US, t)]),
    ]
    nameless = [
        corrupt(gateway.batch(7), 100),
        Message(good.topic, b"\x00" * 10),
        Message(good.topic.replace("batch", "hello"), b'{"instance": 3}'),
        Message(good.topic.replace("batch", "dictionary"), b"junk"),
        Message(good.topic.replace("batch", "status"), b"[1]"),
    ]
    foreign = [
        Message("plantledger/v1/x/y/ack", b"1"),
        Message("other/topic", b"2"),
        Message("plantledger/v1/a b/c/batch", b""),
    ]
    replies = intake.take([gateway.dictionary(), good, *bad, *nameless, *foreign])
    assert acks(replies) == {gateway.start.hex(): (6, [])}
    kept = rows(database, "select message, seq, reason from set_aside order by set_aside_id")
    assert {bytes(message) for message, _, _ in kept} == {each.payload for each in [*bad, *nameless]}
    assert [seq for _, seq, _ in kept if seq is not None] == [2, 3, 4, 5, 6]
    assert {reason for _, _, reason in kept} == {"unusable"}
    assert rows(database, "select value from samples") == [(1.0,)]
    intake.take(nameless)
    assert rows(database, "select sum(times) from set_aside") == [(15,)]


def test_a_message_that_breaks_the_transaction_is_found_and_set_aside(
    intake: Intake, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cloud_api.ingest import intake as module

    book = module.book

    def broken(connection: object, accepted: list[object], now: int) -> None:
        if any(len(each.batch) == 3 for each in accepted):  # type: ignore[attr-defined]
            raise ValueError("three is too many\x00")
        book(connection, accepted, now)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "book", broken)
    gateway, t = Gateway(), now_us()
    messages = [
        gateway.batch(seq, [sample(GOOD, t + each, float(seq)) for each in range(seq)])
        for seq in (1, 2, 3, 4)
    ]
    assert acks(intake.take([gateway.dictionary(), *messages])) == {gateway.start.hex(): (4, [])}
    assert rows(database, "select seq, reason from set_aside") == [(3, "unusable")]
    counted = "select value, count(*) from samples group by 1 order by 1"
    assert rows(database, counted) == [(1.0, 1), (2.0, 2), (4.0, 4)]
    monkeypatch.undo()
    with psycopg.connect(database) as connection:
        number = connection.execute("select set_aside_id from set_aside").fetchall()[0][0]
        retry_aside(connection, number)
        with pytest.raises(CloudError, match="no unresolved batch"):
            retry_aside(connection, number + 1)
    assert replay(intake) == []
    assert rows(database, counted) == [(1.0, 1), (2.0, 2), (3.0, 3), (4.0, 4)]
    assert rows(database, "select resolution from set_aside") == [("stored after all",)]


def test_random_bytes_never_raise(intake: Intake, database: str) -> None:
    chance, gateway = random.Random(7), Gateway()
    good = gateway.batch(1, [sample(GOOD, now_us(), 1.0)]).payload
    messages = []
    for kind in ("batch", "hello", "status", "dictionary"):
        for _ in range(40):
            payload = bytearray(good if kind == "batch" else chance.randbytes(chance.randrange(1, 200)))
            for _ in range(chance.randrange(1, 5)):
                payload[chance.randrange(len(payload))] = chance.randrange(256)
            messages.append(Message(f"plantledger/v1/columbus/gw-1/{kind}", bytes(payload)))
    chance.shuffle(messages)
    assert acks(intake.take(messages)) == {}
    assert rows(database, "select count(*) > 100 from set_aside") == [(True,)]


def test_a_changed_declaration_makes_a_new_series(intake: Intake, database: str) -> None:
    from dataclasses import replace

    import msgspec

    gateway, t = Gateway(), now_us()
    intake.take([gateway.dictionary(), gateway.batch(1, [sample(GOOD, t, 1.0)])])
    signals = list(gateway.signals.signals)
    signals[GOOD] = msgspec.structs.replace(signals[GOOD], width=32)
    other = replace(gateway, signals=msgspec.structs.replace(gateway.signals, signals=signals))
    intake.take([other.dictionary(), other.batch(2, [sample(GOOD, t + 1, 2.0)])])
    found = rows(
        database,
        "select declared->>'width', value from samples join series using (series_id) order by time",
    )
    assert found == [("16", 1.0), ("32", 2.0)]
    assert rows(database, "select count(*) from series") == [(4,)]


def test_years_back_and_in_any_order(intake: Intake, database: str) -> None:
    gateway, year_us = Gateway(), 365 * 24 * HOUR_US
    t = now_us() - HOUR_US
    times = [t - 9 * year_us, t, t - 3 * year_us, t - 9 * year_us + 8 * 24 * HOUR_US]
    intake.take([gateway.dictionary(), gateway.batch(1, [sample(GOOD, at, 1.0) for at in times])])
    intake.take([gateway.batch(2, [sample(GOOD, at + 1, 1.0) for at in times])])
    assert rows(database, "select count(*) from samples") == [(8,)]


def test_two_ingests_at_once_store_each_batch_once(database: str) -> None:
    gateways = [Gateway(agent=f"gw-{number}") for number in range(4)]
    t = now_us() - 3 * HOUR_US
    messages = [
        gateway.batch(
            seq,
            [sample(GOOD, t + seq * 10_000_000, float(seq)), sample(ENERGY, t - seq * HOUR_US * 24 * 9, 1.0)],
            marks=[ScanMark(PRESS, t + seq, t + seq + 1)],
        )
        for gateway in gateways
        for seq in range(1, 31)
    ]
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        mine = messages[:]
        chance.shuffle(mine)
        pool = open_pool(database, name=f"ingest-{seed}", size=3)
        intake = Intake(pool)
        waiting = [[gateway.dictionary() for gateway in gateways]]
        while mine:
            count = chance.randrange(1, 9)
            waiting.append(mine[:count])
            del mine[:count]
        try:
            for each in waiting:
                take(intake, each)
        except BaseException as error:
            failures.append(error)
        finally:
            pool.close()

    def take(intake: Intake, each: list[Message]) -> None:
        for _ in range(50):
            try:
                intake.take(each)
                return
            except psycopg.OperationalError:
                continue
        raise AssertionError("the database refused 50 times")

    threads = [threading.Thread(target=work, args=[seed]) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    assert rows(database, "select count(*), count(distinct (series_id, time)) from samples") == [(240, 240)]
    assert rows(database, "select received::text from streams") == [("{[1,31)}",)] * 4
    assert rows(database, "select count(*) from series") == [(12,)]
