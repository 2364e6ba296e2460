"""A buffer folder as version 1 first wrote it: an update of the agent must find its backlog again."""

from __future__ import annotations

import shutil
from pathlib import Path

from edge_agent.adapters.buffer_files import DiskFiles
from shared.batch import Gap, Lane, samples_of
from shared.codec import unpack
from tests.unit.edge_delivery.buffers import T0, opened

HERE = Path(__file__).parent


def test_the_backlog_of_version_1_is_found_with_what_is_settled(tmp_path: Path) -> None:
    shutil.copytree(HERE / "v1", tmp_path / "buffer")
    buffer = opened(DiskFiles(tmp_path / "buffer"))
    found = buffer.unacknowledged(Lane.HISTORY, None, 99)
    assert [(each.stream, each.seq, each.rows, each.newest_us) for each in found] == [
        (b"g" * 16, 3, 1, T0 + 2),
        (b"g" * 16, 4, 1, T0 + 3),
        (b"g" * 16, 5, 1, T0 + 4),
    ]
    batches = [unpack(each.message)[1] for each in found]
    assert [sample.value for batch in batches for sample in samples_of(batch)] == [0.5, 0.75, 1.0]
    assert batches[1].gaps == [Gap(b"h" * 16, 1, 9, T0, T0 + 5, 3, "buffer full")]
    assert [each.seq for each in buffer.wanted(b"g" * 16, 1, 9)] == [1, 2, 3, 4, 5]
    assert (buffer.state().set_aside_files, buffer.state().torn_bytes) == (0, 0)
    assert len(buffer.dictionaries()) == 1
    buffer.close()
