"""``status``: what the running agent says of its buffer, its delivery and its sources."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from edge_agent.config.load import load_valid
from edge_agent.core import sizes
from edge_agent.errors import AgentError
from edge_agent.tools.local_socket import connect


def status(file: Path, *, as_json: bool) -> int:
    """Print the status of the agent that runs this config; 1 where it is not running, or a source is down."""
    config = load_valid(file, files_needed=False)
    asking = connect(config.buffer.path)
    if asking is None:
        mend = f"start it: edge-agent run {file}"
        raise AgentError("the agent is not running", str(config.buffer.path), mend)
    with asking:
        told = asking.ask({"ask": "status"})
    if as_json:
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(lines(told, time.time())))
    return 0 if all(source["connected"] for source in told["sources"]) else 1


def lines(told: dict[str, Any], now_s: float) -> list[str]:
    """The status as plain text; now_s is seconds since 1970, UTC."""
    buffer = told["buffer"]
    uplink = "connected" if told["uplink_connected"] else "not connected: the buffer keeps everything"
    found = [
        f"agent {told['agent']} of site {told['site']}, config {told['config_hash'][:8]}",
        f"broker {told['broker']}: {uplink}",
        f"buffer: {buffer['depth']} batches not acknowledged"
        + _age(buffer["oldest_us"], now_s, ", the oldest of them {}")
        + f"; {sizes.shown(buffer['bytes_used'])} on disk of {sizes.shown(told['max_size_bytes'])}",
    ]
    if buffer["dropped_rows"]:
        found.append(f"buffer: {buffer['dropped_rows']} values dropped at its cap, told to the cloud as gaps")
    if buffer["set_aside_files"]:
        found.append(f"buffer: {buffer['set_aside_files']} damaged files set aside")
    if buffer["last_error"]:
        found.append(f"buffer: {buffer['last_error']}")
    return found + [_source(source, now_s) for source in told["sources"]]


def _source(source: dict[str, Any], now_s: float) -> str:
    state = "connected" if source["connected"] else "not connected"
    reason = f": {source['reason']}" if source.get("reason") else ""
    scanned = _age(source.get("last_scan_us"), now_s, ", last scan {}")
    live = f"{source['live']} of {source['configured']} signals live"
    polled = f", {source['polled']} polled" if source.get("polled") else ""
    return f"source {source['name']}: {state}, {live}{polled}{scanned}{reason}"


def _age(at_us: int | None, now_s: float, text: str) -> str:
    return "" if at_us is None else text.format(f"{max(0.0, now_s - at_us / 1e6):.1f} s ago")
