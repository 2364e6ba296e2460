"""What a gateway gives up at its cap arrives: each policy's gap record with its count, signals and reason."""

from __future__ import annotations

from cloud_api.ingest.intake import Intake
from shared.batch import Gap
from tests.integration.ingest.gateway import GOOD, STATE, Gateway, acks, now_us, rows

LOSSES = """
select reason, samples, cardinality(series), starts_at = ends_at, seqs is not null
from losses where kind = 'gap' order by reason
"""


def test_gap_records_of_every_policy_are_kept_with_their_counts(intake: Intake, database: str) -> None:
    gateway, at = Gateway(), now_us() - 60_000_000
    old = b"o" * 16
    gaps = [
        Gap(old, 1, 9, at, at + 1_000_000, 90, "dropped"),
        Gap(gateway.start, 0, 0, at, at + 2_000_000, 30, "stopped", [GOOD, STATE]),
        Gap(old, 0, 0, at, at + 3_000_000, 20, "thinned measures", [STATE]),
        Gap(old, 0, 0, at, at, 10, "thinned readings of counters", [GOOD]),
    ]
    replies = intake.take([gateway.dictionary(), gateway.batch(1, gaps=gaps)])
    assert acks(replies)[gateway.start.hex()] == (1, [])
    assert acks(replies)[old.hex()] == (9, [])
    assert rows(database, LOSSES) == [
        ("dropped", 90, 0, False, True),
        ("stopped", 30, 2, False, False),
        ("thinned measures", 20, 1, False, False),
        ("thinned readings of counters", 10, 1, True, False),
    ]
