"""What a brief takes of a bridge: how far a figure moved and by what, and whose it is; without evidence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_base import base_name, base_question, data_share, walk_of
from cloud_api.answers.bridge_evidence import Evidence, evidence_of
from cloud_api.answers.bridge_statement import opening
from cloud_api.answers.owners import bar_owner
from cloud_api.answers.question import Question
from cloud_api.interpret.matching import REASONED


@dataclass(frozen=True, slots=True)
class Moved:
    """The change, in the measure, and the first two sentences of the statement."""

    change: Decimal
    text: str


def moved(connection: Connection[Any], question: Question) -> Moved:
    """How far the figure of a question moved. Raises QuestionError where it has no base or no figure."""
    base, measure = base_question(question), question.options["measure"]
    figures = walk_of(connection, question, base, measure).figures
    share = data_share(connection, base)
    made, _ = opening(question, base, base_name(question), measure, figures, share)
    return Moved(figures.end - figures.start, " ".join(made.sentences))


def owned(connection: Connection[Any], question: Question) -> dict[str, Decimal]:
    """How far the bars of each owner moved the figure. Spans are looked for where a reason has an owner."""
    base, measure = base_question(question), question.options["measure"]
    walked, per_unit = walk_of(connection, question, base, measure), measure == "unit_cost"
    evidence = Evidence(question, base, walked.walk, per_unit)
    if any(site.plant is not None and site.plant.reasons for site in question.sites):
        evidence = evidence_of(connection, question, base, walked, per_unit, REASONED)
    owners: dict[str, Decimal] = defaultdict(Decimal)
    for step, amount in walked.figures.amounts.items():
        owners[bar_owner(question, step[0], evidence.reasons(step))] += amount
    return owners
