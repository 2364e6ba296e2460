"""Every mistake of a config, each with its place and its mend, collected before anything is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from edge_agent.config.model import Place

_NAMES = re.compile(r"'[^']*'|[0-9]+")
_SECRET_LENGTH = 4
"""Shorter values are not hidden: they would be found everywhere, and are no secrets."""


class Faults:
    """Mistakes (which refuse the config) and warnings (which do not), each told once."""

    def __init__(self) -> None:
        self._mistakes: dict[tuple[Place, str], None] = {}
        self._warnings: dict[tuple[Place, str], None] = {}
        self._hidden: dict[str, str] = {}

    def hide(self, value: str, name: str) -> None:
        """Show ``name`` wherever a message would repeat ``value``, which may be a secret."""
        if len(value) >= _SECRET_LENGTH:
            self._hidden[value] = name

    def add(self, place: Place, message: str) -> None:
        """A mistake; ``message`` is one line and ends with what to do."""
        self._mistakes[(place, self._shown(message))] = None

    def warn(self, place: Place, message: str) -> None:
        """Something that may be meant, or may be missing only on this machine."""
        self._warnings[(place, self._shown(message))] = None

    def __bool__(self) -> bool:
        return bool(self._mistakes)

    def lines(self) -> list[str]:
        """``FILE:LINE:COLUMN: message`` of every mistake, in the order of the text."""
        return [f"{place}: {message}" for place, message in _once_each(sorted(self._mistakes))]

    def warnings(self) -> list[str]:
        """As ``lines``, of the warnings."""
        return [f"{place}: warning: {message}" for place, message in sorted(self._warnings)]

    def _shown(self, message: str) -> str:
        for value, name in self._hidden.items():
            message = message.replace(value, name)
        return _one_line(message)


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None where nothing is near."""
    by_folded = {name.lower().replace("-", "_"): name for name in known}
    found = get_close_matches(word.lower().replace("-", "_"), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` or, where nothing is near, the words that are possible."""
    names = list(known)
    near = closest(word, names)
    if near is not None:
        return f"did you mean '{near}'?"
    return f"possible: {', '.join(sorted(names))}" if names else "none is configured"


def _once_each(told: list[tuple[Place, str]]) -> Iterator[tuple[Place, str]]:
    """A mistake in a type is told for its first machine, not for all three hundred."""
    seen = set()
    for place, message in told:
        kind = (place, _NAMES.sub("", message))
        if kind not in seen:
            seen.add(kind)
            yield place, message


def _one_line(message: str) -> str:
    """Whatever a value holds, a mistake stays one printable line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
