"""The agent's figures in the text format of Prometheus. Every name is listed in docs/operations.md."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.app.agent import Agent

_PREFIX = "plantledger_"
Labels = Mapping[str, str]
Rows = Iterable[tuple[Labels, float | None]]


def figures(agent: Agent) -> str:
    """Buffer, delivery, sources, clock: a few lines a source."""
    parts = (_about(agent), _sources(agent), _buffer(agent), _delivery(agent))
    return "".join(line for part in parts for line in part)


def signal_figures(agent: Agent) -> str:
    """The age of each signal's newest value, a line a signal: scraped apart, for it may be long."""
    now_us, seen = agent.clock.now_us(), agent.recorder.seen_us()
    rows = [
        ({"machine": each.machine, "signal": each.name}, _age_s(now_us, seen.get(each.index)))
        for each in agent.config.signals
    ]
    return "".join(_figure("signal_age_seconds", "gauge", "Since the newest value seen of a signal.", rows))


def _about(agent: Agent) -> Iterator[str]:
    config, identity, around = agent.config, agent.identity, agent.surroundings()
    info = {
        "agent": config.agent.id,
        "site": config.agent.site,
        "version": identity.version,
        "config_hash": config.content_hash,
        "instance": identity.instance.hex(),
    }
    yield from _figure("agent_info", "gauge", "Who this is; always 1.", [(info, 1)])
    started_s = identity.started_us / 1e6
    yield from _one("agent_start_time_seconds", "gauge", "When this run began, since 1970.", started_s)
    yield from _one("agent_tasks", "gauge", "Tasks of the event loop.", len(asyncio.all_tasks()))
    offset = "The gateway's clock minus the cloud's, by the quickest of the last acks."
    yield from _one("clock_offset_seconds", "gauge", offset, around.clock_offset_s)
    yield from _one("clock_trusted", "gauge", "1 once the clock may date samples.", agent.clock.trusted())
    if around.certificate_expires_us is not None:
        expires_s = around.certificate_expires_us / 1e6
        yield from _one(
            "certificate_expires_seconds", "gauge", "End of the gateway's certificate.", expires_s
        )


def _sources(agent: Agent) -> Iterator[str]:
    fleet, now_us = agent.fleet, agent.clock.now_us()
    told = fleet.health() if fleet is not None else []
    seen = agent.recorder.seen_us()
    oldest: dict[str, int] = {}
    for signal in agent.config.signals:
        if (at_us := seen.get(signal.index)) is not None:
            oldest[signal.source] = min(at_us, oldest.get(signal.source, at_us))
    by = {each.name: {"source": each.name} for each in told}
    rows: dict[str, tuple[str, dict[str, float | None]]] = {
        "source_up": ("1 while connected.", {each.name: each.connected for each in told}),
        "source_signals_configured": ("Signals in the config.", {e.name: e.configured for e in told}),
        "source_signals_live": ("Signals that answer.", {each.name: each.live for each in told}),
        "source_signals_polled": (
            "OPC UA signals that are read, not reported.",
            {e.name: e.polled for e in told},
        ),
        "source_last_scan_age_seconds": (
            "Since the last good scan or notification.",
            {each.name: _age_s(now_us, each.last_scan_us) for each in told},
        ),
        "source_oldest_signal_age_seconds": (
            "Of the signal whose newest value is the oldest.",
            {each.name: _age_s(now_us, oldest.get(each.name)) for each in told},
        ),
    }
    for name, (what, values) in rows.items():
        yield from _figure(name, "gauge", what, [(by[source], value) for source, value in values.items()])
    losses = fleet.losses() if fleet is not None else {}
    what = "How often a source was lost, and had to be won again."
    yield from _figure(
        "source_losses_total", "counter", what, [({"source": n}, v) for n, v in losses.items()]
    )


def _buffer(agent: Agent) -> Iterator[str]:
    state, counted = agent.buffer.state(), agent.recorder.counters
    now_us = agent.clock.now_us() + (agent.buffer.shift_us() or 0)
    gauges: dict[str, tuple[str, float | None]] = {
        "buffer_batches_waiting": ("Batches on disk that wait for the cloud's ack.", state.depth),
        "buffer_bytes": ("On disk, acknowledged data included.", state.bytes_used),
        "buffer_bytes_max": ("The cap.", state.bytes_max),
        "buffer_bytes_waiting": ("On disk, not acknowledged.", state.bytes_unacknowledged),
        "buffer_memory_bytes": ("In memory, not yet committed.", state.bytes_waiting),
        "buffer_days_left": (
            "Until the cap without the cloud, at the present rate.",
            agent.herald.days_left(),
        ),
        "buffer_oldest_age_seconds": ("Of what waits for an ack.", _age_s(now_us, state.oldest_us)),
        "buffer_disk_refuses": ("1 while the disk does not take data.", state.last_error is not None),
        "buffer_files_set_aside": ("Damaged files kept for inspection.", state.set_aside_files),
    }
    for name, (what, value) in gauges.items():
        yield from _one(name, "gauge", what, value)
    counters: dict[str, tuple[str, float]] = {
        "buffer_committed_total": (
            "The commit counter: batches of this run up to it are safe.",
            state.committed,
        ),
        "buffer_written_bytes_total": ("Written to disk by this run.", state.bytes_written),
        "buffer_torn_bytes_total": ("Cut at start, never called safe.", state.torn_bytes),
        "recorded_readings_total": ("Values that sources delivered.", counted.readings),
        "recorded_samples_total": ("Of these, samples that were worth keeping.", counted.rows),
        "recorded_batches_total": ("Batches handed to the buffer.", counted.batches),
        "recorded_mended_total": ("Values that could not travel as they came.", counted.mended),
    }
    for name, (what, value) in counters.items():
        yield from _one(name, "counter", what, value)
    dropped = {**state.dropped_by, "stop": counted.refused}
    what = "Given up for want of room, told to the cloud as gap records; by policy."
    rows = [({"policy": policy}, count) for policy, count in sorted(dropped.items())]
    yield from _figure("dropped_samples_total", "counter", what, rows)


def _delivery(agent: Agent) -> Iterator[str]:
    counted = agent.drain.counters
    connected = "1 while the broker is connected."
    yield from _one("uplink_connected", "gauge", connected, agent.uplink.is_connected())
    yield from _one("uplink_in_flight", "gauge", "Batches sent and not acknowledged.", agent.drain.in_flight)
    counters = {
        "uplink_connects_total": ("Connections made to the broker.", agent.uplink.connects),
        "batches_sent_total": ("Batches that the broker took.", counted.sent),
        "batches_sent_again_total": ("Of these, sent again for want of an ack.", counted.sent_again),
        "batches_refused_total": ("Batches that the broker did not take.", counted.refused),
        "batches_acknowledged_total": (
            "Batches in flight that the cloud has for good.",
            counted.acknowledged,
        ),
        "overtakes_total": ("How often live data left a backlog behind.", counted.overtakes),
    }
    for name, (what, value) in counters.items():
        yield from _one(name, "counter", what, value)


def _one(name: str, kind: str, what: str, value: float | None) -> Iterator[str]:
    return _figure(name, kind, what, [({}, value)])


def _figure(name: str, kind: str, what: str, rows: Rows) -> Iterator[str]:
    """A family; rows without a value are left out, as the format wants it."""
    known = [(labels, value) for labels, value in rows if value is not None]
    if not known:
        return
    yield f"# HELP {_PREFIX}{name} {what}\n# TYPE {_PREFIX}{name} {kind}\n"
    for labels, value in known:
        marked = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{_PREFIX}{name}{'{' + marked + '}' if marked else ''} {_number(float(value))}\n"


def _number(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _age_s(now_us: int, at_us: int | None) -> float | None:
    return None if at_us is None else max(0.0, (now_us - at_us) / 1e6)
