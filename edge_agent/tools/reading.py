"""Readings as people and scripts see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from edge_agent.config.model import Config
from edge_agent.ports import Reading

Row = dict[str, Any]
_COLUMNS = ("signal", "value", "raw", "quality", "source time", "age", "")


def rows(config: Config, found: Mapping[str, Reading], now_us: int) -> list[Row]:
    """One row a signal, in the order of the config; times in RFC 3339, UTC; ages in seconds."""
    return [
        {
            "signal": signal.key,
            "machine": signal.machine,
            "name": signal.name,
            "role": str(signal.role),
            "source": signal.source,
            "address": str(signal.address),
            "value": reading.value,
            "unit": "kW" if signal.integrate else signal.unit,
            "raw": reading.raw,
            "quality": reading.quality.name.lower(),
            "time": _time(reading.time_us),
            "source_time": _time(_source_us(reading)),
            "age_s": round(max(0, now_us - _source_us(reading)) / 1e6, 3),
            "why": reading.why,
        }
        for signal in config.signals
        if (reading := found.get(signal.key)) is not None
    ]


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
