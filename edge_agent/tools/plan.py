"""``plan``: what is asked of each device, how often and for how long; each address in both notations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_agent.adapters.modbus import limits_of, medium_of, span_of
from edge_agent.config.load import load_valid
from edge_agent.config.model import Config, ModbusRtuSource, ModbusSource, OpcUaSource, Signal
from edge_agent.core.address import Register
from edge_agent.core.durations import shown
from edge_agent.core.plan import Block, cycle_s
from edge_agent.core.plan import plan as plan_blocks

NODES_PER_CALL = 50
"""What a server of unknown limits is asked for at once; the agent takes the server's own limit where it tells
one.
"""


def plan(file: Path) -> int:
    """Print the plan of a config."""
    config = load_valid(file, files_needed=False)
    print("\n".join(_lines(config)))
    return 0


def _lines(config: Config) -> Iterator[str]:
    for source in config.sources:
        signals = list(config.signals_of(source.name))
        if isinstance(source, OpcUaSource):
            yield from _opcua(source, signals)
        else:
            yield from _modbus(source, signals)


def _opcua(source: OpcUaSource, signals: Sequence[Signal]) -> Iterator[str]:
    secured = "no security" if source.security is None else f"{source.security.policy} {source.security.mode}"
    yield f"{source.name}: opcua {source.endpoint}, {secured}"
    for how, some in (
        ("subscribed", [s for s in signals if not s.poll]),
        ("polled", [s for s in signals if s.poll]),
    ):
        for interval_us, group in _by_interval(some):
            calls = _count(-(-len(group) // NODES_PER_CALL), "batch", "batches")
            asked = f"{_count(len(group), 'node')} in {calls} of at most {NODES_PER_CALL}"
            yield f"  every {shown(interval_us)}: {asked}, {how}"
            yield from (f"    {signal.address!s:<44} {signal.key}" for signal in group)


def _modbus(source: ModbusSource, signals: Sequence[Signal]) -> Iterator[str]:
    place = source.device if isinstance(source, ModbusRtuSource) else f"{source.host}:{source.port}"
    yield f"{source.name}: {source.type} {place}"
    medium = medium_of(source)
    for interval_us, group in _by_interval(signals):
        by_span: dict[object, list[Signal]] = {}
        for signal in group:
            by_span.setdefault(span_of(signal, source), []).append(signal)
        blocks = plan_blocks({span_of(signal, source) for signal in group}, medium, limits_of(source))
        cycle = cycle_s(blocks, medium)
        registers = _count(sum(block.count for block in blocks), "register")
        asked = f"{_count(len(blocks), 'request')}, {registers}, {_count(len(group), 'tag')}"
        time = f"estimated cycle {cycle * 1000:.0f} ms{_too_slow(cycle, interval_us)}"
        yield f"  every {shown(interval_us)}: {asked}, {time}"
        for block in blocks:
            yield f"    unit {block.unit} {_both(block)}, {_count(block.count, 'register')}"
            for span in block.spans:
                for signal in by_span[span]:
                    yield f"      {_address(signal)} {signal.layout.type!s:<10} {signal.key}"


def _by_interval(signals: Sequence[Signal]) -> list[tuple[int, list[Signal]]]:
    groups: dict[int, list[Signal]] = {}
    for signal in signals:
        groups.setdefault(signal.interval_us, []).append(signal)
    return sorted(groups.items())


def _both(block: Block) -> str:
    first, last = Register(block.space, block.first), Register(block.space, block.last)
    if block.count == 1:
        return f"{first} ({first.modicon})"
    return f"{first}-{block.last} ({first.modicon}-{last.modicon})"


def _address(signal: Signal) -> str:
    modicon = signal.address.modicon if isinstance(signal.address, Register) else ""
    return f"{signal.address!s:<16} {modicon:<7}"


def _too_slow(cycle: float, interval_us: int) -> str:
    if cycle * 1_000_000 <= interval_us:
        return ""
    return f", longer than the interval: choose at least {cycle:.1f} s, or fewer tags"


def _count(count: int, word: str, plural: str = "") -> str:
    return f"{count} {word}" if count == 1 else f"{count} {plural or word + 's'}"
