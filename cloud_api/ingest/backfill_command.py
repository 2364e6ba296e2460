"""`cloud-api backfill --site S FILE...`: what it prints and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cloud_api.errors import CloudError
from cloud_api.ingest.backfill import BackfillRefused, Progress, backfill

Say = Callable[[str], None]
BAR = 30
"""Cells of the progress bar."""


def run(
    url: str,
    site: str,
    files: Sequence[Path],
    *,
    say: Say,
    complain: Say,
    draw: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Stores history files. Gives the exit code: 0, or 1 with nothing stored.

    `say` takes lines for standard output, `complain` for standard error, `draw` the progress bar, a text
    that begins with a carriage return; None where nobody watches.
    """
    begin = clock()
    try:
        done = backfill(url, site, files, _bar(draw))
    except BackfillRefused as refused:
        _end(draw)
        for line in refused.lines():
            complain(line)
        complain(str(refused))
        return 1
    except CloudError as error:
        _end(draw)
        complain(str(error))
        return 1
    _end(draw)
    for fault in done.ahead.first[:1]:
        more = f" ({done.ahead.count - 1} more like it)" if done.ahead.count > 1 else ""
        complain(f"{fault.file}:{fault.line}: warning: {fault.message}: {fault.mend}{more}")
    seconds = max(clock() - begin, 1e-6)
    counts = f"{done.read:,} rows read, {done.stored:,} were new, {done.hours:,} machine-hours to be computed"
    say(f"{site}: {counts} ({seconds:.1f} s, {done.read / seconds:,.0f} rows/s)")
    if done.hours:
        say("answers say how many are left in `pending_hours`, and are whole when it is 0")
    return 0


def _bar(draw: Callable[[str], None] | None) -> Progress:
    shown = ""

    def progress(phase: str, done: int, whole: int) -> None:
        nonlocal shown
        if draw is None:
            return
        share = min(1.0, done / max(1, whole))
        filled = round(BAR * share)
        line = f"\r{phase:8s} [{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%}"
        if line != shown:
            shown = line
            draw(line)

    return progress


def _end(draw: Callable[[str], None] | None) -> None:
    if draw is not None:
        draw("\n")
