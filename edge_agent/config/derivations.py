"""Signals that come from tags: rules, first_bit, count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edge_agent.config.document import Scalar
from edge_agent.config.faults import Faults, closest, did_you_mean
from edge_agent.config.kinds import to_integer
from edge_agent.config.model import Place
from edge_agent.config.section import Section
from edge_agent.core.derive import Derivation, FirstBit, Rising, Rule, Rules
from edge_agent.core.expression import names_in, parse_expression
from shared.roles import COUNTERS, TEXTS, Role, State

KEYS = ("rules", "first_bit", "count")
_WITH = {"rules": ("settle",), "first_bit": ("map",), "count": ("of",)}
_ALWAYS = ("role", "unit", "item", "longest_silence", "deadband", "source")


@dataclass(frozen=True, slots=True)
class Inputs:
    """tags: name to source of what the machine reads. sure: no others stand where they could not be read."""

    tags: Mapping[str, str]
    sure: bool = True

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Of these, those that the machine does not read, sorted."""
        return sorted({name for name in names if name not in self.tags})

    def tell(self, place: Place, key: str, name: str, faults: Faults) -> None:
        """That a name is unknown, where that is certain."""
        if self.sure or closest(name, self.tags):
            message = f"{key}: '{name}' is no tag of this machine; {did_you_mean(name, self.tags)}"
            faults.add(place, message)


def is_derived(section: Section) -> bool:
    """Whether a signal is worked out instead of read."""
    return any(section.written(key) for key in KEYS)


def build_derivation(section: Section, role: Role, tags: Inputs, faults: Faults) -> Derivation | None:
    """The derivation; None with its mistakes told."""
    told = [key for key in KEYS if section.written(key)]
    for other in told[1:]:
        faults.add(section.keys[other], f"{other}: a signal has one of {', '.join(KEYS)}; keep one of them")
    for key in section.keys:
        if key not in (*_WITH[told[0]], *_ALWAYS, *KEYS):
            faults.add(section.keys[key], f"{key}: a signal with {told[0]} is not read itself; remove {key}")
    if not section.has(told[0]):
        return None
    if told[0] == "rules":
        return _rules(section, role, tags, faults)
    if told[0] == "first_bit":
        return _first_bit(section, role, tags, faults)
    return _rising(section, role, tags, faults)


def source_of(
    derivation: Derivation, section: Section, tags: Mapping[str, str], faults: Faults
) -> str | None:
    """The one source of all its inputs."""
    sources = sorted({tags[name] for name in derivation.inputs() if name in tags})
    if len(sources) > 1:
        message = f"its tags come from {' and '.join(sources)}, which cannot be seen together"
        faults.add(section.place, f"{message}; take the tags from one source")
    return sources[0] if sources else None


def _rules(section: Section, role: Role, tags: Inputs, faults: Faults) -> Rules | None:
    if role not in TEXTS:
        _not_for(
            section, "rules", f"they give words, {role} is a number; use them for state or reason", faults
        )
    rules: list[Rule] = []
    written: list[Section] = section.get("rules")
    for index, rule in enumerate(written):
        found = _rule(rule, tags, faults, last=index == len(written) - 1)
        if found is not None:
            _word(found.word, role, rule, faults)
            if found.when is not None and any(found.when == other.when for other in rules):
                faults.add(
                    rule.at("when"), "when: a rule before has the same condition; change or remove one"
                )
            rules.append(found)
    return Rules(tuple(rules), section.get("settle")) if len(rules) == len(written) else None


def _not_for(section: Section, key: str, why: str, faults: Faults) -> None:
    """A derivation does not fit the role; where no role is written, the signal's name may be the slip."""
    if section.written("role"):
        faults.add(section.keys[key], f"{key}: {why}")
    else:
        faults.add(section.place, f"{key}: {why}, or give the signal the name of such a role")


def _rule(rule: Section, tags: Inputs, faults: Faults, *, last: bool) -> Rule | None:
    if rule.broken:
        return None
    if rule.has("else"):
        if len(rule.values) > 1 or not last:
            faults.add(rule.place, "else: it stands alone and last; move it to the end")
        return Rule(None, rule.get("else"))
    if not (rule.has("when") and rule.has("is")):
        faults.add(rule.place, "a rule wants {when: EXPRESSION, is: WORD} or {else: WORD}; complete it")
        return None
    try:
        expression = parse_expression(rule.get("when"))
    except ValueError as error:
        faults.add(rule.at("when"), f"when: {error}")
        return None
    unknown = tags.unknown(names_in(expression))
    for name in unknown:
        tags.tell(rule.at("when"), "when", name, faults)
    return None if unknown else Rule(expression, rule.get("is"))


def _word(word: str, role: Role, rule: Section, faults: Faults) -> None:
    if role is Role.STATE and word not in list(State):
        near = closest(word, list(State))
        mend = f"did you mean '{near}'?" if near else f"use {', '.join(State)}"
        key = "else" if rule.has("else") else "is"
        faults.add(rule.at(key), f"{key}: '{word}' is no machine state; {mend}")


def _first_bit(section: Section, role: Role, tags: Inputs, faults: Faults) -> FirstBit | None:
    if role not in TEXTS or role is Role.STATE:
        _not_for(section, "first_bit", f"it gives a reason, not {role}; use rules or bit", faults)
    if not section.has("map"):
        if "map" not in section.broken:
            faults.add(section.place, "first_bit needs words; add map: {0: guard open, 5: jam}")
        return None
    words: list[tuple[int, str]] = []
    pairs: list[tuple[Scalar, Scalar]] = section.get("map")
    for key, word in pairs:
        try:
            bit = to_integer(key)
            if not 0 <= bit <= 63:
                raise ValueError(f"bit {bit} does not exist; it can be 0 to 63")
            words.append((bit, word.text.strip()))
        except ValueError as error:
            faults.add(key.place, f"map: {error}")
    of = _tag(section, "first_bit", tags, faults)
    return FirstBit(of, tuple(words)) if of is not None else None


def _rising(section: Section, role: Role, tags: Inputs, faults: Faults) -> Rising | None:
    if role not in COUNTERS or role is Role.ENERGY:
        _not_for(section, "count", f"{role} is no counter of pulses; use it for a counter", faults)
    if not section.written("of"):
        faults.add(section.place, "count: of is missing; add of: TAG")
        return None
    of = _tag(section, "of", tags, faults) if section.has("of") else None
    return Rising(of) if of is not None else None


def _tag(section: Section, key: str, tags: Inputs, faults: Faults) -> str | None:
    name: str = section.get(key)
    if tags.unknown([name]):
        tags.tell(section.at(key), key, name, faults)
        return None
    return name
