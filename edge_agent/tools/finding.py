"""What ``doctor`` found of one thing: well, worth a look, or wrong with its mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """name: what was looked at. mend: what to do; empty where all is well."""

    state: State
    name: str
    told: str
    mend: str = ""

    def __str__(self) -> str:
        told = f"{self.state:<5}{self.name}: {self.told}"
        return f"{told}: {self.mend}" if self.mend else told

    def as_values(self) -> dict[str, str]:
        """As plain values."""
        return {"state": str(self.state), "name": self.name, "told": self.told, "mend": self.mend}


def ok(name: str, told: str) -> Finding:
    return Finding(State.OK, name, told)


def warn(name: str, told: str, mend: str) -> Finding:
    return Finding(State.WARN, name, told, mend)


def fail(name: str, told: str, mend: str) -> Finding:
    return Finding(State.FAIL, name, told, mend)
