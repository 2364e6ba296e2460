"""Names of MQTT topics: ``plantledger/v1/{site}/{agent}/{kind}``."""

from __future__ import annotations

import re
from enum import StrEnum

ROOT = "plantledger/v1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


class Kind(StrEnum):
    """What a message is. Agent to cloud: hello, batch, dictionary, status; cloud to agent: ack, want."""

    HELLO = "hello"
    BATCH = "batch"
    DICTIONARY = "dictionary"
    ACK = "ack"
    WANT = "want"
    STATUS = "status"


def is_name(text: str) -> bool:
    """Whether a text can be a site's or agent's id: 1 to 63 of letters, digits, ``. _ -``."""
    return _NAME.match(text) is not None


def topic(site: str, agent: str, kind: Kind) -> str:
    """The topic of one kind of message of one agent. Raises ValueError for an id that is no name."""
    for name in (site, agent):
        if not is_name(name):
            raise ValueError(f"{name!r} cannot be part of a topic: use letters, digits, . _ -")
    return f"{ROOT}/{site}/{agent}/{kind}"


def parse(text: str) -> tuple[str, str, Kind] | None:
    """(site, agent, kind) of a topic of ours, or None for any other."""
    head, _, tail = text.partition(ROOT + "/")
    parts = tail.split("/")
    if head or len(parts) != 3 or not is_name(parts[0]) or not is_name(parts[1]):
        return None
    try:
        return parts[0], parts[1], Kind(parts[2])
    except ValueError:
        return None
