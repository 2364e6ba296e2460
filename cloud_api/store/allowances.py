"""What the standard allows, kept beside the ledger so that finance's views can multiply it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.interpret.allowed import Allowed
from cloud_api.store.statements import statement


def replace(
    connection: Connection[TupleRow],
    site: str,
    machine_id: int,
    kind: tuple[str, str | None, dt.date],
    cells: Sequence[Allowed],
) -> None:
    """Replaces what units of a kind (product, shift, site date) on a machine are allowed."""
    product, shift, effective = kind
    of = {"machine_id": machine_id, "product": product, "shift": shift, "effective": effective}
    connection.execute(statement("allowances.clear"), of)
    rows = [
        {
            **of,
            "site": site,
            "booked_machine": cell.booked_machine,
            "resource": cell.resource,
            "cause": cell.cause,
            "per_good": cell.per_good,
            "per_scrap": cell.per_scrap,
        }
        for cell in cells
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement("allowances.add"), rows)
