"""Sizes as people write them: ``2 GiB``, ``256 MB``; inside, bytes."""

from __future__ import annotations

import re
from decimal import Decimal

UNITS: dict[str, int] = {
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
"""Bytes in one of each."""

PATTERN = r"^\s*[0-9]+(\.[0-9]+)?\s*([kMGT]B|[KMGT]iB|B)\s*$"
_PARTS = re.compile(r"^\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)\s*$")
_SPELLINGS = {unit.lower(): unit for unit in UNITS} | {"k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB"}


def parse_size(text: str) -> int:
    """Bytes; raises ValueError that says what to write."""
    found = _PARTS.match(text)
    if found is None:
        raise ValueError(f"'{text}' is not a size; write for example 2 GiB or 512 MB")
    number, unit = found.groups()
    if not unit:
        raise ValueError(f"'{text}' has no unit; write {number} B, {number} MiB or {number} GiB")
    if unit not in UNITS:
        meant = _SPELLINGS.get(unit.lower())
        mend = f"did you mean {number} {meant}?" if meant else "use B, kB, MB, GB, TB, KiB, MiB, GiB or TiB"
        raise ValueError(f"'{unit}' is not a unit of size; {mend}")
    return int(Decimal(number) * UNITS[unit])


def shown(size: int) -> str:
    """A size with its largest binary unit, to one decimal where it is not whole."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size >= UNITS[unit]:
            return f"{round(size / UNITS[unit], 1):g} {unit}"
    return f"{size} B"
