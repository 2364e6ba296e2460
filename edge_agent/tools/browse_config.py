"""``browse --yaml``: variables of an OPC UA server as config to paste, one machine for each node that holds
some.

Every variable becomes a measure; what its name says of its role stands beside it as a comment, for a person
to decide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from edge_agent.config.model import OpcUaSource
from edge_agent.tools.browse import Look, Seen
from edge_agent.tools.proposals import Names, guessed_role, measure_name, name_of, quoted, remark
from shared.roles import Role

_SINGLE = (-1, -2, -3)
"""Value ranks of what can be a single value."""
_NUMBERS = {"Boolean", "SByte", "Byte", "Float", "Double", "Number", "Integer", "UInteger", "Enumeration"}
_SIMPLE = (
    _NUMBERS
    | {f"{sign}Int{bits}" for sign in ("", "U") for bits in (16, 32, 64)}
    | {"String", "LocalizedText"}
)
_STATES = "{0: idle, 1: running, 2: down}"


async def lines_of(source: OpcUaSource, found: AsyncIterator[Seen], look: Look) -> AsyncIterator[str]:
    """The YAML, line by line, once all is seen: machines in the order of the tree."""
    groups: dict[tuple[str, ...], list[Seen]] = {}
    async for each in found:
        if each.kind == "Variable" and not each.again:
            groups.setdefault(each.path[:-1], []).append(each)
    for line in _lines(source, groups):
        yield line


def _lines(source: OpcUaSource, groups: dict[tuple[str, ...], list[Seen]]) -> Iterator[str]:
    count = sum(map(len, groups.values()))
    yield f"# {count} variables of {source.endpoint}: take what you need, choose line and roles"
    name = name_of(source.name, fallback="plc") if "://" not in source.name else "plc"
    if name != source.name:
        security = "none" if source.security is None else "{...}"
        yield "sources:"
        yield f"  {name}: {{type: opcua, endpoint: {quoted(source.endpoint)}, security: {security}}}"
    yield "machines:"
    machines = Names()
    for path, variables in groups.items():
        yield from _machine(machines, path, variables, source.name if name == source.name else name)


def _machine(names: Names, path: tuple[str, ...], variables: Sequence[Seen], source: str) -> Iterator[str]:
    taken = Names()
    written = [line for each in variables for line in _signal(taken, each)]
    usable = any(not line.lstrip().startswith("#") for line in written)
    machine = names.unique(name_of(path[-1] if path else "machine", fallback="machine").replace("_", "-"))
    mark = "" if usable else "# "
    yield f"  {mark}{machine}:  # {remark('/'.join(path))}"
    yield f"    {mark}line: line-1"
    yield f"    {mark}source: {source}"
    yield f"    {mark}signals:"
    yield from written


def _signal(names: Names, each: Seen) -> Iterator[str]:
    facts = each.described
    kind, rank = str(facts.get("type")), facts.get("rank")
    node = f"node: {quoted(each.node)}"
    if rank not in _SINGLE or isinstance(facts.get("value"), list):
        yield f"      # {measure_name(each.name)}: {{{node}, path: [0]}}  # an element of an array of {kind}"
        return
    told = f"{kind} = {remark(str(facts.get('value')))[:40]}" if facts.get("quality") == "Good" else kind
    if kind not in _SIMPLE and not isinstance(facts.get("value"), bool | int | float | str):
        yield f"      # {remark(each.name)}: {told}: not a number or a text: {node}"
        return
    guess = guessed_role(each.name, text=kind in ("String", "LocalizedText"), truth=kind == "Boolean")
    hint = "" if guess is None else f"; {_hint(guess, facts)}"
    yield f"      {names.unique(measure_name(each.name))}: {{{node}}}  # {told}{hint}"


def _hint(role: Role, facts: dict[str, Any]) -> str:
    """How to say the guessed role."""
    if role is Role.STATE:
        return f"role: state, map: {_STATES}?"
    if role is Role.ENERGY:
        return "role: energy, unit: kWh?"
    return f"role: {role}?"
