"""``map_file``: a map that lives in a CSV file of two columns, value and word, such as a list of recipes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_agent.config.document import Mapping, Scalar, Tree
from edge_agent.config.faults import Faults
from edge_agent.config.sheet import beside, cells_of, text_of

_HEADS = frozenset({"value", "raw", "code", "number", "id"})


@dataclass(slots=True)
class MapFiles:
    """Puts the content of map files in place of their names; each file that can be read is read once."""

    folder: Path
    faults: Faults
    known: dict[str, Mapping] = field(default_factory=dict)

    def read(self, machines: Mapping) -> Mapping:
        """The machines, with a map wherever a tag or signal had a map_file."""
        return replace(machines, values=tuple(self._machine(value) for value in machines.values))

    def _machine(self, machine: Tree) -> Tree:
        if not isinstance(machine, Mapping):
            return machine
        values = [
            self._signals(value) if key.text in ("tags", "signals") else value
            for key, value in machine.items()
        ]
        return replace(machine, values=tuple(values))

    def _signals(self, signals: Tree) -> Tree:
        if not isinstance(signals, Mapping):
            return signals
        return replace(signals, values=tuple(self._signal(value) for value in signals.values))

    def _signal(self, signal: Tree) -> Tree:
        keys = [key.text for key in signal.keys] if isinstance(signal, Mapping) else []
        if not isinstance(signal, Mapping) or "map_file" not in keys:
            return signal
        at = keys.index("map_file")
        named = signal.values[at]
        if "map" in keys:
            self.faults.add(signal.keys[at].place, "map_file: map stands here, too; keep one of them")
            return signal
        if not isinstance(named, Scalar) or named.broken or named.absent:
            return signal
        pairs: Tree | None = self.known.get(named.text) or self._pairs(named)
        if isinstance(pairs, Mapping):
            self.known[named.text] = pairs
        if pairs is None:
            pairs = replace(named, broken=True)
        key = replace(signal.keys[at], text="map")
        return Mapping(
            signal.place,
            (*signal.keys[:at], key, *signal.keys[at + 1 :]),
            (*signal.values[:at], pairs, *signal.values[at + 1 :]),
        )

    def _pairs(self, named: Scalar) -> Mapping | None:
        text = text_of(self.folder / named.text, named, self.faults)
        if text is None:
            return None
        keys: dict[str, Scalar] = {}
        words: list[Tree] = []
        for number, cells in enumerate(cells_of(text, beside(named), self.faults)):
            raw = cells[0].text.strip()
            if number == 0 and raw.lower() in _HEADS:
                continue
            if len(cells) != 2 or not raw:
                self.faults.add(cells[0].place, "a row of a map has two cells, value and word; write both")
            elif raw in keys:
                first = keys[raw].place.line
                self.faults.add(
                    cells[0].place, f"'{raw}' stands twice, first in line {first}; keep one of them"
                )
            else:
                keys[raw] = Scalar(cells[0].place, raw, True)
                words.append(Scalar(cells[1].place, cells[1].text.strip(), False))
        return Mapping(named.place, tuple(keys.values()), tuple(words))
