"""What must hold between the files of a plant model, and what is worth a warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from cloud_api.plant.places import Faults, listed
from cloud_api.plant.rows import Row


def cross_check(rows: Iterable[Row], shown: Mapping[str, str], faults: Faults) -> None:
    """Warns of bills without a price, wages and tariffs that are missing, machines without a standard."""
    by_kind: dict[str, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    _bill_prices(by_kind, shown, faults)
    _missing_prices(by_kind, faults)
    _machines_without_standard(by_kind, faults)


def _bill_prices(by_kind: Mapping[str, list[Row]], shown: Mapping[str, str], faults: Faults) -> None:
    """Each material of a bill needs a price in force from the bill's date on."""
    since: dict[str, date] = {}
    for price in by_kind.get("prices", ()):
        if price.effective is not None:
            material = price.key[0]
            since[material] = min(since.get(material, price.effective), price.effective)
    told: set[str] = set()
    for bill in by_kind.get("bill", ()):
        material = bill.key[2]
        first = since.get(material)
        if material in told or (first is not None and bill.effective is not None and first <= bill.effective):
            continue
        told.add(material)
        message = f"the material '{material}' has no price" + ("" if first is None else f" before {first}")
        faults.warn(bill.place, message, f"add a row to {shown['prices.csv']}, else it costs nothing")


def _missing_prices(by_kind: Mapping[str, list[Row]], faults: Faults) -> None:
    site = by_kind["site"][0]
    if not by_kind.get("labour"):
        faults.warn(site.place, "there is no labour row", "add labour, else people cost nothing")
    needs = any(row.content.get("energy_kwh") not in (None, "0") for row in by_kind.get("standards", ()))
    if needs and not by_kind.get("energy"):
        faults.warn(site.place, "there is no energy row", "add energy, else energy costs nothing")


def _machines_without_standard(by_kind: Mapping[str, list[Row]], faults: Faults) -> None:
    named = {row.key[1] for row in by_kind.get("standards", ())}
    bare = [row for row in by_kind.get("machine", ()) if row.key[0] not in named]
    if bare:
        machines = listed(row.key[0] for row in bare)
        message = f"no product has a standard on {machines}"
        faults.warn(bare[0].place, message, "add rows to standards.csv, else its cost is unexplained")
