"""Readings as people and scripts see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from edge_agent.config.model import Config, Signal
from edge_agent.loops.derive import Deriver
from edge_agent.ports import Reading

Row = dict[str, Any]
_COLUMNS = ("signal", "value", "raw", "quality", "source time", "age", "")


def shown(config: Config) -> list[Signal]:
    """What can be read by name: signals, and tags but those without a name of their own."""
    return [*config.signals, *(tag for tag in config.tags if not tag.name.startswith("("))]


def inputs_of(config: Config, keys: Sequence[str]) -> list[str]:
    """What must be read from sources to show these: for a derived signal, what its machine reads."""
    wanted = set(keys)
    derived = {signal.machine for signal in config.signals if signal.key in wanted and signal.address is None}
    return [
        value.key
        for value in shown(config)
        if value.address is not None and (value.key in wanted or value.machine in derived)
    ]


def complete(
    config: Config, found: Mapping[str, Reading], totals: Mapping[str, float] | None = None
) -> dict[str, Reading]:
    """What was read, and what is derived from it at this moment.

    totals: where counts of edges stand; without them they begin at 0.
    """
    numbers = {value.key: value for value in shown(config)}
    kept = _Kept()
    deriver = Deriver(kept, config, dict(totals or {}))
    by_source: dict[str, list[Reading]] = {}
    for key, reading in found.items():
        value = numbers[key]
        by_source.setdefault(value.source, []).append(replace(reading, signal=value.index))
    for source, readings in by_source.items():
        deriver.readings(source, readings)
    derived = {config.signals[index].key: reading for index, reading in kept.last.items()}
    return {**derived, **found}


def rows(config: Config, found: Mapping[str, Reading], now_us: int, keys: Sequence[str]) -> list[Row]:
    """One row for each of the keys, in the order of the config; times in RFC 3339, UTC; ages in seconds."""
    return [
        _row(value, reading, now_us)
        for value in shown(config)
        if value.key in set(keys) and (reading := found.get(value.key)) is not None
    ]


class _Kept:
    """A sink that keeps the last reading of each signal."""

    def __init__(self) -> None:
        self.last: dict[int, Reading] = {}

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        self.last |= {reading.signal: reading for reading in readings}

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        return None

    def lost(self, source: str, since_us: int, reason: str) -> None:
        return None


def _row(signal: Signal, reading: Reading, now_us: int) -> Row:
    return {
        "signal": signal.key,
        "machine": signal.machine,
        "name": signal.name,
        "role": str(signal.role),
        "source": signal.source,
        "address": None if signal.address is None else str(signal.address),
        "value": reading.value,
        "unit": "kW" if signal.integrate else signal.unit,
        "raw": reading.raw,
        "quality": reading.quality.name.lower(),
        "time": _time(reading.time_us),
        "source_time": _time(_source_us(reading)),
        "age_s": round(max(0, now_us - _source_us(reading)) / 1e6, 3),
        "why": reading.why,
    }


def table(found: Sequence[Row]) -> list[str]:
    """The rows as a table, first its head."""
    lines = [_COLUMNS] + [
        (
            row["signal"],
            _value(row["value"]) + (f" {row['unit']}" if row["unit"] and row["value"] is not None else ""),
            _value(row["raw"]) if row["raw"] is not None else "",
            row["quality"],
            row["source_time"],
            f"{row['age_s']:.1f} s",
            row["why"] or "",
        )
        for row in found
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _source_us(reading: Reading) -> int:
    return reading.time_us if reading.source_time_us is None else reading.source_time_us


def _time(at_us: int) -> str:
    try:
        return (
            datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
    except (OverflowError, OSError, ValueError):
        return f"{at_us} us"


def _value(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"
