"""Seeded schedules of faults: what breaks, when, for how long. Each has an outage of ten seconds or more."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    AGENT_KILLED = "agent killed"
    AGENT_STOPPED = "agent stopped"
    PLC_LINK_CUT = "link to the Modbus PLC cut"
    OPC_LINK_CUT = "link to the OPC UA server cut"
    UPLINK_CUT = "link to the broker cut"
    BROKER_EMPTIED = "broker restarted with an empty store"
    DATABASE_RESTARTED = "database restarted"
    CLOUD_KILLED = "cloud killed"


@dataclass(frozen=True, slots=True)
class Step:
    """after_s: rest before it, with everything well. lasts_s: until it is mended."""

    fault: Fault
    after_s: float
    lasts_s: float


def schedule(seed: int) -> list[Step]:
    """Three faults drawn by the seed; the seeds 0 to 7 each begin with another of the eight kinds."""
    chance = random.Random(f"schedule {seed}")
    kinds = list(Fault)
    first = kinds[seed % len(kinds)]
    others = chance.sample([kind for kind in kinds if kind is not first], 2)
    long_one = chance.randrange(3)
    return [
        Step(
            fault,
            after_s=chance.uniform(4.0, 7.0),
            lasts_s=chance.uniform(10.0, 12.0) if place == long_one else chance.uniform(0.3, 3.0),
        )
        for place, fault in enumerate((first, *others))
    ]
