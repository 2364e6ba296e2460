"""What can go wrong on the gateway, said so that its reader knows what to do."""

from __future__ import annotations


class AgentError(Exception):
    """A fault with its place and its mend; printed as ``what happened: where: what to do``."""

    def __init__(self, what: str, where: str, mend: str) -> None:
        super().__init__(f"{what}: {where}: {mend}")
        self.what = what
        self.where = where
        self.mend = mend
