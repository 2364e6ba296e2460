"""A whole config that passed every check: what the agent is built from.

Frozen values; equality ignores places and indexes, so that a reload can ask whether a source has changed.
Durations end in ``_us`` (integer microseconds), sizes in ``_bytes``; paths are absolute. Signals and sources
are numbered by name, so that the order of the file does not matter on the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from edge_agent.core.address import Register, RegisterRange
from edge_agent.core.buffer_policy import AtCap
from edge_agent.core.derive import Derivation, Rising
from edge_agent.core.mapping import Meaning
from edge_agent.core.node import NodeAddress
from edge_agent.core.report import ReportRule
from edge_agent.core.types import Layout, Order
from shared.roles import Fall, Role


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something was written; line and column start at 1.

    origin: where the value of a parameter that was filled in here was written.
    """

    file: str
    line: int
    column: int
    origin: Place | None = field(default=None, compare=False)

    @property
    def short(self) -> str:
        """For messages that already name a place: the file's name and the line."""
        return f"{Path(self.file).name} line {self.line}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("", 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Which gateway this is, and the site whose plant model it feeds."""

    id: str
    site: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


class Transport(StrEnum):
    TCP = "tcp"
    WEBSOCKETS = "websockets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """The one outgoing connection. path: of a WebSocket. max_packet_bytes: the broker's limit, if it tells
    none.
    """

    url: str
    transport: Transport
    tls: bool
    host: str
    port: int
    path: str = "/mqtt"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    proxy: str | None = None
    proxy_user: str | None = None
    proxy_password_file: Path | None = None
    max_packet_bytes: int = 262_144
    allow_plaintext: bool = False
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferSettings:
    """path: folder of the durable buffer. reserve_bytes: what it leaves free on the disk.

    commit_window_us: longest wait for the group commit. keep_us: how long acknowledged data stays while there
    is room.
    """

    path: Path
    max_size_bytes: int = 2 * 1024**3
    reserve_bytes: int = 256 * 1024**2
    commit_window_us: int = 250_000
    keep_us: int = 24 * 3600 * 1_000_000
    at_cap: AtCap = AtCap.DROP_OLDEST
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """port: on loopback, where a Prometheus of this machine scrapes."""

    port: int
    place: Place = field(default=NOWHERE, compare=False, repr=False)


class TimeOf(StrEnum):
    SOURCE = "source"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePolicy:
    """Whose clock dates a value; beyond the tolerance both times are kept."""

    use: TimeOf = TimeOf.SOURCE
    tolerance_us: int = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBase:
    """What every source has. index: on the wire, in scan marks.

    interval_us: of scanning or sampling. grace_us: a failed scan repaired within it is no loss.
    """

    index: int = field(compare=False)
    name: str
    interval_us: int
    timeout_us: int
    grace_us: int
    time: TimePolicy = field(default_factory=TimePolicy)
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """Of an OPC UA connection. trusted: a certificate, or a folder of them."""

    policy: str
    mode: str
    certificate: Path
    key: Path
    trusted: Path
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcUaSource(SourceBase):
    """security None was asked for in words (``security: none``). path: of the endpoint, after host:port.

    poll: its signals are read every interval, where they do not say otherwise.
    """

    type: str = "opcua"
    endpoint: str
    host: str
    port: int
    path: str
    security: Security | None
    user: str | None = None
    password_file: Path | None = None
    user_certificate: Path | None = None
    user_key: Path | None = None
    poll: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusBase(SourceBase):
    """What every Modbus source has; the defaults that a signal may overrule are already applied to the
    signals.

    pause_us: rest between two requests. max_registers: of one request. max_gap: registers read in vain to
    save a request. forbidden: never touched.
    """

    unit: int = 1
    byte_order: Order = Order.BIG
    word_order: Order = Order.BIG
    address_base: int = 0
    pause_us: int = 0
    max_registers: int = 125
    max_gap: int = 125
    forbidden: tuple[RegisterRange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusTcpSource(ModbusBase):
    type: str = "modbus-tcp"
    host: str
    port: int = 502


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusRtuTcpSource(ModbusBase):
    """RTU frames inside TCP, as serial converters send them."""

    type: str = "modbus-rtu-tcp"
    host: str
    port: int = 502


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusRtuSource(ModbusBase):
    type: str = "modbus-rtu"
    device: str
    baud: int = 9600
    parity: str = "even"
    stop_bits: int = 1


ModbusSource = ModbusTcpSource | ModbusRtuTcpSource | ModbusRtuSource
Source = OpcUaSource | ModbusSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One tag of one machine, or what is derived from its tags.

    index: on the wire. address (None for a derived signal): a node of an OPC UA source, a register of a
    Modbus source. layout: of a Modbus value. unit: of the value as sent (an energy counter is sent in kWh).
    modbus_unit: the device behind the connection. width, signed: bits of the raw integer where the config
    tells them. integrate: the value is a power in kW, its integral over time is sent. poll: an OPC UA value
    that is read every interval instead of being reported.
    """

    index: int = field(compare=False)
    machine: str
    line: str
    name: str
    role: Role
    source: str
    address: NodeAddress | Register | None
    layout: Layout
    meaning: Meaning
    report: ReportRule
    interval_us: int
    item: str | None = None
    unit: str | None = None
    modbus_unit: int | None = None
    fall: Fall | None = None
    rollover: int | None = None
    width: int | None = None
    signed: bool = False
    integrate: bool = False
    derivation: Derivation | None = None
    poll: bool = False
    place: Place = field(default=NOWHERE, compare=False, repr=False)

    @property
    def key(self) -> str:
        """``machine.signal``, as commands and messages name it."""
        return f"{self.machine}.{self.name}"

    @property
    def accumulates(self) -> bool:
        """Whether the agent itself counts it up: its total is kept in the buffer."""
        return self.integrate or isinstance(self.derivation, Rising)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """A heartbeat: the tag of that name must change within within_us, else the machine's signals are bad."""

    tag: str
    within_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine of the plant model. type: the type that it was made from."""

    id: str
    line: str
    signals: tuple[Signal, ...]
    alive: Alive | None = None
    type: str | None = None
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A valid config. sources, machines and signals stand in the order of their index or name.

    signals are sent; tags are read for what is derived from them, their indexes follow those of the signals.

    content_hash: 32 hex digits over the text of the file and of all that it names.
    """

    file: Path
    content_hash: str
    agent: Agent
    uplink: Uplink
    buffer: BufferSettings
    sources: tuple[Source, ...]
    machines: tuple[Machine, ...]
    signals: tuple[Signal, ...]
    tags: tuple[Signal, ...] = ()
    metrics: MetricsSettings | None = None

    def source(self, name: str) -> Source:
        """The source of that name; KeyError where there is none."""
        for source in self.sources:
            if source.name == name:
                return source
        raise KeyError(name)

    def signals_of(self, source: str) -> Iterator[Signal]:
        """What is to be read from a source, by index: signals that are not derived, and tags."""
        every = (*self.signals, *self.tags)
        return (signal for signal in every if signal.source == source and signal.address is not None)
