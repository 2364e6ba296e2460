"""Reads the fields of YAML mappings, each with its type; whatever is wrong becomes a fault at its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, time
from decimal import Decimal
from typing import TypeVar

from cloud_api.plant.document import Mapping, Scalar, Sequence, Tree
from cloud_api.plant.places import Faults, Place, nearest
from cloud_api.plant.scalars import (
    ANY,
    Bounds,
    Unreadable,
    read_choice,
    read_date,
    read_flag,
    read_number,
    read_time,
)

T = TypeVar("T")


class Fields:
    """The fields of one mapping; unknown keys are faults. ``what`` names it in messages, like 'a shift'."""

    def __init__(self, mapping: Mapping, faults: Faults, what: str, known: Collection[str]) -> None:
        self.mapping = mapping
        self.place = mapping.place
        self.faults = faults
        self.what = what
        for key, place in mapping.keys.items():
            if key not in known:
                comma = key.isdigit()
                mend = "write numbers with a decimal point, like 1.5" if comma else nearest(key, known)
                faults.add(place, f"'{key}' is not a field of {what}", mend)

    def at(self, key: str) -> Place:
        """Where the field's value stands, else the mapping itself."""
        tree = self.mapping.fields.get(key)
        return self.place if tree is None else tree.place

    def has(self, key: str) -> bool:
        tree = self.mapping.fields.get(key)
        return tree is not None and not (isinstance(tree, Scalar) and tree.absent)

    def text(self, key: str) -> str | None:
        return self._read(key, str)

    def required_text(self, key: str, example: str) -> str:
        word = self.text(key)
        if word is None or not word.strip():
            self.missing(key, example)
            return ""
        return word

    def number(self, key: str, bounds: Bounds = ANY) -> Decimal | None:
        return self._read(key, lambda word: read_number(word, bounds))

    def required_number(self, key: str, bounds: Bounds, example: str) -> Decimal:
        if not self.has(key):
            self.missing(key, example)
        value = self.number(key, bounds)
        return Decimal(0) if value is None else value

    def day(self, key: str) -> date | None:
        return self._read(key, read_date)

    def time_of_day(self, key: str) -> time | None:
        return self._read(key, read_time)

    def flag(self, key: str) -> bool:
        return bool(self._read(key, read_flag))

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        return self._read(key, lambda word: read_choice(word, choices))

    def items(self, key: str) -> tuple[Tree, ...]:
        """The items of a list; none where the field is absent."""
        tree = self.mapping.fields.get(key)
        if tree is None or not self.has(key):
            return ()
        if isinstance(tree, Sequence):
            return tree.items
        self.faults.add(
            tree.place, f"'{key}' must be a list", "write it as [..] or as lines that begin with '- '"
        )
        return ()

    def words(self, key: str) -> Iterator[tuple[Place, str]]:
        """The words of a list, each with its place."""
        for item in self.items(key):
            if isinstance(item, Scalar) and not item.absent:
                yield item.place, item.text
            else:
                self.faults.add(item.place, f"an item of '{key}' must be a single word", "write one word")

    def children(self, key: str, what: str, known: Collection[str]) -> Iterator[Fields]:
        """The mappings in a list."""
        for item in self.items(key):
            if isinstance(item, Mapping):
                yield Fields(item, self.faults, what, known)
            else:
                self.faults.add(item.place, f"{what} must be a mapping", "write it as {key: value, ...}")

    def child(self, key: str, what: str, known: Collection[str]) -> Fields | None:
        tree = self.mapping.fields.get(key)
        if tree is None or not self.has(key):
            return None
        if isinstance(tree, Mapping):
            return Fields(tree, self.faults, what, known)
        self.faults.add(tree.place, f"'{key}' must be a mapping", "write it as {key: value, ...}")
        return None

    def missing(self, key: str, example: str) -> None:
        self.faults.add(self.place, f"{self.what} has no '{key}'", f"add it, like {key}: {example}")

    def _read(self, key: str, read: Callable[[str], T]) -> T | None:
        tree = self.mapping.fields.get(key)
        if tree is None or not self.has(key):
            return None
        if not isinstance(tree, Scalar):
            self.faults.add(tree.place, f"'{key}' must be a single value", "write one word or number")
            return None
        try:
            return read(tree.text)
        except Unreadable as unreadable:
            self.faults.add(tree.place, f"{key}: {unreadable.message}", unreadable.mend)
            return None
