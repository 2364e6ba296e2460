"""What can go wrong in the cloud service, said so that its reader knows what to do."""

from __future__ import annotations


class CloudError(Exception):
    """A fault with its place and its mend; printed as ``what happened: where: what to do``."""

    def __init__(self, what: str, where: str, mend: str) -> None:
        super().__init__(f"{what}: {where}: {mend}")
        self.what = what
        self.where = where
        self.mend = mend
