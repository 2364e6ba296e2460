"""Addresses of the rows behind a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cloud_api.answers.bridge_factors import Factor
from cloud_api.answers.bridge_sides import REVENUE, UNUSED
from cloud_api.answers.grouping import Key, evidence
from cloud_api.answers.question import ALL_RESOURCES, FILTERS, Question
from cloud_api.interpret.variance import SPLIT


def cell_of(by: Sequence[str], factor: Factor, group: Key) -> dict[str, str | None]:
    """Resource and cause of a bar: of its group where `by` names them, else of its factor."""
    said = dict(zip(by, group, strict=True))
    return {"resource": said.get("resource", factor.resource), "cause": said.get("cause", factor.cause)}


def segments_of(
    question: Question,
    factor: Factor,
    group: Key,
    of_standard: bool,
    per_unit: bool,
    path: str = "/v1/segments",
) -> str:
    """The address of the segments behind a bar, of its cause and in its group: none but those whose entries
    are in the bar."""
    said = dict(zip(question.by, group, strict=True))
    cell = cell_of(question.by, factor, group)
    said |= {name: value for name, value in cell.items() if value is not None and value not in REVENUE}
    names = [name for name in FILTERS if name in said and said[name] not in REVENUE]
    if "resource" not in names and question.names("resource") is None:
        resources = resources_of(factor, of_standard, per_unit)
        if resources is not None:
            question = replace(question, wanted={**question.wanted, "resource": resources})
    return evidence(question, names, tuple(said[name] for name in names), path=path)


def resources_of(factor: Factor, of_standard: bool, per_unit: bool) -> tuple[str, ...] | None:
    """Resources whose entries of its cause a bar holds; None for all."""
    if factor.part is not None:
        return SPLIT
    if factor.cause == "changeover" and of_standard:
        return tuple(name for name in ALL_RESOURCES if name not in SPLIT)
    out = {resource for resource, cause in UNUSED if cause == factor.cause} if per_unit else set()
    return tuple(name for name in ALL_RESOURCES if name not in out) if out else None
