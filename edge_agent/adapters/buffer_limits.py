"""How much the buffer may hold, and how often it writes; every limit is listed in docs/limits.md."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_agent.adapters.buffer_segment import HEADER_BYTES, RECORD_BYTES
from edge_agent.config.model import BufferSettings
from edge_agent.core.buffer_policy import AtCap


@dataclass(frozen=True, slots=True)
class BufferLimits:
    """Sizes in bytes, times in seconds.

    max_bytes: cap of the folder. reserve_bytes: left free on the disk. front_bytes: memory before the disk.
    message_bytes: largest message. window_s: shortest time between two commits. keep_s: how long settled
    data stays while there is room. settle_s: how often acks are written down.
    """

    max_bytes: int = 2 * 1024**3
    reserve_bytes: int = 256 * 1024**2
    front_bytes: int = 8 * 1024**2
    message_bytes: int = 256 * 1024
    segment_bytes: int = 4 * 1024**2
    chunk_bytes: int = 256 * 1024
    window_s: float = 0.25
    keep_s: float = 24 * 3600.0
    settle_s: float = 30.0
    at_cap: AtCap = AtCap.DROP_OLDEST

    def fitted(self) -> BufferLimits:
        """The same where a small cap gets small segments, and a segment always takes the largest message."""
        least = self.message_bytes + HEADER_BYTES + RECORD_BYTES + 4096
        segment = max(least, min(self.segment_bytes, self.max_bytes // 16))
        return replace(self, segment_bytes=segment, chunk_bytes=min(self.chunk_bytes, segment))


def limits_of(settings: BufferSettings, max_packet_bytes: int) -> BufferLimits:
    """The limits that a config asks for; a message and its topic fit into the broker's packet."""
    return BufferLimits(
        max_bytes=settings.max_size_bytes,
        reserve_bytes=settings.reserve_bytes,
        message_bytes=max(4096, max_packet_bytes - 1024),
        window_s=settings.commit_window_us / 1e6,
        keep_s=settings.keep_us / 1e6,
        at_cap=settings.at_cap,
    )
