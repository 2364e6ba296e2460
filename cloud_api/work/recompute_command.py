"""`cloud-api recompute`: rebuilds figures from raw samples, or proves that they follow from them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as wall_time
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.interpret.standards import Book
from cloud_api.store import evidence, marks, plant, pool
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of, to_us
from cloud_api.store.wall_time import UnreadableTime, read_instant
from cloud_api.work.crew import WORTH_HOURS, Crew, cores
from cloud_api.work.proof import Proof, changed_since_close, prove
from cloud_api.work.replay import Close, Replay, charges_differing, closes_of, overlapping
from cloud_api.work.turn import Books
from cloud_api.work.worker import Worker, utc_now
from shared.units import HOUR_US

Say = Callable[[str], None]
SHOWN = 20
"""At most so many differences of a machine are printed."""
WAIT_S = 0.2


@dataclass(frozen=True, slots=True)
class Chosen:
    """A machine that a command is about, with the window as the site's zone reads it."""

    machine_id: int
    site: str
    machine: str
    from_us: int | None
    to_us: int | None


def run(
    url: str,
    *,
    site: str | None = None,
    machine: str | None = None,
    from_: str | None = None,
    to: str | None = None,
    prove_: bool = False,
    processes: int | None = None,
    say: Say,
    complain: Say,
) -> int:
    """Rebuilds or proves the figures of machines in a window (dates in the site's zone, or RFC 3339), in
    so many processes (None: as many as there are cores).

    Gives the exit code: 0, or 1 where a figure does not follow from the samples or the question is wrong.
    """
    try:
        with pool.connect(url, name="recompute", autocommit=True) as connection:
            chosen = _chosen(connection, site, machine, from_, to)
            if prove_:
                return _prove(connection, chosen, say, complain)
            return _rebuild(connection, url, chosen, processes, say)
    except CloudError as error:
        complain(str(error))
        return 1


def _chosen(
    connection: Connection[TupleRow], site: str | None, machine: str | None, from_: str | None, to: str | None
) -> list[Chosen]:
    found = connection.execute(statement("work.subjects"), {"site": site, "machine": machine}).fetchall()
    if not found:
        where = " ".join(word for word in (site, machine) if word) or "this database"
        raise CloudError("no machine has data", where, "mend --site and --machine, or wait for data")
    zones: dict[str, ZoneInfo] = {}
    chosen: list[Chosen] = []
    for machine_id, name, known in found:
        if name not in zones:
            model = plant.snapshot(connection, name)
            zones[name] = ZoneInfo(model.time_zone if model else "UTC")
        window = _instant(from_, "--from", zones[name]), _instant(to, "--to", zones[name])
        if window[0] is not None and window[1] is not None and window[0] >= window[1]:
            raise CloudError(f"{to} is not after {from_}", "--to", "give the later time; it is exclusive")
        chosen.append(Chosen(machine_id, name, known, *window))
    return chosen


def _instant(word: str | None, option: str, zone: ZoneInfo) -> int | None:
    if word is None:
        return None
    try:
        if len(word) == len("2026-01-31"):
            return to_us(
                datetime.combine(date.fromisoformat(word), wall_time(0), tzinfo=zone).astimezone(UTC)
            )
        return to_us(read_instant(word, zone))
    except UnreadableTime as unreadable:
        raise CloudError(unreadable.message, option, unreadable.mend) from None
    except ValueError:
        raise CloudError(f"'{word}' is no date", option, "write it as 2026-01-31") from None


def _rebuild(
    connection: Connection[TupleRow], url: str, chosen: list[Chosen], processes: int | None, say: Say
) -> int:
    """Marks every hour of the window and works, beside a running interpreter if any, until it is done."""
    begin = time.monotonic()
    hours = 0
    with connection.transaction():
        for each in chosen:
            hours += _mark(connection, each)
    worker = Worker(url)
    machines = [each.machine_id for each in chosen]
    last = _last_mark(connection)
    _together(url, machines, hours, processes or cores())
    while True:
        worker.drain(connection, machines)
        if not _older_marks(connection, machines, last):
            break
        time.sleep(WAIT_S)
    say(f"{len(chosen)} machines, {hours:,} machine-hours computed again ({time.monotonic() - begin:.1f} s)")
    return 0


def _together(url: str, machines: list[int], hours: int, processes: int) -> None:
    """Works on the machines in some processes, where it is worth their start. What a process leaves, as it
    failed or another interpreter held a machine, the caller goes on with."""
    processes = min(len(machines), processes)
    if processes < 2 or hours < WORTH_HOURS:
        return
    with Crew(url) as crew:
        crew.begin([machines[at::processes] for at in range(processes)])
        crew.wait()


def _mark(connection: Connection[TupleRow], each: Chosen) -> int:
    who = evidence.subject(connection, each.machine_id, None, utc_now())
    if who is None:
        return 0
    first = max(who.first_us, each.from_us or 0)
    end = min(who.watermark_us + 1, each.to_us or who.watermark_us + 1)
    if first >= end:
        return 0
    marks.append_span(connection, [each.machine_id], from_us(first), from_us(end))
    return 1 + (hour_of(end - 1) - hour_of(first)) // HOUR_US


def _last_mark(connection: Connection[TupleRow]) -> int:
    found = connection.execute("select coalesce(max(mark_id), 0) from marks").fetchone()
    return int(found[0]) if found else 0


def _older_marks(connection: Connection[TupleRow], machines: list[int], last: int) -> bool:
    """Whether marks are left that another interpreter works on."""
    query = (
        "select exists (select from marks join machines m using (machine_id) where machine_id = any(%s) "
        "and mark_id <= %s and exists (select from plant_versions v where v.site = m.site))"
    )
    found = connection.execute(query, (machines, last)).fetchone()
    return bool(found and found[0])


def _prove(connection: Connection[TupleRow], chosen: list[Chosen], say: Say, complain: Say) -> int:
    wrong = 0
    books: dict[str, Book | None] = {}
    closes: dict[str, list[Close]] = {}
    for each in chosen:
        with pool.snapshot(connection):
            if each.site not in books:
                books[each.site] = Books().of(connection, each.site)
                for line in changed_since_close(connection, each.site):
                    complain(f"a closed figure is not what its close recorded: {each.site} {line}")
                    wrong += 1
                closes[each.site] = closes_of(connection, each.site)
                for close in overlapping(closes[each.site], each.from_us, each.to_us):
                    for line in charges_differing(connection, each.site, close):
                        complain(f"a closed charge is not that of its close: {each.site} {line}")
                        wrong += 1
            book = books[each.site]
            who = evidence.subject(connection, each.machine_id, book.plant if book else None, utc_now())
            if book is None or who is None:
                complain(f"nothing to prove: {each.site} {each.machine}: load its plant model")
                wrong += 1
                continue
            proof = prove(connection, who, book, each.from_us, each.to_us)
            replay = Replay(connection, who)
            replay.run(overlapping(closes[each.site], each.from_us, each.to_us))
        _tell(each.site, proof, say, complain)
        wrong += _tell_replay(each.site, replay, say, complain)
        wrong += bool(proof.differences)
    return 1 if wrong else 0


def _tell_replay(site: str, replay: Replay, say: Say, complain: Say) -> int:
    """Says whether the closed periods follow from what was known at their close; 1 where one does not."""
    where = f"{site} {replay.who.machine}"
    if replay.differences:
        for line in replay.differences[:SHOWN]:
            complain(f"a closed figure does not follow from what its close knew: {site} {line}")
        left = len(replay.differences) - SHOWN
        if left > 0:
            complain(f"... and {left} more in {where}")
        return 1
    if replay.hours:
        say(f"{where}: closed periods equal the replay of what was known at their close")
    return 0


def _tell(site: str, proof: Proof, say: Say, complain: Say) -> None:
    where = f"{site} {proof.machine}"
    rest = f"; {proof.waiting:,} machine-hours wait and are left out" if proof.waiting else ""
    if not proof.differences:
        say(f"{where}: {proof.hours:,} hours, {proof.rows:,} rows equal what the samples give{rest}")
        return
    for difference in proof.differences[:SHOWN]:
        complain(f"differs from the samples: {where} {difference.hour:%Y-%m-%dT%H:%MZ} {difference.table}")
        for row in difference.stored:
            complain(f"  stored   {row}")
        for row in difference.computed:
            complain(f"  computed {row}")
    left = len(proof.differences) - SHOWN
    if left > 0:
        complain(f"... and {left} more in {where}")
    complain(f"{len(proof.differences)} parts of hours differ: {where}: run recompute without --prove{rest}")
