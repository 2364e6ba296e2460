"""Key figures of ISO 22400-2 as they leave the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cloud_api.answers.shapes.ledger import Envelope, Grouped

Hours = Annotated[Decimal, Meta(description="Machine hours of scheduled time.")]
Units = Annotated[Decimal, Meta(description="Units seen in scheduled time.")]


class KpiFigures(Grouped, frozen=True, kw_only=True):
    """The figures and the times and counts that they are made of, all of scheduled time."""

    oee: Annotated[Decimal | None, Meta(description="availability x effectiveness x quality_ratio.")]
    availability: Annotated[Decimal | None, Meta(description="APT / PBT.")]
    effectiveness: Annotated[
        Decimal | None,
        Meta(description="Sum of ideal cycle x PQ / APT; above 1 the ideal cycle of the standard is wrong."),
    ]
    performance: Annotated[Decimal | None, Meta(description="The same as `effectiveness`.")]
    quality_ratio: Annotated[Decimal | None, Meta(description="GQ / PQ.")]
    quality: Annotated[Decimal | None, Meta(description="The same as `quality_ratio`.")]
    nee: Annotated[
        Decimal | None,
        Meta(description="(APT + ASUT) / PBT x effectiveness x quality_ratio: net equipment effectiveness."),
    ]
    technical_efficiency: Annotated[Decimal | None, Meta(description="APT / (APT + ADET).")]
    setup_rate: Annotated[Decimal | None, Meta(description="ASUT / (APT + ASUT).")]
    scrap_ratio: Annotated[Decimal | None, Meta(description="SQ / PQ.")]
    rework_ratio: Annotated[Decimal | None, Meta(description="RQ / PQ.")]
    worker_efficiency: Annotated[
        Decimal | None, Meta(description="Crew-hours running or changing over / crew-hours scheduled.")
    ]
    planned_busy_h: Annotated[Hours, Meta(description="PBT: scheduled time - planned stops.")]
    production_h: Annotated[Hours, Meta(description="APT: running.")]
    setup_h: Annotated[Hours, Meta(description="ASUT: changeover.")]
    delay_h: Annotated[Hours, Meta(description="ADET: down.")]
    produced: Annotated[Units, Meta(description="PQ = good + scrap + rework.")]
    good: Units
    scrap: Units
    rework: Units
    no_standard: Annotated[
        Decimal, Meta(description="Units without a standard: effectiveness is too low by them.")
    ]


class KpiRow(KpiFigures, frozen=True, kw_only=True):
    """The figures of one group: ratios of its summed times and counts, never means of ratios."""

    segments: Annotated[str, Meta(description="Address of the segments behind the row.")]


class KpiAnswer(Envelope, frozen=True, kw_only=True):
    """ISO 22400-2, from scheduled segments only."""

    total: KpiFigures
    rows: list[KpiRow]
