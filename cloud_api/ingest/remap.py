"""`cloud-api remap`: a corrected map applied to the raw values of a signal, in open periods."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.access import keys
from cloud_api.errors import CloudError
from cloud_api.store import marks, plant
from cloud_api.store.pool import connect
from cloud_api.store.statements import statement
from cloud_api.store.wall_time import UnreadableTime, read_instant

Say = Callable[[str], None]
HEADERS = (("value", "word"), ("raw", "word"), ("raw", "value"), ("raw", "text"))


@dataclass(frozen=True, slots=True)
class Remapped:
    """What was done: samples with another word, machine-hours to be computed again, samples whose raw value
    the map does not name, and samples of locked and closed periods, which stay."""

    changed: int
    hours: int
    unnamed: int
    kept: int


def run(
    url: str,
    machine: str,
    signal: str,
    from_: str,
    file: Path,
    *,
    site: str | None = None,
    say: Say,
    complain: Say,
) -> int:
    """Applies the map of a CSV file (two columns: raw value and word) from an instant on.

    Gives the exit code. `from_` is a date in the site's zone or RFC 3339."""
    try:
        with connect(url, name="remap", autocommit=True) as connection:
            words = read_map(file)
            with connection.transaction():
                done = remap(connection, machine, signal, from_, words, site=site)
    except CloudError as error:
        complain(str(error))
        return 1
    rest = f"; {done.unnamed:,} raw values are not in the map" if done.unnamed else ""
    rest += f"; {done.kept:,} samples of locked and closed periods stay" if done.kept else ""
    say(f"{machine} {signal}: {done.changed:,} samples changed, {done.hours:,} hours to compute again{rest}")
    return 0


def remap(
    connection: Connection[TupleRow],
    machine: str,
    signal: str,
    from_: str,
    words: dict[str, str],
    *,
    site: str | None,
) -> Remapped:
    """Gives samples the words of a map, by their raw values, in the transaction of the caller.

    Raises CloudError where the signal is not there, or stands at several sites and none is named."""
    found = connection.execute(
        statement("remap.series"), {"machine": machine, "signal": signal, "site": site}
    ).fetchall()
    sites = sorted({row[3] for row in found})
    if not found:
        raise CloudError(f"no agent sent '{signal}' of '{machine}'", "--signal", "see /v1/samples?machine=")
    if len(sites) > 1:
        raise CloudError(f"'{machine}' stands at {', '.join(sites)}", "--machine", "name one with --site")
    at = {
        "series": [row[0] for row in found],
        "site": sites[0],
        "from": _instant(connection, sites[0], from_),
        "raws": list(words),
        "words": list(words.values()),
    }
    left = connection.execute(statement("remap.left"), at).fetchone()
    hours = connection.execute(statement("remap.apply"), at).fetchall()
    marks.append(connection, [(found[0][1], hour) for hour, _ in hours])
    changed = sum(count for _, count in hours)
    detail = {"machine": machine, "signal": signal, "from": from_, "map": words, "samples": changed}
    keys.record(connection, "signal remapped", site=sites[0], detail=detail)
    return Remapped(changed, len(hours), left[0] if left else 0, left[1] if left else 0)


def read_map(file: Path) -> dict[str, str]:
    """The map of a CSV file: a line for each raw value and its word; a line of column names may stand first.

    Raises CloudError with every line that is wrong."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CloudError("the map cannot be read", str(file), "give a CSV file in UTF-8") from error
    words: dict[str, str] = {}
    wrong: list[str] = []
    for number, row in enumerate(csv.reader(io.StringIO(text, newline="")), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and tuple(cell.lower() for cell in cells) in HEADERS):
            continue
        if len(cells) != 2 or not all(cells):
            wrong.append(f"line {number} has not two cells")
        elif _plain(cells[0]) in words:
            wrong.append(f"line {number} names {cells[0]} again")
        else:
            words[_plain(cells[0])] = cells[1]
    if not words and not wrong:
        wrong.append("it is empty")
    if wrong:
        raise CloudError(
            f"the map has mistakes: {'; '.join(wrong)}", str(file), "write raw value,word in each line"
        )
    return words


def _plain(raw: str) -> str:
    """A raw value as the database spells it: 1.0 and 01 are 1."""
    try:
        value = float(raw)
    except ValueError:
        return raw
    return str(int(value)) if value == int(value) else repr(value)


def _instant(connection: Connection[TupleRow], site: str, word: str) -> datetime:
    model = plant.snapshot(connection, site)
    zone = ZoneInfo(model.time_zone if model else "UTC")
    try:
        if len(word) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(word), time(0), tzinfo=zone).astimezone(UTC)
        return read_instant(word, zone)
    except UnreadableTime as unreadable:
        raise CloudError(unreadable.message, "--from", unreadable.mend) from None
    except ValueError:
        raise CloudError(f"'{word}' is no date", "--from", "write it as 2026-01-31") from None
