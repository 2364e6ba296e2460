"""The signals of a machine that words carry: state, product, order, reason and crew, each with its trust."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from cloud_api.interpret.model import BAD, STATES, UNCERTAIN, Held, Sample
from cloud_api.interpret.readings import number, text

NAMES = ("state", "product", "order", "reason", "crew")
STATE: Final = 0
PRODUCT: Final = 1
ORDER: Final = 2
REASON: Final = 3
CREW: Final = 4

Now = tuple[str, str | None, str | None, str | None, int | None, bool, bool]
"""State, product, order, reason, crew (scaled; None: no signal), whether crew is trusted, whether state is
uncertain."""


class Words:
    """Last values and trust of the five signals. Crew keeps its last trusted value when trust ends."""

    def __init__(self, held: Iterable[Held]) -> None:
        self.values: list[str | None] = [None] * 5
        self.known = [False] * 5
        self.trusted = [False] * 5
        self.uncertain = [False] * 5
        self.sources: list[str | None] = [None] * 5
        self.crew: int | None = None
        for each in held:
            at = NAMES.index(each.slot)
            self.known[at] = True
            self.values[at], self.trusted[at] = each.value, each.trusted
            self.uncertain[at], self.sources[at] = each.uncertain, each.source
            if at == CREW and each.value is not None:
                self.crew = int(each.value)

    def held(self) -> tuple[Held, ...]:
        """What the next hour needs to know of them, and no more: state and reason while they are trusted,
        the last product and order (a change resets counters), the last crew."""
        return tuple(
            Held(
                name,
                self.values[at],
                self.trusted[at],
                self.uncertain[at] and at == STATE,
                self.sources[at] if self.trusted[at] else None,
            )
            for at, name in enumerate(NAMES)
            if self.known[at] and self._matters(at)
        )

    def _matters(self, at: int) -> bool:
        if at in (PRODUCT, ORDER):
            return True
        return self.values[at] is not None and (at == CREW or self.trusted[at])

    def take(self, at: int, sample: Sample, source: str | None) -> tuple[str, str] | None:
        """Take a sample of one of the signals; returns a finding (kind, detail) where it cannot be used as
        it is."""
        word: str | None = text(sample) or None
        finding = None
        if sample.quality >= BAD or (sample.text is None and not math.isfinite(sample.value or 0.0)):
            self.trusted[at] = False
            return None
        if at == CREW and word is not None:
            people = number(sample)
            if people is None or people < 0:
                self.trusted[at] = False
                return "unusable", word
            self.crew, word = people, str(people)
        elif at == CREW:
            self.crew = None
        elif at == STATE and word is not None and (sample.text is None or word not in STATES):
            finding = ("unmapped_state", word)
            word = "unknown"
        self.values[at] = word
        self.known[at] = self.trusted[at] = True
        self.uncertain[at] = sample.quality == UNCERTAIN
        self.sources[at] = source
        return finding

    def interrupt(self, source: str | None, slots: frozenset[str]) -> None:
        """End trust in what came from the source, and in the slots."""
        for at, name in enumerate(NAMES):
            if name in slots or (source is not None and self.sources[at] == source):
                self.trusted[at] = False

    def reason(self) -> str | None:
        """The trusted reason."""
        return self.values[REASON] if self.trusted[REASON] else None

    def now(self, untold: str | None) -> Now:
        """The words in force; `untold`: why the state is not known, where a loss was reported."""
        values, trusted = self.values, self.trusted
        state = (values[STATE] if trusted[STATE] else None) or "unknown"
        return (
            state,
            values[PRODUCT] if trusted[PRODUCT] else None,
            values[ORDER] if trusted[ORDER] else None,
            untold if untold is not None and state == "unknown" else self.reason(),
            self.crew,
            trusted[CREW] and self.crew is not None,
            trusted[STATE] and self.uncertain[STATE] and values[STATE] is not None,
        )
