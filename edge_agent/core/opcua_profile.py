"""What OPC UA servers really take, where that is less than they say; and what is learnt of one by asking.

Operation limits that servers report are too optimistic. So a call holds no more nodes than the server tells,
than its profile says and than it was found to take; a server of which nothing is known gets fifty, and more
only after it has answered that many.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

UNKNOWN_PER_CALL = 50
MOST_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of servers. marks: one of them is found in its namespaces or product name.

    per_call: nodes of one Read, CreateMonitoredItems or TranslateBrowsePaths. items: monitored items in all.
    sessions: at once. source: where the figures are from.
    """

    name: str
    marks: tuple[str, ...]
    per_call: int
    items: int | None
    sessions: int | None
    source: str


UNKNOWN = Profile("unknown", (), UNKNOWN_PER_CALL, None, None, "careful by default")
PROFILES = (
    Profile(
        "s7-1200", ("S7-1200",), 100, 1_000, 10,
        "field reports: a read of 200 nodes takes fifty times as long as two of 100; it knows no filter of "
        "data changes, so none is asked for",
    ),
    Profile(
        "s7-1500", ("S7-1500", "simatic-s7-opcua"), 500, None, None,
        "EPICS opcua wiki 'Siemens S7-1500 PLC' and its issues 177 and 201: more than 1,000 nodes in all "
        "outstanding requests are refused, 1,000 at a time at the edge",
    ),
    Profile(
        "bmenua0100", ("BMENUA0100",), MOST_PER_CALL, 2_000, 10,
        "Schneider Electric BMENUA0100 manual, limitations (D-SE-0106080): 10 sessions; 2,000 items at 20 ms",
    ),
)  # fmt: skip
"""Some servers, by name; the first whose mark is found counts."""


def profile_of(words: Iterable[str]) -> Profile:
    """The profile that fits a server's namespaces, product and maker, in any case of letters."""
    text = "\n".join(words).lower()
    for profile in PROFILES:
        if any(mark.lower() in text for mark in profile.marks):
            return profile
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class CallLimit:
    """How many nodes go into one call of a kind. told: by the server, 0: it tells nothing.

    most: what it was found to take at most. proven: the most that it has answered. late: time-outs in a row.
    """

    profile: Profile = UNKNOWN
    told: int = 0
    most: int = MOST_PER_CALL
    proven: int = 0
    late: int = 0

    @property
    def nodes(self) -> int:
        """Nodes of the next call."""
        allowed = min(self.told or MOST_PER_CALL, self.most, MOST_PER_CALL)
        if self.profile is not UNKNOWN:
            return max(1, min(allowed, self.profile.per_call))
        if not self.told:
            return max(1, min(allowed, UNKNOWN_PER_CALL))
        return max(1, min(allowed, max(UNKNOWN_PER_CALL, 2 * self.proven)))

    def meets(self, profile: Profile, told: int) -> CallLimit:
        """A new session: what the server tells now; what was learnt of it stays."""
        return replace(self, profile=profile, told=told)

    def answered(self, asked: int) -> CallLimit:
        """A call of so many nodes was answered."""
        if asked <= self.proven and not self.late:
            return self
        return replace(self, proven=max(self.proven, asked), late=0)

    def refused(self, asked: int) -> CallLimit:
        """So many were too many: half of them from now on."""
        return replace(self, most=max(1, asked // 2), proven=0, late=0)

    def unanswered(self, asked: int) -> CallLimit:
        """A time-out may have any reason; the second in a row is taken for a refusal."""
        return self.refused(asked) if self.late else replace(self, late=1)
