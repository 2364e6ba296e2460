"""Parameters that one path alone takes, such as `measure` of a bridge: what may stand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "text", "time", "month", "number", "list"]


@dataclass(frozen=True, slots=True)
class Option:
    """A parameter of one path.

    `kind` word: one of `words`; text: anything; time: a production day or RFC 3339, kept as microseconds UTC
    (as text); month: YYYY-MM; number: a decimal; list: text that may be
    repeated, kept as lines. `default` stands where the request does not name it; without
    one it is absent.
    """

    name: str
    description: str
    kind: Kind = "text"
    words: tuple[str, ...] = ()
    default: str | None = None
    example: str | None = None
