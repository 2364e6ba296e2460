"""What a device's refusals teach: which of its registers do not exist, and how much it takes at once.

A refused block is halved between two values until the culprit is found. One value alone refused: it is set
aside. Both halves accepted: the culprit was in the gap between them, which is read no more; without a gap
the block was too long, and the device's own maximum is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edge_agent.core.address import RegisterRange
from edge_agent.core.plan import Barred, Block, Limits, Span

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
DEVICE_FAILURE, ACKNOWLEDGE, BUSY = 4, 5, 6
GATEWAY_PATH, GATEWAY_TARGET = 10, 11

_NAMES = {
    ILLEGAL_FUNCTION: "illegal function",
    ILLEGAL_ADDRESS: "illegal data address",
    ILLEGAL_VALUE: "illegal data value",
    DEVICE_FAILURE: "device failure",
    ACKNOWLEDGE: "acknowledge",
    BUSY: "device busy",
    GATEWAY_PATH: "gateway path unavailable",
    GATEWAY_TARGET: "gateway target does not respond",
}


def name_of(code: int) -> str:
    """An exception code in the words of the protocol: ``exception 2, illegal data address``."""
    return f"exception {code}, {_NAMES.get(code, 'not defined by the protocol')}"


def tells_of_address(code: int) -> bool:
    """Whether the refusal is about what was asked for, so that asking for less can help."""
    return code in (ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE)


def halves(block: Block) -> tuple[Block, Block] | None:
    """The block cut between two values, as evenly as its values allow; None where nothing can be cut.

    Values that overlap stay together.
    """
    spans = sorted(block.spans)
    cuts = []
    last = spans[0].last
    for place in range(1, len(spans)):
        if spans[place].first > last:
            cuts.append(place)
        last = max(last, spans[place].last)
    if not cuts:
        return None
    cut = min(cuts, key=lambda place: abs(2 * place - len(spans)))
    return _of(block, spans[:cut]), _of(block, spans[cut:])


def _of(block: Block, spans: list[Span]) -> Block:
    first = spans[0].first
    count = max(span.last for span in spans) - first + 1
    return Block(block.unit, block.space, first, count, tuple(spans))


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of the devices of one connection. aside: values that are not asked for with others."""

    aside: frozenset[Span] = frozenset()
    barred: frozenset[Barred] = frozenset()
    device_registers: dict[int, int] = field(default_factory=dict)

    def without(self, spans: tuple[Span, ...]) -> Learnt:
        """These values cannot be read: their registers are barred for the requests of others."""
        barred = {Barred(span.unit, RegisterRange(span.space, span.first, span.last)) for span in spans}
        return replace(self, aside=self.aside | set(spans), barred=self.barred | barred)

    def again(self, span: Span) -> Learnt:
        """A value that was set aside has answered."""
        back = Barred(span.unit, RegisterRange(span.space, span.first, span.last))
        return replace(self, aside=self.aside - {span}, barred=self.barred - {back})

    def cut_between(self, left: Block, right: Block) -> Learnt:
        """Both halves answered where the whole was refused."""
        if right.first > left.last + 1:
            gap = RegisterRange(left.space, left.last + 1, right.first - 1)
            return replace(self, barred=self.barred | {Barred(left.unit, gap)})
        most = max(left.count, right.count)
        if left.space.is_bits:
            most = -(-most // 16)
        known = self.device_registers.get(left.unit, most)
        return replace(self, device_registers={**self.device_registers, left.unit: min(most, known)})

    def applied_to(self, limits: Limits) -> Limits:
        """The configured limits, and what was learnt besides."""
        return replace(
            limits,
            barred=tuple(
                sorted(self.barred, key=lambda wall: (wall.unit, wall.range.space, wall.range.first))
            ),
            device_registers=tuple(sorted(self.device_registers.items())),
        )


def _order(wall: Barred) -> tuple[int, str, int]:
    return wall.unit, wall.range.space, wall.range.first
