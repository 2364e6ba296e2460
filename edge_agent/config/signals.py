"""Signals: what must hold between the fields of one, and what they mean together.

One class reads one signal. Each of its steps tells its own mistakes and goes on with what is sound, so that
one run names them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from edge_agent.config.faults import Faults, closest, did_you_mean
from edge_agent.config.meanings import build_meaning
from edge_agent.config.model import ModbusBase, ModbusTcpSource, OpcUaSource, Place, Signal, Source
from edge_agent.config.section import Section
from edge_agent.core.address import Register, RegisterRange, parse_register
from edge_agent.core.derive import Derivation, Rising
from edge_agent.core.mapping import Meaning
from edge_agent.core.node import NodeAddress
from edge_agent.core.report import ReportRule
from edge_agent.core.types import Layout, Order, ValueType
from shared.roles import COUNTERS, TEXTS, Fall, Role

BOOL = ValueType("bool")
_ONLY_MODBUS = ("type", "byte_order", "word_order", "encoding", "modbus_unit")
_TYPO_RATIO_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Owner:
    """The machine that a signal belongs to; ``source`` and ``unit`` as its section says."""

    machine: str
    line: str
    source: str | None
    unit: int | None


@dataclass(slots=True)
class SignalReader:
    """Builds one signal. ``sources`` are the sound ones; ``known`` are all names that the file gives to
    sources.
    """

    name: str
    section: Section
    place: Place
    owner: Owner
    sources: Mapping[str, Source]
    known: Mapping[str, Place] | None
    faults: Faults
    tag: bool = False

    def build(self, default_type: str | None = None) -> Signal | None:
        """The signal with index 0; None where mistakes were told that leave nothing to build.

        default_type: of a register whose type is not written; None: it must be.
        """
        role = self.role()
        found = self._source()
        source = found or self._stand_in()
        if source is None:
            return None
        address = self._address(source)
        layout = self._layout(source, address, default_type)
        declared = None if layout is None or isinstance(source, OpcUaSource) else layout.type
        self._counter(role, declared, address)
        meaning = build_meaning(self.section, role, declared, self.faults)
        report = self._report(role)
        if found is None or address is None or layout is None or meaning is None:
            return None
        return Signal(
            index=0,
            machine=self.owner.machine,
            line=self.owner.line,
            name=self.name,
            role=role,
            source=source.name,
            address=address,
            layout=layout,
            meaning=meaning,
            report=report,
            interval_us=self._interval(source),
            item=self.section.get("item"),
            unit="kWh" if role is Role.ENERGY else self._unit_of_value(),
            modbus_unit=self._modbus_unit(source),
            fall=Fall(self.section.get("fall")) if self.section.has("fall") else self._implied_fall(),
            rollover=self._rollover(layout.type),
            width=self._width(source, layout.type),
            signed=layout.type.signed and not layout.type.is_float,
            integrate=bool(self.section.get("integrate")),
            poll=self._polled(source),
            place=self.place,
        )

    def report(self, role: Role) -> ReportRule:
        """Deadband and longest silence."""
        return self._report(role)

    def _at(self, name: str) -> Place:
        return self.section.keys.get(name, self.place)

    def role(self) -> Role:
        """What the signal means; a tag means nothing by itself."""
        if self.tag:
            return Role.MEASURE
        named = self.name in list(Role)
        if not self.section.written("role"):
            if named:
                return Role(self.name)
            near = closest(self.name, list(Role))
            if near is not None and _is_typo(self.name, near):
                message = f"signal '{self.name}' is no role; did you mean '{near}'?"
                self.faults.add(self.place, f"{message} Otherwise say role: measure")
            return Role.MEASURE
        role = Role(self.section.get("role")) if self.section.has("role") else Role.MEASURE
        if named and self.section.has("role") and role != self.name:
            message = f"role: signal '{self.name}' has the name of another role; rename it, or remove role"
            self.faults.add(self._at("role"), message)
        return role

    def _source(self) -> Source | None:
        own = self.section.written("source")
        name = self.section.get("source") if own else self.owner.source
        if name is None:
            if not own:
                message = (
                    f"signal '{self.name}' has no source; add source to the machine {self.owner.machine}"
                )
                self.faults.add(self.place, message)
            return None
        if own and self.known is not None and name not in self.known:
            message = f"source: '{name}' is not configured; {did_you_mean(name, self.known)}"
            self.faults.add_alike(f"source {name}", self.section.at("source"), message)
        return self.sources.get(name)

    def _stand_in(self) -> Source | None:
        """A source of the kind that the address is of, where the real one is a mistake that was told.

        So the signal's own mistakes show all the same.
        """
        name = self.owner.source or ""
        if self.section.written("register"):
            return ModbusTcpSource(index=0, name=name, interval_us=1, timeout_us=1, grace_us=1, host="")
        if self.section.written("node"):
            return OpcUaSource(
                index=0, name=name, interval_us=1, timeout_us=1, grace_us=1,
                endpoint="", host="", port=0, path="", security=None,
            )  # fmt: skip
        return None

    def _address(self, source: Source) -> NodeAddress | Register | None:
        opcua = isinstance(source, OpcUaSource)
        right, wrong = ("node", "register") if opcua else ("register", "node")
        kind = "OPC UA" if opcua else "Modbus"
        if self.section.written(wrong):
            message = f"{wrong}: source '{source.name}' speaks {kind}; write {right} instead"
            self.faults.add(self._at(wrong), message)
            return None
        if not self.section.written(right):
            if "node" not in self.section.broken and "register" not in self.section.broken:
                example = '"ns=2;s=Press1.State"' if opcua else '"holding:100"'
                self.faults.add(
                    self.place, f"signal '{self.name}' has no {right}; add it: {right}: {example}"
                )
            return None
        if not self.section.has(right):
            return None
        if isinstance(source, OpcUaSource):
            node: NodeAddress = self.section.get("node")
            return replace(node, path=self.section.get("path") or ())
        if self.section.written("path"):
            message = "path: a register is one value; remove path, or choose the bit by bit"
            self.faults.add(self._at("path"), message)
        try:
            return parse_register(self.section.get("register"), source.address_base)
        except ValueError as error:
            self.faults.add(self.section.at("register"), f"register: {error}")
            return None

    def _layout(
        self, source: Source, address: NodeAddress | Register | None, default_type: str | None
    ) -> Layout | None:
        if isinstance(source, OpcUaSource):
            for name in _ONLY_MODBUS:
                if self.section.written(name):
                    message = f"{name}: an OPC UA server tells the type of its values; remove {name}"
                    self.faults.add(self._at(name), message)
            return Layout(ValueType("float64"))
        value_type = self._type(address, default_type)
        if value_type is None:
            return None
        self._orders(value_type)
        layout = Layout(
            value_type,
            Order(self.section.get("byte_order") or source.byte_order),
            Order(self.section.get("word_order") or source.word_order),
            self.section.get("encoding") or "latin-1",
        )
        if isinstance(address, Register):
            self._fits(source, address, value_type)
        return layout

    def _type(self, address: NodeAddress | Register | None, default_type: str | None) -> ValueType | None:
        bits = isinstance(address, Register) and address.space.is_bits
        if not self.section.written("type"):
            if bits:
                return BOOL
            if self.section.written("bit") or default_type is not None:
                return ValueType(default_type or "uint16")
            if address is not None and "type" not in self.section.broken:
                message = f"signal '{self.name}' has no type; add it, for example type: uint16"
                self.faults.add(self.place, f"{message} (one register) or type: uint32 (two)")
            return None
        if not self.section.has("type"):
            return None
        value_type: ValueType = self.section.get("type")
        if bits and value_type != BOOL:
            self.faults.add(self.section.at("type"), f"type: {address} is a single bit; remove type")
            return None
        if value_type == BOOL and isinstance(address, Register) and not bits:
            message = f"type: {address} has 16 bits; write bit: 0 to 15 to read one of them"
            self.faults.add(self.section.at("type"), message)
            return None
        return value_type

    def _orders(self, value_type: ValueType) -> None:
        if self.section.has("word_order") and (value_type.registers == 1 or value_type.is_text):
            why = "is read byte by byte" if value_type.is_text else "is one register"
            self.faults.add(self._at("word_order"), f"word_order: {value_type} {why}; remove word_order")
        if self.section.has("byte_order") and value_type == BOOL:
            self.faults.add(self._at("byte_order"), "byte_order: a bit has no bytes; remove byte_order")
        if self.section.has("encoding") and not value_type.is_text:
            self.faults.add(self._at("encoding"), f"encoding: {value_type} is no text; remove encoding")

    def _fits(self, source: ModbusBase, register: Register, value_type: ValueType) -> None:
        """A value lies within the table, within one request, and outside what is forbidden."""
        count, at = value_type.registers, self.section.at("register")
        if register.address + count - 1 > 65535:
            message = f"register: {value_type} fills {count} registers from {register}, beyond the last one"
            self.faults.add(at, f"{message}; compare address and type with the tag list")
        if count > source.max_registers:
            message = f"{value_type} fills {count} registers, max_registers of '{source.name}' is"
            self.faults.add(at, f"register: {message} {source.max_registers}; raise it or shorten the text")
        for forbidden in source.forbidden:
            if forbidden.overlaps(register, count):
                last = register.address + count - 1
                read = RegisterRange(register.space, register.address, last).shown(source.address_base)
                span = forbidden.shown(source.address_base)
                message = f"register: {value_type} fills {read}, source '{source.name}' forbids {span}"
                self.faults.add(at, f"{message}; remove one of the two")

    def _counter(
        self, role: Role, value_type: ValueType | None, address: NodeAddress | Register | None
    ) -> None:
        section = self.section
        for name in ("fall", "rollover"):
            if section.has(name) and role not in COUNTERS:
                self.faults.add(self._at(name), f"{name}: {role} is no counter; remove {name}")
        if section.get("integrate") and (section.has("rollover") or section.has("fall")):
            message = "integrate: an integral never falls or rolls over; remove fall and rollover"
            self.faults.add(self._at("integrate"), message)
        if section.has("rollover") and section.get("fall") in (Fall.RESET, Fall.CORRECTION):
            message = f"rollover: contradicts fall: {section.get('fall')}; keep one of them"
            self.faults.add(self._at("rollover"), message)
        if section.written("bit") or section.written("mask") or isinstance(address, NodeAddress):
            unknown = True
        else:
            unknown = value_type is not None and not value_type.is_integer
        if section.get("fall") == Fall.ROLLOVER and not section.written("rollover") and unknown:
            message = "fall: rollover needs to know where the counter starts again; add rollover: 65536"
            self.faults.add(section.at("fall"), message)
        if section.written("item") and role is not Role.MATERIAL:
            self.faults.add(
                self._at("item"), f"item: {role} has no item; write role: material, or remove item"
            )
        if role is Role.MATERIAL and not section.written("item") and "item" not in section.broken:
            self.faults.add(
                self.place, f"signal '{self.name}' counts no item; add item: NAME-OF-THE-MATERIAL"
            )

    def _report(self, role: Role) -> ReportRule:
        section = self.section
        deadband: Fraction | None = section.get("deadband")
        if deadband is not None and role in TEXTS:
            self.faults.add(self._at("deadband"), f"deadband: {role} is a word; remove deadband")
        elif deadband is not None and deadband < 0:
            self.faults.add(section.at("deadband"), "deadband: cannot be negative; write it without the sign")
        return ReportRule(None if not deadband else float(deadband), section.get("longest_silence"))

    def _interval(self, source: Source) -> int:
        return int(self.section.get("interval")) if self.section.has("interval") else source.interval_us

    def _polled(self, source: Source) -> bool:
        mode = self.section.get("mode")
        if isinstance(source, OpcUaSource):
            return source.poll if mode is None else bool(mode == "poll")
        if self.section.written("mode"):
            self.faults.add(self._at("mode"), "mode: a Modbus device is always polled; remove mode")
        return False

    def _unit_of_value(self) -> str | None:
        unit: str | None = self.section.get("unit")
        return None if unit is None or unit.isdigit() else unit

    def _modbus_unit(self, source: Source) -> int | None:
        """Signal before machine before source."""
        if isinstance(source, OpcUaSource):
            return None
        unit: str | None = self.section.get("unit")
        if self.section.has("modbus_unit"):
            return int(self.section.get("modbus_unit"))
        if unit is not None and unit.isdigit():
            if int(unit) > 255:
                self.faults.add(self.section.at("unit"), f"unit: {unit} is out of range; it can be 0 to 255")
            return int(unit)
        return self.owner.unit if self.owner.unit is not None else source.unit

    def _implied_fall(self) -> Fall | None:
        """An integral begins at 0 again where the buffer that keeps it was lost."""
        if self.section.get("integrate"):
            return Fall.RESET
        return Fall.ROLLOVER if self.section.has("rollover") else None

    def _rollover(self, value_type: ValueType) -> int | None:
        """The modulus in raw units: as written, else 2 ^ width where ``fall: rollover`` says no more."""
        if self.section.has("rollover"):
            return int(self.section.get("rollover"))
        if self.section.get("fall") == Fall.ROLLOVER and value_type.is_integer:
            return int(2**value_type.bits)
        return None

    def _width(self, source: Source, value_type: ValueType) -> int | None:
        """Bits of the raw integer, where the config tells them."""
        integrated = self.section.get("integrate")
        if isinstance(source, OpcUaSource) or not value_type.is_integer or integrated:
            return None
        mask: int | None = self.section.get("mask")
        return value_type.bits if mask is None else mask.bit_length()


def derived_signal(reader: SignalReader, role: Role, derivation: Derivation, source: str) -> Signal:
    """A signal that is worked out from tags of ``source``."""
    counts = isinstance(derivation, Rising)
    return Signal(
        index=0,
        machine=reader.owner.machine,
        line=reader.owner.line,
        name=reader.name,
        role=role,
        source=source,
        address=None,
        layout=Layout(ValueType("float64")),
        meaning=Meaning(text=not counts, states=role is Role.STATE),
        report=reader.report(role),
        interval_us=0,
        item=reader.section.get("item"),
        unit=reader.section.get("unit"),
        fall=Fall.RESET if counts else None,
        derivation=derivation,
        place=reader.place,
    )


def _is_typo(name: str, role: str) -> bool:
    """Whether a signal's name is a slip of the pen of a role: its letters in any case, but for one or two."""
    name = name.lower().replace("-", "_")
    if len(name) < _TYPO_RATIO_LENGTH:
        return False
    return abs(len(name) - len(role)) <= 2 and _distance(name, role) <= (1 if len(role) < 6 else 2)


def _distance(one: str, other: str) -> int:
    """Optimal string alignment: insert, delete, replace, swap neighbours."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before = before, row
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]
