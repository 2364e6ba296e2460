"""What is known of one production order: its plan, what it made, and how far it is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from cloud_api.answers.shapes.orders import State
from cloud_api.interpret import plant

ZERO = Decimal(0)


@dataclass(slots=True)
class Life:
    """What is known of one order; `good` and `standard` by the line where units count. `was_passed`: its
    machine went on from it; `begin_us`, `completion_us`: when it can begin and will be complete."""

    order: str
    plans: list[plant.Order] = field(default_factory=list)
    made: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    good: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    counted_at: dict[str, str] = field(default_factory=dict)
    standard: Decimal = ZERO
    actual: Decimal = ZERO
    began: bool = False
    time_us: dict[str, int] = field(default_factory=dict)
    reached_us: int | None = None
    left_us: int | None = None
    was_passed: bool = False
    begin_us: int | None = None
    completion_us: int | None = None

    @property
    def product(self) -> str | None:
        """As planned, else what it made most of."""
        if self.plans:
            return self.plans[-1].product
        return max(self.made, key=lambda name: (self.made[name], name), default=None)

    @property
    def planned(self) -> Decimal | None:
        """Planned units: of the last planned machine of the order."""
        if not self.plans:
            return None
        last = self.plans[-1].machine
        return sum((row.quantity for row in self.plans if row.machine == last), ZERO)

    def state(self, done: bool) -> State:
        """How far it is, in a word."""
        if done:
            return "done"
        if self.left_us is not None:
            return "left"
        return "begun" if self.began or any(self.good.values()) else "planned"
