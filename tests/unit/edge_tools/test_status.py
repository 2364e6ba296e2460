"""The status of an agent as a person reads it."""

from __future__ import annotations

from typing import Any

from edge_agent.tools.status import lines

SOURCE = {"name": "plc", "connected": True, "configured": 60, "live": 59, "last_scan_us": 995_000_000}
TOLD: dict[str, Any] = {
    "agent": "gw-1", "site": "columbus", "config_hash": "0123456789", "broker": "mqtts://b:8883",
    "uplink_connected": True, "uplink_problem": None, "max_size_bytes": 2**31, "sent": 7, "acknowledged": 7,
    "clock_offset_s": None,
    "buffer": {
        "committed": 7, "depth": 0, "bytes_used": 4096, "bytes_unacknowledged": 0, "oldest_us": None,
        "dropped_rows": 0, "set_aside_files": 0, "last_error": None,
    },
}  # fmt: skip


def source_line(**more: Any) -> str:
    return lines({**TOLD, "sources": [SOURCE | more]}, 1_000.0)[-1]


def test_a_source_tells_what_is_live_what_is_polled_and_why_not_all():
    assert source_line() == "source plc: connected, 59 of 60 signals live, last scan 5.0 s ago"
    assert source_line(polled=40, reason="m.a: BadNodeIdUnknown") == (
        "source plc: connected, 59 of 60 signals live, 40 polled, last scan 5.0 s ago: m.a: BadNodeIdUnknown"
    )
