"""The one error of the wire: bytes that do not say what version 1 lets them say."""

from __future__ import annotations


class WireError(ValueError):
    """A message cannot be used: what is wrong with it, and where in it.

    The receiver sets the message aside whole; it is never half applied.
    """

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what}: {where}")
        self.what = what
        self.where = where
