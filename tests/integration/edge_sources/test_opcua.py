"""The OPC UA source against a real server over TCP."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from asyncua import ua

from edge_agent.config.model import TimeOf, TimePolicy
from edge_agent.core.mapping import Meaning
from shared.sample import Quality
from tests.integration.edge_sources.parts import RealClock, running, signal, until
from tests.integration.edge_sources.server import URI, opcua, plant

STATES = Meaning(map=((0, "idle"), (1, "running")), text=True, states=True)


def node(index: int, name: str, **wishes: object):
    return signal(index, f"nsu={URI};s={name}", **wishes)


async def test_everything_is_read_first_then_changes_arrive_in_order():
    values = {"n": 0, "text": "P-1", "f": 1.5, "b": True}
    async with plant(values) as server:
        signals = [node(0, "n"), node(1, "text", meaning=Meaning(text=True)), node(2, "f"), node(3, "b")]
        source = opcua(server.port, signals)
        async with running(source) as seen:
            await until(lambda: len(seen.told) >= 4)
            assert [(reading.value, full) for reading, full in seen.told[:4]] == [
                (0, True),
                ("P-1", True),
                (1.5, True),
                (1, True),
            ]
            await until(lambda: source.health().live == 4 and seen.marks)
            for number in range(1, 21):
                await server.write("n", number)
                await asyncio.sleep(0.02)
            await until(lambda: seen.last(0).value == 20)
            changes = [reading.value for reading in seen.of(0) if reading.value]
            assert changes == list(range(1, 21))
            times = [reading.time_us for reading in seen.of(0)]
            assert times == sorted(times)
            health = source.health()
            assert (health.configured, health.live, health.connected, health.reason) == (4, 4, True, None)


async def test_every_change_at_five_hertz_arrives_when_published_each_second():
    async with plant({"n": 0}) as server:
        source = opcua(server.port, [node(0, "n", interval_us=50_000)], interval_us=1_000_000)
        async with running(source) as seen:
            await until(lambda: source.health().live == 1)
            for number in range(1, 26):
                await server.write("n", number)
                await asyncio.sleep(0.2)
            await until(lambda: seen.last(0).value == 25)
        changes = [reading for reading in seen.of(0) if reading.value]
        assert [reading.value for reading in changes] == list(range(1, 26))
        steps = [b.time_us - a.time_us for a, b in pairwise(changes)]
        assert all(50_000 < step < 900_000 for step in steps), "dated by the source, not by the publish"
        assert source.overflows == 0


async def test_a_quiet_source_is_proven_by_keep_alives():
    async with plant({"n": 0}) as server:
        async with running(opcua(server.port, [node(0, "n")])) as seen:
            await until(lambda: len(seen.marks) >= 3)
        assert len(seen.covered()) == 1
        assert all(to_us - from_us < 6_000_000 for from_us, to_us in seen.marks)


async def test_quality_maps_and_refused_nodes():
    async with plant({"state": 1, "q": 5}) as server:
        signals = [
            node(0, "state", meaning=STATES),
            node(1, "q"),
            node(2, "nothing"),
            signal(3, "nsu=urn:no;s=x"),
        ]
        source = opcua(server.port, signals)
        async with running(source) as seen:
            await until(lambda: source.health().live == 2)
            assert (seen.last(0).value, seen.last(0).raw) == ("running", 1)
            assert (seen.last(2).quality, seen.last(2).why) == (Quality.BAD, "BadNodeIdUnknown")
            assert (seen.last(3).quality, seen.last(3).why) == (
                Quality.BAD,
                "the server has no namespace urn:no",
            )
            assert "m.s" in (source.health().reason or "")
            await server.write("q", 6, status=ua.StatusCodes.BadSensorFailure)
            await until(lambda: seen.last(1).quality is Quality.BAD)
            assert seen.last(1).why == "BadSensorFailure"
            await server.write("q", 7, status=ua.StatusCodes.UncertainSensorNotAccurate)
            await until(lambda: seen.last(1).value == 7)
            assert seen.last(1).quality is Quality.UNCERTAIN


async def test_values_find_their_signal_whatever_was_refused_between_them():
    """Handles, not places: numbers that are no places, one item refused, changes told in another order."""
    async with plant({"a": 1, "b": 2, "c": 3}) as server:
        signals = [node(5, "a"), node(2, "nothing"), node(9, "b"), node(0, "c")]
        source = opcua(server.port, signals)
        async with running(source) as seen:
            await until(lambda: source.health().live == 3 and seen.marks)
            assert [seen.last(n).value for n in (5, 9, 0)] == [1, 2, 3]
            for name, value in (("c", 30), ("b", 20), ("a", 10)):
                await server.write(name, value)
            await until(lambda: [seen.last(n).value for n in (5, 9, 0)] == [10, 20, 30])
            assert seen.last(2).quality is Quality.BAD


async def test_a_server_that_drops_every_session_is_not_stormed():
    """It takes connections and hangs up at the first word: one attempt in five seconds, probes between."""
    hellos: list[float] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(3) == b"HEL":
            hellos.append(time.monotonic())
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listener:
        source = opcua(listener.sockets[0].getsockname()[1], [node(0, "n")])
        async with running(source) as seen:
            await until(lambda: len(hellos) == 3, 40)
            assert seen.losses
            assert (source.sessions, source.health().connected) == (3, False)
    assert all(b - a >= 4.5 for a, b in pairwise(hellos))


async def test_gone_and_back_with_another_namespace_index():
    async with plant({"n": 1}) as server:
        port = server.port
        source = opcua(port, [node(0, "n")])
        running_source = running(source)
        seen = await running_source.__aenter__()
        await until(lambda: seen.marks)
    gone_us = time.time_ns() // 1000
    try:
        await until(lambda: seen.losses)
        assert seen.losses[0][0] <= gone_us
        assert gone_us - seen.losses[0][0] < 6_000_000
        sessions = source.sessions
        await asyncio.sleep(3.0)
        assert source.sessions == sessions, "no session is asked for while nobody listens"
        async with plant({"n": 2}, port=port, spaces_before=3):
            await until(lambda: seen.last(0).value == 2, 5.5)
            assert seen.told[-1][1] or seen.told[-1][0].value == 2
            await until(lambda: len(seen.covered()) == 2)
            assert source.sessions == sessions + 1
        assert len(seen.losses) <= 2
    finally:
        await running_source.__aexit__(None, None, None)


async def test_a_clock_that_is_an_hour_behind_is_measured_and_mended():
    async with plant({"n": 0}) as server:
        server.ahead = timedelta(hours=-1)
        source = opcua(server.port, [node(0, "n")])
        async with running(source) as seen:
            await until(lambda: source.health().live == 1)
            for number in range(1, 8):
                await server.write("n", number)
                await asyncio.sleep(0.11)
            await until(lambda: seen.last(0).value == 7)
        changes = [reading for reading in seen.of(0) if reading.value]
        now_us = time.time_ns() // 1000
        assert all(now_us - 5_000_000 < reading.time_us <= now_us for reading in changes)
        assert all(reading.time_us - (reading.source_time_us or 0) > 3_590_000_000 for reading in changes)
        assert 3_599 < (source.clock_offset_s or 0) < 3_601


async def test_a_source_time_of_the_year_2000_is_kept_and_not_believed():
    async with plant({"n": 0}) as server:
        source = opcua(server.port, [node(0, "n")])
        async with running(source) as seen:
            await until(lambda: source.health().live == 1)
            await server.write("n", 1, at=datetime(2000, 1, 1, tzinfo=UTC))
            await until(lambda: seen.last(0).value == 1)
        reading = seen.last(0)
        assert abs(reading.time_us - time.time_ns() // 1000) < 3_000_000
        assert reading.source_time_us == 946_684_800_000_000


async def test_a_clock_ahead_never_dates_a_value_into_the_future():
    async with plant({"n": 0}) as server:
        server.ahead = timedelta(seconds=3)
        source = opcua(server.port, [node(0, "n")])
        async with running(source) as seen:
            await until(lambda: source.health().live == 1)
            for number in range(1, 6):
                await server.write("n", number)
                await asyncio.sleep(0.1)
            await until(lambda: seen.last(0).value == 5)
        assert all(reading.time_us <= time.time_ns() // 1000 for reading, _ in seen.told)


async def test_the_gateways_clock_where_the_config_says_so():
    async with plant({"n": 0}) as server:
        server.ahead = timedelta(seconds=-4)
        policy = TimePolicy(use=TimeOf.GATEWAY)
        source = opcua(server.port, [node(0, "n")], time=policy)
        async with running(source) as seen:
            await until(lambda: source.health().live == 1)
            await server.write("n", 1)
            wrote_us = time.time_ns() // 1000
            await until(lambda: seen.last(0).value == 1)
        assert abs(seen.last(0).time_us - wrote_us) < 3_000_000


async def test_a_wall_clock_that_is_set_ends_the_proof_and_begins_anew():
    clock = RealClock()
    async with plant({"n": 0}) as server:
        async with running(opcua(server.port, [node(0, "n")], clock)) as seen:
            await until(lambda: seen.marks)
            clock.step_us = 3_600_000_000
            await until(lambda: len(seen.covered()) == 2, 12)
        (_, ended_us), (began_us, _) = seen.covered()
        assert began_us - ended_us > 3_500_000_000
        assert "clock was set" in seen.losses[0][1]


async def test_many_nodes_go_in_batches_and_all_arrive():
    values = {f"v{number}": number for number in range(320)}
    async with plant(values) as server:
        signals = [node(number, f"v{number}") for number in range(320)]
        source = opcua(server.port, signals)
        async with running(source) as seen:
            await until(lambda: source.health().live == 320)
            assert [reading.value for reading, _ in seen.told[:320]] == list(range(320))
            for number in (0, 49, 50, 319):
                await server.write(f"v{number}", 1000 + number)
            await until(lambda: all(seen.last(n).value == 1000 + n for n in (0, 49, 50, 319)))


async def test_the_integrity_read_finds_an_item_that_the_server_forgot():
    async with plant({"n": 0, "other": 0}) as server:
        source = opcua(server.port, [node(0, "n"), node(1, "other")])
        source.integrity_every_s = 1.0
        async with running(source) as seen:
            await until(lambda: source.health().live == 2)
            subscriptions = server.server.iserver.subscription_service.subscriptions
            (subscription,) = subscriptions.values()
            handles = list(subscription.monitored_item_srv._monitored_items)
            subscription.monitored_item_srv.delete_monitored_items(handles[:1])
            await server.write("n", 42)
            await until(lambda: seen.last(0).value == 42, 15)
        assert "did not report it" in seen.losses[0][1]


async def test_reading_without_running_and_from_a_server_that_is_not_there():
    async with plant({"n": 8}) as server:
        source = opcua(server.port, [node(0, "n")])
        (reading,) = await source.read([0])
        await source.close()
        assert (reading.value, reading.quality) == (8, Quality.GOOD)
    source = opcua(server.port, [node(0, "n")], timeout_us=300_000)
    (reading,) = await source.read([0])
    assert reading.quality is Quality.BAD
    assert reading.why


async def test_a_read_while_the_source_runs_asks_for_no_session_of_its_own():
    async with plant({"n": 8}) as server:
        source = opcua(server.port, [node(0, "n")])
        async with running(source):
            await until(lambda: source.health().live == 1)
            (reading,) = await source.read([0])
            assert (reading.value, source.sessions) == (8, 1)
    async with running(source):
        await until(lambda: "takes no connection" in (source.health().reason or ""))
        (reading,) = await source.read([0])
        assert (reading.quality, source.sessions) == (Quality.BAD, 1)
        assert "takes no connection" in (reading.why or "")
