"""`cloud-api load DIR`: what it prints and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cloud_api.access import keys
from cloud_api.errors import CloudError
from cloud_api.plant.load import Loaded, load_directory
from cloud_api.plant.places import PlantRefused
from cloud_api.store import pool

Say = Callable[[str], None]
MOST_AUDITED = 500
"""Rows whose words before and after stand in the audit."""


def load(
    url: str, directory: Path, *, correction: bool = False, author: str = "", say: Say, complain: Say
) -> int:
    """Loads a plant model into the database at `url`. Gives the exit code: 0, or 1 with nothing loaded.

    `say` takes lines for standard output, `complain` for standard error: mistakes and warnings.
    """
    try:
        with pool.connect(url, name="load") as connection:
            done = load_directory(connection, directory, correction=correction, author=author)
            if done.version is not None:
                keys.record(connection, "plant model loaded", site=done.site, detail=_said(done, correction))
    except PlantRefused as refused:
        for line in refused.lines():
            complain(line)
        complain(str(refused))
        return 1
    except CloudError as error:
        complain(str(error))
        return 1
    for warning in done.warnings:
        complain(f"{warning.place}: warning: {warning.message}: {warning.mend}")
    say(story(done))
    return 0


def _said(done: Loaded, correction: bool) -> dict[str, object]:
    """A load as the audit keeps it: the first rows with what they said before and after, the rest counted."""
    changes = [
        {
            "kind": change.kind,
            "key": list(change.key),
            "before": None if change.before is None else dict(change.before.body),
            "after": None if change.after is None else dict(change.after.content),
        }
        for change in done.changes[:MOST_AUDITED]
    ]
    more = len(done.changes) - len(changes)
    return {"version": done.version, "correction": correction, "changes": changes, "more": more}


def story(done: Loaded) -> str:
    """One line on what a load did."""
    if done.version is None:
        return f"{done.site}: nothing new, {done.unchanged} rows as they were"
    parts = [f"{done.added} rows added", f"{done.changed} changed", f"{done.ended} ended"]
    later = f", hours of {done.marked} machines to be computed again" if done.marked else ""
    return f"{done.site}: version {done.version}: {', '.join(parts)}, {done.unchanged} as they were{later}"
