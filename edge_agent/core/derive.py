"""Signals that are worked out from tags: states by rules, reasons by the first bit, counts by rising edges;
and whether the machine behind a gateway is alive at all.

Values in, values out: each step takes what was known and gives what is known now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge_agent.core.expression import Expression, UnknownValue, evaluate, is_true, names_in
from shared.sample import Quality, Value


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a tag; value None: nothing."""

    value: Value | None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Rule:
    """when None: whatever is left."""

    when: Expression | None
    word: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The first rule that holds; a bad input before it: unknown. A shorter flicker than settle_us is not
    told.
    """

    rules: tuple[Rule, ...]
    settle_us: int = 0

    def inputs(self) -> frozenset[str]:
        """Names of the tags that it looks at."""
        return frozenset(name for rule in self.rules if rule.when for name in names_in(rule.when))


@dataclass(frozen=True, slots=True)
class FirstBit:
    """The word of the lowest bit that is set; none where no bit is set."""

    of: str
    words: tuple[tuple[int, str], ...]

    def inputs(self) -> frozenset[str]:
        """Names of the tags that it looks at."""
        return frozenset((self.of,))


@dataclass(frozen=True, slots=True)
class Rising:
    """How often the tag went from 0 to something else while it was watched."""

    of: str

    def inputs(self) -> frozenset[str]:
        """Names of the tags that it looks at."""
        return frozenset((self.of,))


Derivation = Rules | FirstBit | Rising


@dataclass(frozen=True, slots=True)
class Outcome:
    """A derived value, from time_us on. raw: the inputs that it came from."""

    time_us: int
    value: Value | None
    quality: Quality
    raw: Value | None = None
    why: str | None = None

    def same(self, other: Outcome | None) -> bool:
        """Whether the two say the same, at whatever time."""
        return other is not None and (self.value, self.quality) == (other.value, other.quality)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a derived signal remembers. told: last outcome told. waiting: one that has not settled yet.

    last: of a counted tag; total: its rising edges, those of earlier runs included.
    """

    told: Outcome | None = None
    waiting: Outcome | None = None
    last: Value | None = None
    total: int = 0


def step(
    derivation: Derivation, memory: Memory, known: Mapping[str, Known], time_us: int
) -> tuple[Memory, Outcome | None]:
    """The tags are ``known`` from time_us on: what is remembered now, and what is to be told, if anything."""
    if isinstance(derivation, Rising):
        return _counted(derivation, memory, known, time_us)
    if isinstance(derivation, FirstBit):
        outcome = _first_bit(derivation, known, time_us)
        return replace(memory, told=outcome), outcome
    return _settled(derivation, memory, _ruled(derivation, known, time_us), time_us)


def settle(derivation: Derivation, memory: Memory, time_us: int) -> tuple[Memory, Outcome | None]:
    """Time has passed without a change: what waited long enough is told, dated at its first change."""
    waiting = memory.waiting
    if waiting is None or not isinstance(derivation, Rules):
        return memory, None
    if time_us - waiting.time_us < derivation.settle_us:
        return memory, None
    return replace(memory, told=waiting, waiting=None), waiting


def forgotten(memory: Memory) -> Memory:
    """The source was lost: edges are not counted across it, and the next outcome is told at once."""
    return Memory(total=memory.total)


def _ruled(derivation: Rules, known: Mapping[str, Known], time_us: int) -> Outcome:
    values = {name: tag.value for name, tag in known.items()}
    looked_at: list[str] = []
    for rule in derivation.rules:
        try:
            if rule.when is not None:
                looked_at += names_in(rule.when)
                if not is_true(evaluate(rule.when, values)):
                    continue
        except UnknownValue as error:
            return Outcome(time_us, None, Quality.BAD, _inputs(looked_at, values), str(error))
        uncertain = any(known[name].quality is Quality.UNCERTAIN for name in looked_at if name in known)
        quality = Quality.UNCERTAIN if uncertain else Quality.GOOD
        return Outcome(time_us, rule.word, quality, _inputs(looked_at, values))
    return Outcome(time_us, None, Quality.BAD, _inputs(looked_at, values), "no rule holds")


def _settled(
    derivation: Rules, memory: Memory, outcome: Outcome, time_us: int
) -> tuple[Memory, Outcome | None]:
    at_once = derivation.settle_us == 0 or memory.told is None or memory.told.value is None
    if at_once or outcome.value is None:
        return replace(memory, told=outcome, waiting=None), outcome
    if outcome.same(memory.told):
        return replace(memory, waiting=None), outcome
    waiting = memory.waiting if outcome.same(memory.waiting) else outcome
    return settle(derivation, replace(memory, waiting=waiting), time_us)


def _first_bit(derivation: FirstBit, known: Mapping[str, Known], time_us: int) -> Outcome:
    tag = known.get(derivation.of)
    if tag is None or not isinstance(tag.value, float | int):
        return Outcome(time_us, None, Quality.BAD, None, f"{derivation.of} is not known")
    bits = int(tag.value)
    if bits == 0:
        return Outcome(time_us, None, tag.quality, tag.value)
    lowest = (bits & -bits).bit_length() - 1
    word = dict(derivation.words).get(lowest)
    if word is None:
        return Outcome(time_us, None, Quality.BAD, tag.value, f"bit {lowest} is not in the map")
    return Outcome(time_us, word or None, tag.quality, tag.value)


def _counted(
    derivation: Rising, memory: Memory, known: Mapping[str, Known], time_us: int
) -> tuple[Memory, Outcome | None]:
    tag = known.get(derivation.of)
    if tag is None or tag.value is None:
        outcome = Outcome(time_us, None, Quality.BAD, None, f"{derivation.of} is not known")
        return replace(memory, last=None, told=outcome), outcome
    rose = memory.last is not None and not is_true(memory.last) and is_true(tag.value)
    total = memory.total + rose
    outcome = Outcome(time_us, float(total), tag.quality)
    return replace(memory, last=tag.value, total=total, told=outcome), outcome


def _inputs(names: list[str], values: Mapping[str, Value | None]) -> str | None:
    """The inputs that were looked at, for the record: ``fault=0 run=1``."""
    return " ".join(f"{name}={_shown(values.get(name))}" for name in dict.fromkeys(names)) or None


def _shown(value: Value | None) -> str:
    if value is None:
        return "?"
    return value if isinstance(value, str) else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether a machine is alive: its heartbeat must change within ``within_us``."""

    within_us: int
    value: Value | None = None
    changed_us: int | None = None
    dead: bool = False

    def beat(self, value: Value | None, time_us: int) -> Pulse:
        """The heartbeat shows this value; an unknown one proves nothing."""
        if value is None or (value == self.value and self.changed_us is not None):
            return self.at(time_us)
        return replace(self, value=value, changed_us=time_us, dead=False)

    def at(self, time_us: int) -> Pulse:
        """The same a moment later: dead once the heartbeat stood still for too long."""
        if self.changed_us is None or time_us - self.changed_us <= self.within_us:
            return self
        return replace(self, dead=True)

    def forgotten(self) -> Pulse:
        """The source was lost: the heartbeat begins anew."""
        return Pulse(self.within_us)
