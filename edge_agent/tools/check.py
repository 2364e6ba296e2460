"""``check``: every mistake of a config, each on one line that an editor can jump to."""

from __future__ import annotations

import sys
from pathlib import Path

from edge_agent.config.load import load
from edge_agent.config.plant import compare, read_names


def check(file: Path, plant: Path | None, folder: Path | None = None) -> int:
    """Print the mistakes; 1 if there are any. Warnings stand on the error stream, and only where nothing is
    wrong. folder: where the paths in the config start from, if not beside it.
    """
    loaded = load(file, folder=folder)
    if loaded.config is not None and plant is not None:
        compare(loaded.config, read_names(plant), loaded.faults)
    if loaded.faults or loaded.config is None:
        print(*loaded.faults.lines(), sep="\n")
        return 1
    for line in loaded.faults.warnings():
        print(line, file=sys.stderr)
    config = loaded.config
    counts = {"source": config.sources, "machine": config.machines, "signal": config.signals}
    print(f"{file}: OK: {', '.join(_counted(word, len(things)) for word, things in counts.items())}")
    return 0


def _counted(word: str, count: int) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
