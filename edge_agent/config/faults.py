"""Every mistake of a config, each with its place and its mend, collected before anything is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher, get_close_matches

from edge_agent.config.model import Place

_NAMES = re.compile(r"'[^']*'|[0-9]+")
_ALIKE = 2
_SECRET_LENGTH = 4
"""Shorter values are not hidden: they would be found everywhere, and are no secrets."""


class Faults:
    """Mistakes (which refuse the config) and warnings (which do not), each told once."""

    def __init__(self) -> None:
        self._mistakes: dict[tuple[Place, str], None] = {}
        self._alike: dict[str, dict[Place, str]] = {}
        self._filled: dict[Place, set[Place]] = {}
        self._at_origin: dict[Place, dict[Place, str]] = {}
        self._warnings: dict[tuple[Place, str], None] = {}
        self._hidden: dict[str, str] = {}

    def hide(self, value: str, name: str) -> None:
        """Show ``name`` wherever a message would repeat ``value``, which may be a secret."""
        if len(value) >= _SECRET_LENGTH:
            self._hidden[value] = name

    def add(self, place: Place, message: str) -> None:
        """A mistake; ``message`` is one line and ends with what to do."""
        if place.origin is not None:
            self._at_origin.setdefault(place, {}).setdefault(place.origin, self._shown(message))
        else:
            self._mistakes[(place, self._shown(message))] = None

    def filled(self, place: Place) -> None:
        """A parameter was filled in here; ``place`` knows its origin."""
        if place.origin is not None:
            self._filled.setdefault(place, set()).add(place.origin)

    def add_alike(self, what: str, place: Place, message: str) -> None:
        """A mistake that may show in hundreds of places, such as a name that is not defined: two of them are
        told, and how many more there are.
        """
        self._alike.setdefault(what, {})[place] = self._shown(message)

    def warn(self, place: Place, message: str) -> None:
        """Something that may be meant, or may be missing only on this machine."""
        self._warnings[(place, self._shown(message))] = None

    def __bool__(self) -> bool:
        return bool(self._mistakes or self._alike or self._at_origin)

    def lines(self) -> list[str]:
        """``FILE:LINE:COLUMN: message`` of every mistake, in the order of the text."""
        alike = dict.fromkeys([*self._of_the_alike(), *self._of_parameters()])
        told = _once_each(sorted({**self._mistakes, **alike}))
        return [f"{place}: {message}" for place, message in told]

    def warnings(self) -> list[str]:
        """As ``lines``, of the warnings."""
        return [f"{place}: warning: {message}" for place, message in sorted(self._warnings)]

    def _of_the_alike(self) -> Iterator[tuple[Place, str]]:
        for found in self._alike.values():
            places = sorted(found)
            more = len(places) - _ALIKE
            for number, place in enumerate(places[:_ALIKE], 1):
                rest = f" (and {more} more like this)" if more > 0 and number == _ALIKE else ""
                yield place, found[place] + rest

    def _of_parameters(self) -> Iterator[tuple[Place, str]]:
        """A mistake where a parameter is filled in is the type's if all values fail, else the value's."""
        by_value: dict[Place, list[tuple[Place, str]]] = {}
        for place, found in self._at_origin.items():
            if found.keys() >= self._filled.get(place, set()):
                yield place, next(iter(found.values()))
                continue
            for origin, message in found.items():
                by_value.setdefault(origin, []).append((place, message))
        for origin, told in by_value.items():
            place, message = min(told)
            rest = f", and {len(told) - 1} more" if len(told) > 1 else ""
            yield origin, f"{message} (it is used in {place.short}{rest})"

    def _shown(self, message: str) -> str:
        for value, name in self._hidden.items():
            message = message.replace(value, name)
        return _one_line(message)


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None where nothing is near."""
    return next(iter(near_ones(word, known)), None)


def near_ones(word: str, known: Iterable[str]) -> list[str]:
    """The known words that may have been meant, the likeliest first: more than one where they are as near."""
    folded = word.lower().replace("-", "_")
    by_folded = {name.lower().replace("-", "_"): name for name in known}
    found = get_close_matches(folded, by_folded, n=2, cutoff=0.6)
    ratios = [SequenceMatcher(None, each, folded).ratio() for each in found]
    return [by_folded[each] for each, ratio in zip(found, ratios, strict=True) if ratio > ratios[0] - 0.02]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` or, where nothing is near, the words that are possible."""
    names = list(known)
    near = near_ones(word, names)
    if near:
        return "did you mean " + " or ".join(f"'{each}'" for each in near) + "?"
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
