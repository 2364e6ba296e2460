"""Small bars that show parts of a whole, drawn as SVG: each part a link that names itself.

Neighbouring parts differ in tone and are parted by a gap; the words beside a bar say the same without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from cloud_api.pages.words import percent

HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, and where its evidence is (empty: it has none of its own)."""

    word: str
    amount: Decimal
    address: str = ""
    tone: str = "bar"


def shares(parts: Sequence[Share], whole: Decimal, label: str) -> str:
    """Parts from the left on a track that is the whole; empty where there is no whole."""
    if whole <= 0:
        return ""
    drawn = [f'<svg width="100%" height="{HEIGHT}" role="group" aria-label="{escape(label)}">']
    drawn.append(f'<rect class="track" width="100%" height="{HEIGHT}" rx="3"/>')
    at = Decimal(0)
    for index, part in enumerate(parts):
        share = part.amount / whole
        told = escape(f"{part.word}: {percent(share)}")
        faint = f' fill-opacity="{0.95 - 0.25 * (index % 3):.2f}"' if part.tone == "bar" else ""
        mark = (
            f'<title>{told}</title><rect class="{escape(part.tone)}"{faint} x="{float(at) * 100:.2f}%" '
            f'width="{max(float(share) * 100 - 0.4, 0.2):.2f}%" height="{HEIGHT}"/>'
        )
        if part.address:
            mark = f'<a href="{escape(part.address)}" aria-label="{told}">{mark}</a>'
        drawn.append(mark if part.address else f"<g>{mark}</g>")
        at += share
    return "".join([*drawn, "</svg>"])
