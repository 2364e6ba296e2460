"""Many items that all change, from a server that keeps up with it: each count of each item arrives, once."""

from __future__ import annotations

from pathlib import Path

from tests.integration.edge_sources.parts import Memory, running, signal, until
from tests.integration.edge_sources.server import opcua
from tests.peers.opcua import URI, Peer, peer

ITEMS = 5_000
PATIENT = {"timeout_us": 20_000_000, "grace_us": 30_000_000}
"""A busy machine is no loss."""


def faults(
    server: Peer, seen: Memory, items: int, first: float, last: float
) -> list[tuple[int, list[float]]]:
    """Items that did not tell each number from first to last once, in order; and what they told."""
    by_item: dict[int, list[float]] = {n: [] for n in range(items)}
    for reading, full in seen.told:
        if not full:
            by_item[reading.signal].append(float(reading.value or 0))
    due = [value for _, value in server.truth() if first <= value <= last]
    return [(n, told) for n, told in by_item.items() if [v for v in told if first <= v <= last] != due]


async def test_five_thousand_items_that_change_each_second_arrive_each_time(tmp_path: Path):
    async with peer(tmp_path, lean=True, items=ITEMS, period_ms=1000) as server:
        signals = [signal(n, f"nsu={URI};s=v{n}", interval_us=500_000) for n in range(ITEMS)]
        source = opcua(server.port, signals, interval_us=500_000, **PATIENT)
        async with running(source) as seen:
            await until(lambda: source.health().live == ITEMS and seen.marks, 120)
            first = float(seen.told[-1][0].value or 0) + 1
            await until(lambda: (seen.told[-1][0].value or 0) >= first + 3, 60)
            assert (source.health().live, source.health().polled, source.overflows) == (ITEMS, 0, 0)
        assert faults(server, seen, ITEMS, first, first + 2) == []
        assert not seen.losses


async def test_a_controller_that_takes_a_thousand_items_is_asked_for_the_slow_ones(tmp_path: Path):
    """An S7-1200 by its name: never more items than its kind is known to take."""
    async with peer(tmp_path, lean=True, items=1_100, period_ms=1000, product="SIMATIC S7-1200") as server:
        signals = [
            signal(n, f"nsu={URI};s=v{n}", interval_us=300_000 if n < 100 else 200_000) for n in range(1_100)
        ]
        source = opcua(server.port, signals, interval_us=200_000, **PATIENT)
        async with running(source) as seen:
            await until(lambda: source.health().live == 1_100 and seen.marks, 120)
            await until(lambda: source.health().polled == 100, 120)
            known = max(float(reading.value or 0) for reading, _ in seen.told)
            await until(lambda: all((seen.last(n).value or 0) > known for n in (0, 99, 100, 1_099)), 60)


async def test_five_changes_a_second_of_many_items_arrive_when_published_once(tmp_path: Path):
    async with peer(tmp_path, lean=True, items=300, period_ms=200) as server:
        signals = [signal(n, f"nsu={URI};s=v{n}", interval_us=200_000) for n in range(300)]
        source = opcua(server.port, signals, interval_us=1_000_000, **PATIENT)
        async with running(source) as seen:
            await until(lambda: source.health().live == 300 and seen.marks, 120)
            first = float(seen.told[-1][0].value or 0) + 1
            await until(lambda: (seen.told[-1][0].value or 0) >= first + 16, 60)
        assert faults(server, seen, 300, first, first + 14) == []
        told = {float(reading.value or 0): reading.time_us for reading in seen.of(7)}
        assert all(told[value] == at_us for at_us, value in server.truth() if first <= value <= first + 14)
