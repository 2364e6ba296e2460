"""Courses of series that were judged before: the same observations have the same course, so it is kept.

A series is of whole production days, so it changes once a day, while answers ask for it all day long.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cloud_api.interpret.persistence_course import Course, course
from cloud_api.interpret.seasons import Tie, recurring

MOST = 2048
"""Courses kept; the least lately asked for goes first."""


def kept_course(
    values: NDArray[np.float64], weekdays: Sequence[str], ties: Sequence[Tie], sign: int = 1
) -> Course:
    """As `course`, at once for a series that was judged before. Safe between threads."""
    return _course(
        np.ascontiguousarray(values, dtype=np.float64).tobytes(), tuple(weekdays), tuple(ties), sign
    )


@lru_cache(maxsize=MOST)
def _course(values: bytes, weekdays: tuple[str, ...], ties: tuple[Tie, ...], sign: int) -> Course:
    return course(np.frombuffer(values, dtype=np.float64), weekdays, ties, sign)


def kept_tie(values: NDArray[np.float64], kind: str, labels: Sequence[str]) -> Tie | None:
    """As `recurring`, at once for observations that were looked at before. Safe between threads."""
    return _tie(np.ascontiguousarray(values, dtype=np.float64).tobytes(), kind, tuple(labels))


@lru_cache(maxsize=MOST)
def _tie(values: bytes, kind: str, labels: tuple[str, ...]) -> Tie | None:
    return recurring(np.frombuffer(values, dtype=np.float64), kind, labels)
