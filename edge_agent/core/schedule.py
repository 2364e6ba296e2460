"""When to do a thing again, on a fixed grid."""

from __future__ import annotations


def next_due_s(start_s: float, interval_s: float, now_s: float) -> float:
    """The first point of the grid start, start + interval, ... that lies after now.

    The grid stays where it is, so that nothing drifts; points that were missed are skipped, not made up for.
    """
    if now_s < start_s:
        return start_s
    due_s = start_s + (int((now_s - start_s) / interval_s) + 1) * interval_s
    return due_s if due_s > now_s else due_s + interval_s
