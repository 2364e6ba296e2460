"""`cloud-api load DIR`: what it prints and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cloud_api.errors import CloudError
from cloud_api.plant.load import Loaded, load_directory
from cloud_api.plant.places import PlantRefused
from cloud_api.store import pool

Say = Callable[[str], None]


def load(
    url: str, directory: Path, *, correction: bool = False, author: str = "", say: Say, complain: Say
) -> int:
    """Loads a plant model into the database at `url`. Gives the exit code: 0, or 1 with nothing loaded.

    `say` takes lines for standard output, `complain` for standard error: mistakes and warnings.
    """
    try:
        with pool.connect(url, name="load") as connection:
            done = load_directory(connection, directory, correction=correction, author=author)
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


def story(done: Loaded) -> str:
    """One line on what a load did."""
    if done.version is None:
        return f"{done.site}: nothing new, {done.unchanged} rows as they were"
    parts = [f"{done.added} rows added", f"{done.changed} changed", f"{done.ended} ended"]
    later = f", hours of {done.marked} machines to be computed again" if done.marked else ""
    return f"{done.site}: version {done.version}: {', '.join(parts)}, {done.unchanged} as they were{later}"
