"""The agent: every part built and wired in one place, run as tasks, ended in the order in which data flows.

On SIGTERM the sources end first, then the recorder hands over what it has, then the cloud is told, then the
buffer commits for the last time: nothing that was seen is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
from collections.abc import Coroutine, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_files import DiskFiles
from edge_agent.adapters.buffer_limits import limits_of
from edge_agent.adapters.buffer_state import instance_of, machine_id
from edge_agent.adapters.mqtt import MqttUplink
from edge_agent.app.audit import Audit
from edge_agent.app.certificate import expires_us
from edge_agent.app.clock import SystemClock, boot_id
from edge_agent.app.fleet import Fleet
from edge_agent.app.metrics import figures, signal_figures
from edge_agent.app.scrapes import Scrapes
from edge_agent.app.sources import build_sources
from edge_agent.app.watchdog import Loop
from edge_agent.config.dictionary import build_dictionary
from edge_agent.config.model import Config
from edge_agent.loops.derive import Deriver, derives
from edge_agent.loops.drain import Drain
from edge_agent.loops.heartbeat import Heartbeat, Herald, Identity, Surroundings
from edge_agent.loops.integrate import Integrator
from edge_agent.loops.record import RecordCounters, Recorder, recorded
from edge_agent.ports import Sink
from shared.batch import Pending

_log = logging.getLogger(__name__)
GOODBYE_S = 2.0
KEEP_TIME_S, CLOUD_TOLERANCE_S, COMPARED_US = 10.0, 2.0, 10_000_000
COMMIT_STANDS_S, RECORD_STANDS_S, DRAIN_STANDS_S = 120.0, 30.0, 90.0
"""A loop that has not come round for so long hangs: a slow card may take long to synchronise, a broker half a
minute to answer.
"""


class Agent:
    """One run. Raises AgentError where another process holds the buffer, OSError where its folder cannot be
    used.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = SystemClock()
        build_sources(config, self.clock)  # what this refuses, or takes long to load, comes before "ready"
        files = DiskFiles(config.buffer.path)
        instance, start = instance_of(files, machine_id(), os.urandom), os.urandom(16)
        limits = limits_of(config.buffer, config.uplink.max_packet_bytes)
        self.buffer = DurableBuffer(files, stream=start, instance=instance, clock=self.clock, limits=limits)
        self._begin_timeline()
        self._identity = Identity(instance, start, _version(), self.clock.now_us())
        self._certificate_expires_us = expires_us(config.uplink.certificate, self.clock.now_us())
        self.herald = Herald(self._identity, self.buffer, self.clock, self.surroundings)
        self.uplink = MqttUplink(
            config.uplink,
            site=config.agent.site,
            agent=config.agent.id,
            instance=instance,
            start=start,
            will=self.herald.will,
            chance=random.random,
        )
        self.drain = Drain(
            self.buffer,
            self.uplink,
            self.clock,
            self.herald,
            self._identity,
            self._overtaken,
            random.random,
            heard=self._heard,
            unsure=lambda: not (self._compared or self.clock.synchronised()),
        )
        self.heartbeat = Heartbeat(self.herald, self.uplink)
        self.drain.use(self.buffer.use(build_dictionary(config)))
        self.totals = self.buffer.count_on(signal.key for signal in config.signals if signal.accumulates)
        self._counted = RecordCounters()
        self._deriver: Deriver | None = None
        self.recorder = self._new_recorder(config)
        self._audit = Audit()
        self.fleet: Fleet | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._recording: asyncio.Task[None] | None = None
        self._scraped: asyncio.Task[None] | None = None

    @property
    def identity(self) -> Identity:
        """Who this run is."""
        return self._identity

    def surroundings(self) -> Surroundings:
        """What a status tells besides the buffer."""
        return Surroundings(
            config_hash=self.config.content_hash,
            certificate_expires_us=self._certificate_expires_us,
            clock_offset_s=self.drain.clock_offset_s,
            sources=self.fleet.health() if self.fleet is not None else (),
        )

    def loops(self) -> list[Loop]:
        """The loops without which nothing is delivered, for the watchdog."""
        return [
            Loop("buffer", lambda: self.buffer.turned_s, COMMIT_STANDS_S),
            Loop("recorder", lambda: self.recorder.turned_s, RECORD_STANDS_S),
            Loop("drain", lambda: self.drain.turned_s, DRAIN_STANDS_S),
        ]

    async def _greet(self) -> None:
        """At each connect, which read the files of the uplink again."""
        self._audit.certificates(self.config)
        await self.drain.greet()

    def _begin_timeline(self) -> None:
        self._compared = False
        believed = self.clock.is_believable(self.buffer.newest_us())
        nothing_waits = self.buffer.state().depth == 0
        zero_us = self.clock.zero_us()
        if self.buffer.stamps.begin(boot_id(), zero_us, believed=believed, forget=nothing_waits):
            self.clock.trust()

    def _heard(self, cloud_us: int) -> None:
        """The cloud's time: the first word of it decides where the gateway's own cannot be believed."""
        error_us, first = cloud_us - self.clock.now_us(), not self._compared
        self._compared = True
        if not self.clock.trusted():
            self._learn_time(error_us)
            return
        wrong = abs(error_us) > COMPARED_US and not self.clock.synchronised()
        if first and wrong and self.drain.counters.sent == 0:
            self.buffer.stamps.correct(error_us)
            self.drain.begin()
            self.heartbeat.changed()

    def _learn_time(self, shift_us: int) -> None:
        self.clock.trust()
        self.buffer.stamps.learn(shift_us)
        self.drain.begin()
        self.heartbeat.changed()

    async def _keep_time(self) -> None:
        """Now and then: what NTP has set is learnt from, or followed; else the cloud's time, if far off."""
        while True:
            wall_us, cloud_s = self.clock.wall_error_us(), self.drain.clock_offset_s
            if not self.clock.trusted():
                if wall_us is not None:
                    self._learn_time(wall_us)
            elif wall_us is not None:
                self.clock.follow(wall_us - (self.buffer.shift_us() or 0))
            elif cloud_s is not None and abs(cloud_s) > CLOUD_TOLERANCE_S:
                self.clock.follow(-round(cloud_s * 1e6))
            await asyncio.sleep(KEEP_TIME_S)

    def _overtaken(self, spans: Sequence[Pending]) -> None:
        self.recorder.overtake(spans)

    async def run(self, stop: asyncio.Event) -> None:
        """Until stop is set; then end in order."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._audit.started(self.config, self._identity)
                committing = self._begin(self.buffer.run(), "buffer")
                self.drain.begin()
                self._recording = self._begin(self.recorder.run(), "recorder")
                self.fleet = Fleet(tasks, self.clock, lambda config: build_sources(config, self.clock))
                self.fleet.use(self.config, self._sink(self.config))
                linked = [
                    self._begin(self.uplink.run(self._greet, self.drain.received), "uplink"),
                    self._begin(self.drain.run(), "drain"),
                    self._begin(self.heartbeat.run(), "heartbeat"),
                    self._begin(self._keep_time(), "clock"),
                ]
                self._be_scraped(None)
                await stop.wait()
                self._be_scraped(self.config, ends=True)
                _log.info("ending: what was seen is committed first")
                await self.fleet.stop()
                await _end(self._recording)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.heartbeat.beat(online=False), GOODBYE_S)
                await _end(*linked)
                await _end(committing)
        finally:
            self.buffer.close()

    def change(self, config: Config) -> list[str]:
        """Run another config of the same agent on the same buffer; returns the names of the sources it
        touched.

        Without a pause between the two recorders: what was read before is written under the old dictionary,
        what is read after under the new one.
        """
        if self.fleet is None or self._recording is None:
            raise RuntimeError("the agent does not run yet")
        build_sources(config, self.clock)  # what this refuses, it refuses before anything has changed
        self.recorder.flush(all_marks=True)
        old, before, self.config = self._recording, self.config, config
        self.drain.use(self.buffer.use(build_dictionary(config)))
        self.recorder = self._new_recorder(config)
        derived = self._deriver
        touched = self.fleet.use(config, self._sink(config))
        kept = [name for name in self.fleet.names() if name not in touched]
        if derived is not None and self._deriver is not None:
            self._deriver.go_on_from(derived, kept)
        old.cancel()
        self._recording = self._begin(self.recorder.run(), "recorder")
        self._begin(self.fleet.read_again(kept), "full read")
        self._audit.config(config)
        self._be_scraped(before)
        self.heartbeat.changed()
        return touched

    def _be_scraped(self, before: Config | None, *, ends: bool = False) -> None:
        """Listen for a Prometheus where the config now asks for it, and nowhere else."""
        if before is not None and before.metrics == self.config.metrics and not ends:
            return
        if self._scraped is not None:
            self._scraped.cancel()
            self._scraped = None
        if self.config.metrics is not None and not ends:
            answers = {"/metrics": lambda: figures(self), "/metrics/signals": lambda: signal_figures(self)}
            self._scraped = self._begin(Scrapes(self.config.metrics.port, answers).run(), "scrapes")

    def _new_recorder(self, config: Config) -> Recorder:
        indexes = {source.name: source.index for source in config.sources}
        return Recorder(self.buffer, self.clock, indexes, recorded(config), counters=self._counted)

    def _sink(self, config: Config) -> Sink:
        """Where sources put what they see."""
        powers = [signal for signal in config.signals if signal.integrate]
        sink: Sink = Integrator(self.recorder, powers, self.totals) if powers else self.recorder
        self._deriver = Deriver(sink, config, self.totals) if derives(config) else None
        return self._deriver or sink

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        if self._tasks is None:
            raise RuntimeError("the agent does not run yet")
        return self._tasks.create_task(work, name=name)


def stop_on_signals(stop: asyncio.Event, reload: asyncio.Event) -> None:
    """SIGTERM and SIGINT end the agent, SIGHUP asks for a reload."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel and wait; what a task did wrong is the task group's to tell."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _version() -> str:
    try:
        return version("plantledger")
    except PackageNotFoundError:
        return ""
