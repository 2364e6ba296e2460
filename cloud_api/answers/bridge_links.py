"""Addresses of the rows behind a bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cloud_api.answers.bridge_factors import Factor
from cloud_api.answers.bridge_sides import REVENUE, UNUSED
from cloud_api.answers.grouping import Key, addresses
from cloud_api.answers.question import ALL_RESOURCES, Question
from cloud_api.interpret.variance import SPLIT


def cell_of(by: Sequence[str], factor: Factor, group: Key) -> dict[str, str | None]:
    """Resource and cause of a bar: of its group where `by` names them, else of its factor."""
    said = dict(zip(by, group, strict=True))
    return {"resource": said.get("resource", factor.resource), "cause": said.get("cause", factor.cause)}


class Links:
    """The addresses of the segments behind the bars of a question, of their cause and in their group: none
    but those whose entries are in the bar."""

    def __init__(self, question: Question, of_standard: bool, per_unit: bool) -> None:
        self.question, self.of_standard, self.per_unit = question, of_standard, per_unit
        self._cells = [at for at, name in enumerate(question.by) if name in ("resource", "cause")]
        self._known: dict[tuple[Any, ...], Callable[[Key], str]] = {}

    def of(self, factor: Factor, group: Key) -> str:
        """The address of one bar."""
        kind = (factor, *[group[at] for at in self._cells])
        address = self._known.get(kind)
        if address is None:
            cell = cell_of(self.question.by, factor, group)
            address = self._known[kind] = self._addresses(factor, cell)
        return address(group)

    def _addresses(self, factor: Factor, cell: Mapping[str, str | None]) -> Callable[[Key], str]:
        question, by = self.question, self.question.by
        wanted = dict(question.wanted)
        for name, value in cell.items():
            if value is not None and value not in REVENUE:
                wanted[name] = (value,)
        if "resource" not in wanted:
            resources = resources_of(factor, self.of_standard, self.per_unit)
            if resources is not None:
                wanted["resource"] = resources
        places = [at for at, name in enumerate(by) if name not in cell]
        address = addresses(replace(question, wanted=wanted), [by[at] for at in places])
        return lambda group: address(tuple([group[at] for at in places]))


def resources_of(factor: Factor, of_standard: bool, per_unit: bool) -> tuple[str, ...] | None:
    """Resources whose entries of its cause a bar holds; None for all."""
    if factor.part is not None:
        return SPLIT
    if factor.cause == "changeover" and of_standard:
        return tuple(name for name in ALL_RESOURCES if name not in SPLIT)
    out = {resource for resource, cause in UNUSED if cause == factor.cause} if per_unit else set()
    return tuple(name for name in ALL_RESOURCES if name not in out) if out else None
