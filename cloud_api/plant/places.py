"""Where in a plant's files something stands, and what is wrong there.

Every reader of this package adds to one list of faults and goes on, so that a person sees all at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from cloud_api.errors import CloudError

SHOWN_FAULTS = 200
"""At most so many faults are printed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a file: lines and columns count from 1; ``column`` is None where a whole line is meant."""

    file: str
    line: int
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.column is None else f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake (or, among warnings, one doubt): its place, what is wrong, and how to mend it."""

    place: Place
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}: {self.mend}"


class Faults:
    """Collects mistakes and warnings in the order of their places."""

    def __init__(self) -> None:
        self._mistakes: list[Fault] = []
        self._warnings: list[Fault] = []

    def add(self, place: Place, message: str, mend: str) -> None:
        self._mistakes.append(Fault(place, message, mend))

    def warn(self, place: Place, message: str, mend: str) -> None:
        self._warnings.append(Fault(place, message, mend))

    def __bool__(self) -> bool:
        return bool(self._mistakes)

    def __len__(self) -> int:
        return len(self._mistakes)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.mistakes)

    @property
    def mistakes(self) -> tuple[Fault, ...]:
        return _in_order(self._mistakes)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return _in_order(self._warnings)

    def refuse(self, where: str) -> None:
        """Raises `PlantRefused` with every mistake, if there is any."""
        if self._mistakes:
            raise PlantRefused(where, self.mistakes)


class PlantRefused(CloudError):
    """A plant model with mistakes; nothing of it was loaded. ``faults`` has each with its place and mend."""

    def __init__(self, where: str, faults: tuple[Fault, ...]) -> None:
        count = f"{len(faults)} mistake" + ("s" if len(faults) > 1 else "")
        super().__init__(
            f"the plant model has {count}, nothing was loaded", where, "mend each and load again"
        )
        self.faults = faults

    def lines(self) -> list[str]:
        """The faults as printed, ``FILE:LINE:COLUMN: message: mend``, bounded, with the count of the rest."""
        shown = [str(fault) for fault in self.faults[:SHOWN_FAULTS]]
        rest = len(self.faults) - len(shown)
        return [*shown, f"... and {rest} more"] if rest else shown


def nearest(word: str, known: Collection[str]) -> str:
    """The mend for an unknown word: the nearest known one, else the list of them."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    if not near:
        folded = {name.casefold(): name for name in known}
        near = [folded[word.casefold()]] if word.casefold() in folded else []
    if near:
        return f"did you mean '{near[0]}'?"
    if not known:
        return "none is known here"
    return "known are " + listed(sorted(known))


def listed(words: Iterable[str], most: int = 12) -> str:
    """At most ``most`` words in a row, and how many more there are."""
    every = list(words)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda f: (f.place.file, f.place.line, f.place.column or 0)))
