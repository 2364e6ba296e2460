"""The names that a plant model knows, against those that a config uses: a slip in one of them costs money."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.config.document import Mapping, Scalar, Sequence, Tree, parse_document
from edge_agent.config.faults import Faults, closest
from edge_agent.config.model import Config, Place
from edge_agent.errors import AgentError
from shared.roles import Role


@dataclass(slots=True)
class PlantNames:
    """Each name with the place where the plant model says it."""

    machines: dict[str, Place] = field(default_factory=dict)
    products: dict[str, Place] = field(default_factory=dict)
    items: dict[str, Place] = field(default_factory=dict)


def read_names(folder: Path) -> PlantNames:
    """The names of a plant model's folder; raises AgentError where site.yaml cannot be read."""
    names = PlantNames()
    site = folder / "site.yaml"
    faults = Faults()
    try:
        tree = parse_document(site.read_text("utf-8-sig"), str(site), faults)
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(
            "no plant model", str(site), f"name the folder that holds site.yaml ({error})"
        ) from None
    for line in _items(_child(tree, "lines")):
        for machine in _items(_child(line, "machines")):
            if isinstance(name := _child(machine, "id"), Scalar):
                names.machines[name.text] = name.place
    _column(folder / "standards.csv", "product", names.products)
    _column(folder / "products.csv", "product", names.products)
    _column(folder / "bill.csv", "material", names.items)
    _column(folder / "prices.csv", "material", names.items)
    return names


def compare(config: Config, names: PlantNames, faults: Faults) -> None:
    """Names that only the config knows are mistakes at its own lines; names that only the plant knows are
    warnings.
    """
    used_items: set[str] = set()
    used_products: set[str] = set()
    for machine in config.machines:
        _known("machine", machine.id, machine.place, names.machines, faults)
        for signal in machine.signals:
            if signal.item is not None:
                used_items.add(signal.item)
                _known("item", signal.item, signal.place, names.items, faults)
            if signal.role is Role.PRODUCT and signal.meaning.map is not None:
                for _, word in signal.meaning.map:
                    used_products.add(word)
                    if word:
                        _known("product", word, signal.place, names.products, faults)
    machines = {machine.id for machine in config.machines}
    _unused("machine", names.machines, machines, "no machine of this config has that name", faults)
    if used_items:
        _unused("item", names.items, used_items, "no signal of this config counts it", faults)
    if used_products:
        _unused("product", names.products, used_products, "no map of this config gives it", faults)


def _known(kind: str, name: str, place: Place, known: dict[str, Place], faults: Faults) -> None:
    if name in known:
        return
    near = closest(name, known)
    mend = f"did you mean '{near}'?" if near else "add it there, or mend the name here"
    faults.add(place, f"{kind} '{name}' is not in the plant model; {mend}")


def _unused(kind: str, known: dict[str, Place], used: Iterable[str], why: str, faults: Faults) -> None:
    for name in sorted(set(known) - set(used)):
        faults.warn(known[name], f"{kind} '{name}': {why}; harmless if another gateway does")


def _child(tree: Tree | None, name: str) -> Tree | None:
    if not isinstance(tree, Mapping):
        return None
    return next((value for key, value in tree.items() if key.text == name), None)


def _items(tree: Tree | None) -> Iterator[Tree]:
    if isinstance(tree, Sequence):
        yield from tree.items


def _column(path: Path, column: str, names: dict[str, Place]) -> None:
    """The values of one column of a CSV file that may be absent."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.DictReader(lines)
        for row in reader:
            if name := (row.get(column) or "").strip():
                names.setdefault(name, Place(str(path), reader.line_num, 1))
