"""``doctor``: everything that must be right for a gateway to work, each with the mend where it is not.

Nothing is dialled or resolved but the hosts of the config. Devices that the running agent holds are asked
through it; without one, each is asked once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from edge_agent.config.load import load
from edge_agent.config.model import Config, ModbusRtuSource, OpcUaSource, Source
from edge_agent.errors import AgentError
from edge_agent.ports import Clock
from edge_agent.ports import Source as Reader
from edge_agent.tools.finding import Finding, State, fail, ok, warn
from edge_agent.tools.gateway_checks import clock_finding, disk_findings, permission_findings
from edge_agent.tools.local_socket import Asking, connect
from edge_agent.tools.network_checks import (
    broker_findings,
    certificate_findings,
    name_findings,
    reach_findings,
)
from shared.sample import Quality

Build = Callable[[Config, Clock], Sequence[Reader]]


def doctor(file: Path, clock: Clock, build: Build, nonce: str, *, as_json: bool) -> int:
    """Print every finding; 1 where one failed."""
    findings = []
    for finding in examined(file, clock, build, nonce):
        findings.append(finding)
        if not as_json:
            print(finding, flush=True)
    failed = sum(finding.state is State.FAIL for finding in findings)
    if as_json:
        print(json.dumps(as_values(findings), indent=2, ensure_ascii=False))
    else:
        print(f"{file}: {failed} of {len(findings)} checks failed" if failed else f"{file}: all is well")
    return int(failed > 0)


def as_values(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as plain values."""
    good = all(finding.state is not State.FAIL for finding in findings)
    return {"ok": good, "checks": [finding.as_values() for finding in findings]}


def examined(file: Path, clock: Clock, build: Build, nonce: str) -> Iterator[Finding]:
    """One check after the other; a config with mistakes ends it, for nothing else can be said then."""
    loaded = load(file, files_needed=True)
    if loaded.config is None:
        for line in loaded.faults.lines():
            yield fail("config", line, "mend the config; edge-agent check FILE names every mistake")
        return
    config = loaded.config
    yield ok(
        "config", f"{_counted(len(config.sources), 'source')}, {_counted(len(config.signals), 'signal')}"
    )
    for line in loaded.faults.warnings():
        yield warn("config", line, "see edge-agent check")
    yield from permission_findings(config)
    yield from disk_findings(config, clock)
    asking, status = _agent(config)
    yield _running(config, status)
    yield clock_finding(clock, status)
    held = status is not None
    yield from name_findings(config)
    unreached = set()
    for finding in reach_findings(config, held=held):
        yield finding
        if finding.state is State.FAIL:
            unreached.add(finding.name.removeprefix("reach "))
    yield from certificate_findings(config, clock.now_us())
    if not unreached & {"broker", "proxy"}:
        yield from broker_findings(config, clock.now_us(), nonce)
    yield from _sources(config, clock, build, asking, unreached)


def _agent(config: Config) -> tuple[Asking | None, dict[str, Any] | None]:
    try:
        asking = connect(config.buffer.path)
        return asking, asking.ask({"ask": "status"}) if asking is not None else None
    except AgentError:
        return None, None


def _running(config: Config, status: dict[str, Any] | None) -> Finding:
    if status is None:
        return warn("agent", "it does not run, or not as this user", f"edge-agent run {config.file}")
    waiting = status["buffer"]["depth"]
    if not status["uplink_connected"]:
        why = status.get("uplink_problem") or "not connected"
        return warn("agent", f"runs, {waiting} batches wait, uplink: {why}", "see the checks of the broker")
    if status["config_hash"] != config.content_hash:
        return warn("agent", "runs another version of this config", "reload it: kill -HUP the agent")
    return ok("agent", f"runs, connected, {waiting} batches not acknowledged")


def _sources(
    config: Config, clock: Clock, build: Build, asking: Asking | None, unreached: set[str]
) -> Iterator[Finding]:
    """A read of the first signal of each source, except those that were not reached: that is told already."""
    asked = [source for source in config.sources if f"source {source.name}" not in unreached]
    first = {source.name: next(config.signals_of(source.name), None) for source in asked}
    if asking is not None:
        with asking:
            keys = [signal.key for signal in first.values() if signal is not None]
            try:
                rows = {row["signal"]: row for row in asking.ask({"ask": "read", "signals": keys})}
            except AgentError as error:
                yield fail("sources", error.what, error.mend)
                return
        told = {
            name: (rows[signal.key]["quality"], rows[signal.key]["why"])
            for name, signal in first.items()
            if signal is not None and signal.key in rows
        }
    else:
        told = asyncio.run(_read(config, clock, build, first))
    for source in asked:
        signal = first[source.name]
        if signal is None:
            yield warn(f"source {source.name}", "no signal is read from it", "remove it, or add signals")
            continue
        quality, why = told.get(source.name, ("bad", "not read"))
        if quality == "bad":
            yield fail(f"source {source.name}", f"{signal.key} ({signal.address}): {why}", _mend(source))
        else:
            yield ok(f"source {source.name}", f"{signal.key} ({signal.address}) is read, {quality}")


async def _read(
    config: Config, clock: Clock, build: Build, first: dict[str, Any]
) -> dict[str, tuple[str, str | None]]:
    async def one(reader: Reader) -> tuple[str, tuple[str, str | None]]:
        signal = first[reader.name]
        (reading,) = await reader.read([signal.index])
        bad = reading.quality is Quality.BAD
        return reader.name, (reading.quality.name.lower(), reading.why if bad else None)

    readers = [reader for reader in build(config, clock) if first.get(reader.name) is not None]
    try:
        return dict(await asyncio.gather(*(one(reader) for reader in readers)))
    finally:
        for reader in readers:
            await reader.close()


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _mend(source: Source) -> str:
    if isinstance(source, OpcUaSource):
        return "edge-agent trust for certificates, edge-agent browse for nodes"
    if isinstance(source, ModbusRtuSource):
        return "check wiring, baud, parity and unit; edge-agent probe tries an address"
    return "check unit and address; edge-agent probe tries an address"
