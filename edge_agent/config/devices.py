"""Device presets: ``device: schneider-pm5000`` on a machine or type brings the signals of a meter.

Each is a file of this package's folder ``devices``, named as config writes it, that cites the maker's manual.
Registers are written as Modicon numbers, so that ``address_base`` of a source does not matter, and with their
orders, so that those of the source do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files

from edge_agent.config.document import Mapping, Scalar, Sequence, Tree, parse_document
from edge_agent.config.faults import Faults, did_you_mean
from edge_agent.config.model import Place


@cache
def device_names() -> tuple[str, ...]:
    """All presets, by name."""
    folder = files("edge_agent.config").joinpath("devices")
    found = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


@cache
def device(name: str) -> Mapping:
    """The file of a preset: maker, models, manual, signals. Raises KeyError for a name that is none."""
    if name not in device_names():
        raise KeyError(name)
    text = files("edge_agent.config").joinpath("devices", f"{name}.yaml").read_text(encoding="utf-8")
    tree = parse_document(text, f"{name}.yaml", Faults())
    assert isinstance(tree, Mapping)
    return tree


def signals_of(named: Tree, faults: Faults) -> Mapping | None:
    """The signals of the preset that is named, all of them standing where the name does; None: told."""
    text = named.text if isinstance(named, Scalar) else ""
    if text not in device_names():
        faults.add(named.place, f"device: '{text}' is no preset; {did_you_mean(text, device_names())}")
        return None
    signals = next(value for key, value in device(text).items() if key.text == "signals")
    moved = _at(signals, named.place)
    assert isinstance(moved, Mapping)
    return moved


def _at(tree: Tree, place: Place) -> Tree:
    """The same tree, all of it at one place."""
    if isinstance(tree, Scalar):
        return replace(tree, place=place)
    if isinstance(tree, Sequence):
        return Sequence(place, tuple(_at(item, place) for item in tree.items))
    return Mapping(place, tuple(_keys(tree, place)), tuple(_at(value, place) for value in tree.values))


def _keys(tree: Mapping, place: Place) -> Iterator[Scalar]:
    for key in tree.keys:
        yield replace(key, place=place)
