"""Sources: what must hold between the fields of a PLC, meter or server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_agent.config.faults import Faults
from edge_agent.config.files import Files
from edge_agent.config.model import (
    ModbusRtuSource,
    ModbusRtuTcpSource,
    ModbusTcpSource,
    OpcUaSource,
    Security,
    Source,
    TimeOf,
    TimePolicy,
)
from edge_agent.config.section import Section
from edge_agent.config.tables import DEPRECATED
from edge_agent.config.uplink import is_host, split_url
from edge_agent.core.address import RegisterRange, parse_range
from edge_agent.core.types import Order


def build_source(index: int, name: str, section: Section, files: Files) -> Source | None:
    """The source; None where a field that it cannot do without was told as a mistake."""
    kind = section.get("type")
    common: dict[str, Any] = {
        "index": index,
        "name": name,
        "interval_us": section.get("interval"),
        "timeout_us": section.get("timeout"),
        "grace_us": section.get("grace") if section.has("grace") else 3 * section.get("interval"),
        "time": _time(section, files.faults),
        "place": section.place,
    }
    if kind == "opcua":
        return _opcua(section, common, files)
    common |= _modbus(section, files.faults)
    if kind == "modbus-rtu":
        if not section.has("device"):
            return None
        given = {key: section.get(key) for key in ("device", "baud", "parity", "stop_bits")}
        return ModbusRtuSource(**given, **common)
    if not section.has("host"):
        return None
    _host(section, files.faults)
    family = ModbusTcpSource if kind == "modbus-tcp" else ModbusRtuTcpSource
    return family(host=section.get("host"), port=section.get("port"), **common)


def _time(section: Section, faults: Faults) -> TimePolicy:
    opcua = section.get("type") == "opcua"
    own: Section | None = section.get("time")
    if own is None:
        return TimePolicy(use=TimeOf.SOURCE if opcua else TimeOf.GATEWAY)
    use = own.get("use") or ("source" if opcua else "gateway")
    if use == "source" and not opcua:
        faults.add(own.at("use"), "use: a Modbus device sends no time with its values; write use: gateway")
    return TimePolicy(use=TimeOf(use), tolerance_us=own.get("tolerance"))


def _opcua(section: Section, common: dict[str, Any], files: Files) -> OpcUaSource | None:
    security = section.get("security")
    secured = _security(security, files) if isinstance(security, Section) else None
    password = files.path(section, "password_file", secret=True)
    if password is not None and not section.written("user"):
        message = "password_file is of no use without user; add user, or remove it"
        files.faults.add(section.keys["password_file"], message)
    own = _user_certificate(section, files)
    if not section.has("endpoint"):
        return None
    endpoint = section.get("endpoint")
    try:
        url = split_url(endpoint)
        if url.scheme != "opc.tcp":
            raise ValueError(f"'{url.scheme}' is not OPC UA over TCP; write opc.tcp://{url.hostname}:4840")
    except ValueError as error:
        shown = str(error).replace("scheme://host:port", "opc.tcp://10.0.0.5:4840")
        files.faults.add(section.at("endpoint"), f"endpoint: {shown}")
        return None
    return OpcUaSource(
        endpoint=endpoint,
        host=url.hostname or "",
        port=url.port or 4840,
        path=url.path,
        security=secured,
        user=section.get("user"),
        password_file=password,
        user_certificate=own[0],
        user_key=own[1],
        poll=section.get("mode") == "poll",
        **common,
    )


def _user_certificate(section: Section, files: Files) -> tuple[Path | None, Path | None]:
    """(certificate, key) of the user."""
    names = ("user_certificate", "user_key")
    for name, other in (names, names[::-1]):
        if section.written(name) and not section.written(other):
            files.faults.add(
                section.keys[name], f"{name} is of no use without {other}; add {other}, or remove it"
            )
    if section.written("user") and section.written("user_certificate"):
        message = "user_certificate: a session has one user; keep user or user_certificate"
        files.faults.add(section.keys["user_certificate"], message)
    return files.path(section, "user_certificate"), files.path(section, "user_key", secret=True)


def _security(section: Section, files: Files) -> Security | None:
    certificate = files.path(section, "certificate")
    key = files.path(section, "key", secret=True)
    trusted = files.path(section, "trusted")
    if section.get("policy") in DEPRECATED and not section.get("allow_deprecated"):
        message = f"policy: {section.get('policy')} rests on SHA-1 and is withdrawn; switch on Basic256Sha256"
        files.faults.add(section.at("policy"), f"{message} at the server, or add allow_deprecated: true")
    if certificate is None or key is None or trusted is None or not section.has("policy"):
        return None
    return Security(
        policy=section.get("policy"),
        mode=section.get("mode"),
        certificate=certificate,
        key=key,
        trusted=trusted,
        place=section.place,
    )


def _modbus(section: Section, faults: Faults) -> dict[str, Any]:
    names = ("unit", "address_base", "max_registers", "max_gap")
    return {
        **{name: section.get(name) for name in names},
        "byte_order": Order(section.get("byte_order")),
        "word_order": Order(section.get("word_order")),
        "pause_us": section.get("pause"),
        "forbidden": _forbidden(section, faults),
    }


def _forbidden(section: Section, faults: Faults) -> tuple[RegisterRange, ...]:
    ranges = []
    for text, place in section.get("forbidden") or ():
        try:
            ranges.append(parse_range(text, section.get("address_base")))
        except ValueError as error:
            faults.add(place, f"forbidden: {error}")
    return tuple(ranges)


def _host(section: Section, faults: Faults) -> None:
    host = section.get("host")
    if "/" in host or " " in host or host.count(":") == 1:
        faults.add(section.at("host"), f"host: '{host}' is more than a host; write host and port as two keys")
    elif not is_host(host.strip("[]")):
        faults.add(section.at("host"), f"host: '{host}' is no name or address of a host; write 10.0.0.6")
