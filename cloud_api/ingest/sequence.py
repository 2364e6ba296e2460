"""Who may speak for an agent id, and which seqs are in. Pure: tables and ranges in, verdicts out.

Rules of this file:
- A *start* is one run of one installation (*instance*). One run at a time holds an agent id.
- A later start of the same instance takes over once the holder has ended (goodbye or will) or was silent for
  HANDOVER_US; until then it WAITS: nothing of it is stored or acknowledged, all stays in its buffer.
- It waits no longer than the holder proves alive: when the holder is still heard HANDOVER_US after the
  waiting one began to speak, two copies of one installation run at once.
- Another instance takes over once the holder said goodbye, or was silent for SILENCE_US.
- Whoever else speaks is APART: set aside whole, and the agent is in conflict until the holder is silent for
  SILENCE_US or a person chooses. A start that lost the holdership and speaks again is APART too.
- A run that said goodbye is over: what still comes in of it is a straggler, stored and no sign of life.
- Backlog (a batch whose stream is not its sender's start) that a run apart sends is stored as anyone's, since
  stream and seq tell copies of a batch from each other; but not backlog that a run apart wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

HANDOVER_US = 15_000_000
SILENCE_US = 300_000_000

Run = tuple[bytes, bytes]
"""Instance and start."""


class Verdict(StrEnum):
    """What becomes of a message."""

    HOLDS = "holds"
    WAITS = "waits"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of one run, times in microseconds UTC.

    connected: counter of its last hello; counter: of its last status. ended: it said goodbye; dropped: its
    will came, and nothing since. lost: another run took the agent id over from it.
    """

    first_us: int
    last_us: int
    connected: int = 0
    counter: int = 0
    ended: bool = False
    dropped: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """All runs of one agent id, and which of them holds it. conflict_since_us: None while there is none."""

    holder: Run | None = None
    runs: Mapping[Run, Heard] = field(default_factory=dict)
    conflict_since_us: int | None = None

    def apart(self, run: Run) -> bool:
        """Whether a run is set aside while the conflict lasts."""
        heard = self.runs.get(run)
        return self.conflict_since_us is not None and run != self.holder and heard is not None and heard.lost


def hear(
    standing: Standing, run: Run, now_us: int, *, connected: int | None = None, counter: int = 0
) -> tuple[Standing, Verdict]:
    """A run speaks at now_us (a batch, a status with its counter, or a hello with its counter as connected).

    Returns the new standing and what becomes of the message.
    """
    before = standing.runs.get(run)
    if before is not None and before.ended and connected is None:
        return standing, Verdict.APART if standing.apart(run) else Verdict.HOLDS
    heard = before or Heard(now_us, now_us)
    heard = replace(
        heard,
        last_us=max(heard.last_us, now_us),
        connected=max(heard.connected, connected or 0),
        counter=max(heard.counter, counter),
        ended=False,
        dropped=False,
    )
    verdict = _verdict(standing, run, heard, now_us)
    runs = {**standing.runs, run: heard}
    if verdict is Verdict.WAITS:
        return replace(standing, runs=runs), verdict
    if verdict is Verdict.APART:
        runs[run] = replace(heard, lost=True)
        since = standing.conflict_since_us
        return replace(standing, runs=runs, conflict_since_us=now_us if since is None else since), verdict
    return _held(replace(standing, runs=runs), run), verdict


def end(standing: Standing, run: Run, counter: int, *, will: bool) -> Standing:
    """A goodbye or will of a run; the will of an old connection (counter below the last hello's) is none."""
    heard = standing.runs.get(run)
    if heard is None or (will and counter < heard.connected):
        return standing
    return replace(standing, runs={**standing.runs, run: replace(heard, ended=not will, dropped=will)})


def choose(standing: Standing, run: Run) -> Standing:
    """A person says which run is the true one; every other one is set aside from now on."""
    runs = {other: replace(heard, lost=other != run) for other, heard in standing.runs.items()}
    return Standing(run, runs, standing.conflict_since_us)


def settle(standing: Standing, now_us: int) -> Standing:
    """Ends a conflict when at most one of its runs was heard in the last SILENCE_US.

    When the holder is the silent one, the run that still speaks takes over.
    """
    if standing.conflict_since_us is None:
        return standing
    alive = [
        run for run, heard in standing.runs.items() if now_us - heard.last_us < SILENCE_US and not heard.ended
    ]
    if len(alive) > 1:
        return standing
    settled = replace(standing, conflict_since_us=None)
    return _held(settled, alive[0]) if alive else settled


def backlog_verdict(standing: Standing, verdict: Verdict, stream: bytes) -> Verdict:
    """What becomes of a batch that another run than its sender wrote, given the verdict on the sender."""
    if any(run[1] == stream and standing.apart(run) for run in standing.runs):
        return Verdict.APART
    return Verdict.HOLDS if verdict is Verdict.APART else verdict


def overlaps(standing: Standing, run: Run, from_us: int, to_us: int) -> bool:
    """Whether another run spoke in [from_us, to_us]: what both told of stays set aside."""
    return any(
        heard.first_us <= to_us and from_us <= heard.last_us
        for other, heard in standing.runs.items()
        if other != run
    )


def _verdict(standing: Standing, run: Run, heard: Heard, now_us: int) -> Verdict:
    if standing.holder in (None, run) or standing.holder not in standing.runs:
        return Verdict.HOLDS
    if heard.lost and standing.conflict_since_us is not None:
        return Verdict.APART
    holder = standing.runs[standing.holder]
    silent_us = now_us - holder.last_us
    if holder.ended or silent_us >= SILENCE_US:
        return Verdict.HOLDS
    if heard.lost or run[0] != standing.holder[0]:
        return Verdict.APART
    if holder.dropped or silent_us >= HANDOVER_US:
        return Verdict.HOLDS
    return Verdict.APART if holder.last_us - heard.first_us > HANDOVER_US else Verdict.WAITS


def _held(standing: Standing, run: Run) -> Standing:
    """The standing once a run holds the id; the one that held it before has lost it."""
    runs = dict(standing.runs)
    if standing.holder is not None and standing.holder != run and standing.holder in runs:
        runs[standing.holder] = replace(runs[standing.holder], lost=True)
    runs[run] = replace(runs[run], lost=False)
    return replace(standing, holder=run, runs=runs)


def acknowledgement(received: Iterable[tuple[int, int]]) -> tuple[int, list[tuple[int, int]]]:
    """(through, also) of an ack: all from seq 1 on without a hole, and the other ranges; inclusive."""
    through = 0
    also: list[tuple[int, int]] = []
    for first, last in sorted(received):
        if first <= through + 1:
            through = max(through, last)
        else:
            also.append((first, last))
    return through, also


def missing(
    announced: Iterable[tuple[int, int]], received: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Inclusive ranges that the agent's disk holds and the database lacks."""
    there = sorted(received)
    lacking = []
    for first, last in sorted(announced):
        at = first
        for begin, finish in there:
            if finish < at:
                continue
            if begin > last:
                break
            if begin > at:
                lacking.append((at, begin - 1))
            at = finish + 1
        if at <= last:
            lacking.append((at, last))
    return lacking
