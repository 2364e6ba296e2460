"""From the floor's cost to the ERP's, as a walk with named items, per cost centre and resource.

rates not final = ERP hours x (ERP rate - floor rate); paid hours not at a machine (labour) and capacity not
scheduled (machine) = (ERP hours - floor hours) x floor rate. Together they are the whole difference where
both sides have hours. Amounts in the site's currency, hours of machines or of people."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.money import CONTEXT, exactly

ZERO = Decimal(0)
RATES = "rates not final"
HOURS = {"labour": "paid hours not at a machine", "machine": "capacity not scheduled"}
NOT_BOOKED = "not booked in the ERP"
NOT_ON_THE_FLOOR = "no machine of the floor has this cost centre"
UNEXPLAINED = "not explained"
OWNERS = {
    RATES: "controlling",
    HOURS["labour"]: "production",
    HOURS["machine"]: "planning",
    NOT_BOOKED: "accounting",
    NOT_ON_THE_FLOOR: "controlling",
}
"""Who can close the item."""


class Side(Struct, frozen=True, kw_only=True):
    """What one side says of a cost centre and resource; hours None: it has none."""

    amount: Decimal
    hours: Decimal | None = None


class Pair(Struct, frozen=True, kw_only=True):
    """Both sides of a cost centre and resource; a side is None where it says nothing at all."""

    cost_centre: str | None
    resource: str
    floor: Side | None
    erp: Side | None
    on_floor: bool = True


class Step(Struct, frozen=True, kw_only=True):
    """One item of the walk. `owner` None: the remainder, which nobody can be asked about yet."""

    item: str
    cost_centre: str | None
    resource: str
    amount: Decimal
    owner: str | None


@exactly
def walk(pairs: Iterable[Pair]) -> list[Step]:
    """The steps from the floor's total to the ERP's; what has no name of its own is `not explained`."""
    steps: list[Step] = []
    for pair in pairs:
        for item, amount in _steps(pair):
            if amount:
                steps.append(
                    Step(
                        item=item,
                        cost_centre=pair.cost_centre,
                        resource=pair.resource,
                        amount=amount,
                        owner=OWNERS.get(item),
                    )
                )
    return steps


def _steps(pair: Pair) -> list[tuple[str, Decimal]]:
    floor, erp = pair.floor, pair.erp
    if erp is None:
        return [(NOT_BOOKED, -floor.amount)] if floor is not None else []
    if not pair.on_floor:
        return [(NOT_ON_THE_FLOOR, erp.amount)]
    amount = floor.amount if floor is not None else ZERO
    hours = floor.hours if floor is not None and floor.hours is not None else ZERO
    item = HOURS.get(pair.resource)
    if item is None or erp.hours is None:
        return [(UNEXPLAINED, erp.amount - amount)]
    if not hours:
        return [(UNEXPLAINED, -amount), (item, erp.amount)]
    spare = CONTEXT.divide((erp.hours - hours) * amount, hours)
    return [(item, spare), (RATES, erp.amount - amount - spare)]
