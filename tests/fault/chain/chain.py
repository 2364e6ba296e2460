"""The chain from PLC to database as processes of this machine, with a link to cut wherever two parts meet."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from cloud_api.store.cluster import Cluster
from cloud_api.store.embedded import open_cluster
from tests.fault.chain.judge import Row, Span
from tests.fault.chain.link import Link
from tests.fault.chain.plc import SIGNALS
from tests.fault.chain.process import Process, answers, free_port, mosquitto, python, wait_for
from tests.fault.chain.schedule import Fault, Step

SCAN_US = 200_000
SOURCES = {"modbus": "truth-modbus", "opcua": "truth-opcua"}
"""Kind of PLC to the name of its source and machine."""


@dataclass
class Chain:
    """Starts in order: PLCs, broker, database, cloud, agent. Everything dies with close()."""

    folder: Path
    seed: int
    outages: dict[str, list[Span]] = field(default_factory=lambda: {kind: [] for kind in SOURCES})

    def __post_init__(self) -> None:
        self._closing = ExitStack()
        self.plcs: dict[str, Process] = {}
        self.plc_links: dict[str, Link] = {}
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        for kind in SOURCES:
            self._start_plc(kind)
        self.broker_port = free_port()
        self.broker = self._process("broker", [mosquitto(), "-c", str(self._broker_config())])
        self.broker.start()
        (self.folder / "database").mkdir()
        self.cluster: Cluster = open_cluster(self.folder / "database")
        self.cluster.start()
        self._closing.callback(self.cluster.remove)
        self.http_port = free_port()
        self.cloud = self._process("cloud", python("-m", "cloud_api", "serve"), self._settings())
        self.cloud.start()
        self.uplink = Link(self.broker_port)
        self._closing.callback(self.uplink.close)
        wait_for("the cloud answers", lambda: answers(self.http_port), 60, self.cloud, self.broker)
        self.agent = self.new_agent("agent", self.folder / "buffer")
        self.agent.start()

    def close(self) -> None:
        self._closing.close()

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def new_agent(self, name: str, buffer: Path, environment: dict[str, str] | None = None) -> Process:
        """A process of an agent of the one identity, on a buffer of its own."""
        config = self.folder / f"{name}.yaml"
        config.write_text(self._agent_config(buffer), encoding="utf-8")
        return self._process(name, python("-m", "edge_agent", "run", str(config)), environment)

    def suffer(self, step: Step) -> None:
        """One fault, and its mend; what kept the agent from watching is written down."""
        time.sleep(step.after_s)
        began_us = now_us()
        if step.fault is Fault.AGENT_KILLED:
            self.agent.kill()
            time.sleep(step.lasts_s)
            runs = self.agent.said().count(" runs: ")
            self.agent.start()
            wait_for("the agent", lambda: self.agent.said().count(" runs: ") > runs, 60, self.agent)
            self._outage(began_us, *SOURCES)
        elif step.fault is Fault.AGENT_STOPPED:
            self.agent.signal(signal.SIGSTOP)
            time.sleep(step.lasts_s)
            self.agent.signal(signal.SIGCONT)
            self._outage(began_us, *SOURCES)
        elif step.fault in (Fault.PLC_LINK_CUT, Fault.OPC_LINK_CUT):
            kind = "modbus" if step.fault is Fault.PLC_LINK_CUT else "opcua"
            self._cut_for(self.plc_links[kind], step.lasts_s)
            self._outage(began_us, kind)
        elif step.fault is Fault.UPLINK_CUT:
            self._cut_for(self.uplink, step.lasts_s)
        elif step.fault is Fault.BROKER_EMPTIED:
            self.broker.kill()
            time.sleep(step.lasts_s)
            self.broker.start()
        elif step.fault is Fault.DATABASE_RESTARTED:
            self.cluster.stop()
            time.sleep(step.lasts_s)
            self.cluster.start()
        elif step.fault is Fault.CLOUD_KILLED:
            self.cloud.kill()
            time.sleep(step.lasts_s)
            self.cloud.start()

    def watches(self, kind: str) -> bool:
        """Whether the agent has said something of this PLC that is in the database."""
        return bool(self.rows(kind))

    def settled_through(self, kind: str) -> int:
        """End of the last covered span of a source, microseconds; 0 where there is none."""
        spans = self.covered(kind)
        return spans[-1].to_us if spans else 0

    def rows(self, kind: str) -> list[Row]:
        """What the database holds of one PLC, by signal and time."""
        return [
            Row(signal, time_us, value)
            for signal, time_us, value in self._query(
                "select s.signal, (extract(epoch from x.time) * 1000000)::int8, x.value "
                "from samples x join series s using (series_id) join machines m using (machine_id) "
                "where m.machine = %s and x.quality = 0 order by 1, 2",
                SOURCES[kind],
            )
        ]

    def covered(self, kind: str) -> list[Span]:
        """Spans in which the agent says it watched this PLC, united."""
        return [
            Span(from_us, to_us)
            for from_us, to_us in self._query(
                "select (extract(epoch from lower(span)) * 1000000)::int8, "
                "(extract(epoch from upper(span)) * 1000000)::int8 from "
                "(select unnest(range_agg(c.spans)) from coverage c join sources using (source_id) "
                "where source = %s) as united (span) order by 1",
                SOURCES[kind],
            )
        ]

    def query(self, text: str) -> list[tuple[object, ...]]:
        """For what a single test wants to know."""
        return self._query(text)

    def _query(self, text: str, *arguments: object) -> list[tuple]:  # type: ignore[type-arg]
        with psycopg.connect(self.cluster.url) as connection:
            return connection.execute(text.encode(), arguments or None).fetchall()

    def _outage(self, began_us: int, *kinds: str) -> None:
        for kind in kinds:
            self.outages[kind].append(Span(began_us, now_us()))

    @staticmethod
    def _cut_for(link: Link, seconds: float) -> None:
        link.cut()
        time.sleep(seconds)
        link.mend()

    def _process(self, name: str, argv: list[str], environment: dict[str, str] | None = None) -> Process:
        process = Process(name, argv, self.folder, environment)
        self._closing.callback(process.kill)
        return process

    def _start_plc(self, kind: str) -> None:
        port = free_port()
        log = self.truth_log(kind)
        argv = python("-m", "tests.fault.chain.plc", kind, str(port), str(self.seed), str(log))
        plc = self._process(f"plc-{kind}", argv)
        plc.start()
        wait_for(f"the {kind} PLC listens", lambda: "listening" in plc.said(), 30, plc)
        self.plcs[kind] = plc
        self.plc_links[kind] = Link(port)
        self._closing.callback(self.plc_links[kind].close)

    def truth_log(self, kind: str) -> Path:
        return self.folder / f"{kind}.truth"

    def _broker_config(self) -> Path:
        path = self.folder / "mosquitto.conf"
        path.write_text(f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        return path

    def _settings(self) -> dict[str, str]:
        return {
            "PLANTLEDGER_DATABASE_URL": self.cluster.url,
            "PLANTLEDGER_MQTT_URL": f"mqtt://127.0.0.1:{self.broker_port}",
            "PLANTLEDGER_HTTP_PORT": str(self.http_port),
            "PLANTLEDGER_DATA_DIR": str(self.folder / "cloud"),
        }

    def _agent_config(self, buffer: Path) -> str:
        lines = [
            "agent: {id: gw-1, site: truth}",
            f"uplink: {{url: mqtt://127.0.0.1:{self.uplink.port}}}",
            f"buffer: {{path: {buffer}, max_size: 64 MiB}}",
            "sources:",
            f"  {SOURCES['modbus']}: {{type: modbus-tcp, host: 127.0.0.1, "
            f"port: {self.plc_links['modbus'].port}, unit: 1, interval: {SCAN_US // 1000} ms, "
            # A scan that a busy machine makes late is then a gap, and what changed in it is not owed.
            "timeout: 1 s, grace: 1 ms}",
            f"  {SOURCES['opcua']}: {{type: opcua, security: none, interval: {SCAN_US // 1000} ms, "
            f"endpoint: 'opc.tcp://127.0.0.1:{self.plc_links['opcua'].port}/truth'}}",
            "machines:",
        ]
        for kind, source in SOURCES.items():
            lines += [f"  {source}:", "    line: truth", f"    source: {source}", "    signals:"]
            for index in range(SIGNALS):
                place = (
                    f'register: "holding:{2 * index}", type: uint32'
                    if kind == "modbus"
                    else f'node: "nsu=urn:truth;s=w{index}"'
                )
                lines.append(f"      w{index}: {{{place}, role: measure}}")
        return "\n".join(lines) + "\n"


def now_us() -> int:
    return time.time_ns() // 1000
