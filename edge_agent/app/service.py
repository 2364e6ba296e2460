"""``run``: the agent as a service. SIGTERM ends it, SIGHUP brings a new config in, or refuses it whole."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.app.agent import Agent, stop_on_signals
from edge_agent.app.staging import keep_good, keep_rejected, starting_config
from edge_agent.app.watchdog import ServiceManager, Watchdog, service_manager
from edge_agent.config.load import InvalidConfig, load_valid
from edge_agent.config.model import Config
from edge_agent.errors import AgentError
from edge_agent.tools.local_socket import serving
from edge_agent.tools.questions import QUESTIONS
from edge_agent.tools.questions import answered as of_source
from edge_agent.tools.reading import complete, inputs_of, rows, shown

_log = logging.getLogger(__name__)
PROVE_S = 60.0
"""A source that was live must be live again so long after a reload, else the old config comes back."""
_NOISY = ("asyncua", "pymodbus", "paho")


def run(file: Path) -> int:
    """Run the agent of a config until SIGTERM; 0 after an orderly end."""
    _log_to_stderr()
    started = starting_config(file)
    try:
        agent = Agent(started.config)
    except OSError as error:
        mend = "give the agent's user this folder, or choose another buffer.path"
        where = str(started.config.buffer.path)
        raise AgentError(f"the buffer cannot be opened ({error.strerror})", where, mend) from None
    if started.refused is None:
        keep_good(file)
    asyncio.run(_serve(agent, file))
    return 0


async def _serve(agent: Agent, file: Path) -> None:
    stop, reload = asyncio.Event(), asyncio.Event()
    stop_on_signals(stop, reload)
    manager = service_manager()
    reloading = Reloading(agent, file, manager=manager)
    watchdog = Watchdog(manager, agent.loops(), agent.clock.monotonic_s, lambda: _in_a_line(agent))

    async def answer(question: dict[str, Any]) -> Any:
        return await _answered(agent, question)

    async with serving(agent.config.buffer.path, answer):
        _log.info("%s runs: %s", file, _counts(agent.config))
        beside = [
            asyncio.create_task(reloading.watch(reload), name="reload"),
            asyncio.create_task(watchdog.run(), name="watchdog"),
            asyncio.create_task(_tell_end(stop, manager), name="end"),
        ]
        manager.tell(READY=1, STATUS=_counts(agent.config))
        try:
            await agent.run(stop)
        finally:
            for task in beside:
                task.cancel()
            manager.close()
    _log.info("ended; all that was seen is in the buffer")


async def _tell_end(stop: asyncio.Event, manager: ServiceManager) -> None:
    await stop.wait()
    manager.tell(STOPPING=1, STATUS="ending: what was seen is committed")


def _in_a_line(agent: Agent) -> str:
    """For `systemctl status`."""
    sources = agent.surroundings().sources
    live, wanted = sum(each.live for each in sources), sum(each.configured for each in sources)
    link = "connected" if agent.uplink.is_connected() else "not connected"
    return f"{live} of {wanted} signals live; broker {link}; {agent.buffer.state().depth} batches wait"


class Reloading:
    """Brings a changed file in: validate, stage, touch only what changed, and go back where that lost a
    source.
    """

    def __init__(
        self, agent: Agent, file: Path, prove_s: float = PROVE_S, manager: ServiceManager | None = None
    ) -> None:
        self._agent, self._file, self._prove_s = agent, file, prove_s
        self._manager = manager or ServiceManager({}, 0)

    async def watch(self, reload: asyncio.Event) -> None:
        """At each reload until cancelled. A reload that comes while another is proven takes its place."""
        while True:
            await reload.wait()
            reload.clear()
            self._manager.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
            try:
                await self._reload(reload)
            except Exception:
                _log.exception("reload: fault in the agent's own code: the agent goes on as it was")
            self._manager.tell(READY=1)

    async def _reload(self, again: asyncio.Event) -> None:
        before = self._agent.config
        try:
            config = load_valid(self._file)
            _only_what_a_reload_can_change(before, config)
        except (InvalidConfig, AgentError) as error:
            self._refuse(str(error))
            return
        live = self._live()
        touched = self._agent.change(config)
        _log.info("%s is in force; sources touched: %s", self._file, ", ".join(touched) or "none")
        watched = [name for name in touched if name in live and _has(config, name)]
        if not await self._proven(watched, again):
            down = ", ".join(name for name in watched if name not in self._live())
            self._agent.change(before)
            self._refuse(
                f"not live {self._prove_s:.0f} s after the reload: {down}: the config before is back"
            )
            return
        keep_good(self._file)

    async def _proven(self, names: list[str], again: asyncio.Event) -> bool:
        """Whether these sources came back in time; a further reload ends the trial."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._prove_s
        while not set(names) <= self._live():
            if again.is_set():
                return True
            if loop.time() >= until_s:
                return False
            await asyncio.sleep(min(0.25, self._prove_s / 10))
        return True

    def _live(self) -> set[str]:
        fleet = self._agent.fleet
        return {told.name for told in fleet.health() if told.live > 0} if fleet is not None else set()

    def _refuse(self, reason: str) -> None:
        keep_rejected(self._file, reason)
        _log.error(
            "%s is refused, see %s.rejected; the agent goes on as it was:\n%s", self._file, self._file, reason
        )


def _only_what_a_reload_can_change(before: Config, after: Config) -> None:
    """Raise AgentError where agent, uplink or buffer changed: these hold what the agent has promised."""
    for name in ("agent", "uplink", "buffer"):
        part = getattr(after, name)
        if part != getattr(before, name):
            raise AgentError(
                f"{name} changed", str(part.place), "restart the agent to change it; nothing is lost"
            )


def _has(config: Config, name: str) -> bool:
    return any(source.name == name for source in config.sources)


async def _answered(agent: Agent, question: dict[str, Any]) -> Any:
    """What the local socket says: ``{"ask": "status"}``, ``{"ask": "read", "signals": [...]}``, and what
    tools.questions asks of a source.
    """
    if question.get("ask") == "status":
        return _status(agent)
    if question.get("ask") == "read" and agent.fleet is not None:
        keys = question.get("signals", [])
        unknown = sorted(set(keys) - {value.key for value in shown(agent.config)})
        if unknown:
            mend = "reload it: kill -HUP the agent, or restart it"
            raise AgentError("signals that the running agent does not know", ", ".join(unknown[:5]), mend)
        found = await agent.fleet.read(inputs_of(agent.config, keys))
        return rows(agent.config, complete(agent.config, found, agent.totals), agent.clock.now_us(), keys)
    if question.get("ask") in QUESTIONS and agent.fleet is not None:
        return await of_source(agent.fleet.source(str(question.get("source"))), question)
    raise AgentError("no such question", str(question.get("ask")), "ask status or read")


def _status(agent: Agent) -> dict[str, Any]:
    config, state = agent.config, agent.buffer.state()
    return {
        "agent": config.agent.id,
        "site": config.agent.site,
        "config": str(config.file),
        "config_hash": config.content_hash,
        "broker": config.uplink.url,
        "uplink_connected": agent.uplink.is_connected(),
        "uplink_problem": agent.uplink.problem,
        "max_size_bytes": config.buffer.max_size_bytes,
        "sent": agent.drain.counters.sent,
        "acknowledged": agent.drain.counters.acknowledged,
        "clock_offset_s": agent.drain.clock_offset_s,
        "buffer": {
            "committed": state.committed,
            "depth": state.depth,
            "bytes_used": state.bytes_used,
            "bytes_unacknowledged": state.bytes_unacknowledged,
            "oldest_us": state.oldest_us,
            "dropped_rows": state.dropped_rows,
            "set_aside_files": state.set_aside_files,
            "last_error": state.last_error,
        },
        "sources": [msgspec.to_builtins(told) | _always(told) for told in agent.surroundings().sources],
    }


def _always(told: Any) -> dict[str, Any]:
    """Fields that a message leaves out where they are empty."""
    return {"last_scan_us": told.last_scan_us, "reason": told.reason}


def _counts(config: Config) -> str:
    return f"{len(config.sources)} sources, {len(config.signals)} signals, buffer {config.buffer.path}"


def _log_to_stderr() -> None:
    """Plain sentences with time and level; libraries speak through the adapters, once per change of state."""
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=form)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
