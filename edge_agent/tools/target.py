"""Which source a tool is to talk to: one of a config, or an address that was typed.

``gw-1.yaml:press-plc`` names a source of a config, ``opc.tcp://10.0.0.5:4840`` an OPC UA server,
``10.0.0.6`` or ``10.0.0.6:502`` a Modbus TCP device, ``/dev/ttyUSB0`` or ``COM3`` a serial line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent.config.faults import did_you_mean
from edge_agent.config.load import load_valid
from edge_agent.config.model import (
    Config,
    ModbusRtuSource,
    ModbusRtuTcpSource,
    ModbusSource,
    ModbusTcpSource,
    OpcUaSource,
    Security,
    Source,
)
from edge_agent.config.uplink import split_url
from edge_agent.errors import AgentError

_SERIAL = re.compile(r"^(/dev/.+|COM[0-9]+|\\\\\.\\COM[0-9]+)$", re.IGNORECASE)
_HOST = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?$")


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands beside an address that was typed. timeout_s: of one request.

    policy, mode, certificate, key, trusted: of an OPC UA connection; none of them: no security.
    """

    unit: int | None = None
    rtu: bool = False
    baud: int = 9600
    parity: str = "even"
    stop_bits: int = 1
    timeout_s: float = 3.0
    policy: str = "Basic256Sha256"
    mode: str = "SignAndEncrypt"
    certificate: Path | None = None
    key: Path | None = None
    trusted: Path | None = None
    user: str | None = None
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A source, and the config that it stands in; None for an address that was typed."""

    source: Source
    config: Config | None = None


def target_of(text: str, typed: Typed) -> Target:
    """Raises AgentError with the mend, InvalidConfig for a config with mistakes."""
    if text.lower().startswith("opc.tcp:"):
        return Target(_opcua(text, typed))
    if _SERIAL.match(text):
        given = {"baud": typed.baud, "parity": typed.parity, "stop_bits": typed.stop_bits}
        return Target(ModbusRtuSource(name=text, device=text, unit=typed.unit or 1, **given, **_times(typed)))  # type: ignore[arg-type]
    path, _, name = text.rpartition(":")
    if path and _is_config(Path(path)):
        return _of_config(Path(path), name, typed)
    if _is_config(Path(text)):
        return _of_config(Path(text), None, typed)
    found = _HOST.match(text)
    if found is None or int(found.group(2) or 1) not in range(1, 65536):
        mend = "write FILE:SOURCE, HOST:PORT, opc.tcp://HOST:4840, /dev/ttyUSB0 or COM3"
        raise AgentError("this names no source", text, mend)
    host, port = found.group(1).strip("[]"), int(found.group(2) or 502)
    family = ModbusRtuTcpSource if typed.rtu else ModbusTcpSource
    return Target(family(name=text, host=host, port=port, unit=typed.unit or 1, **_times(typed)))


def opcua_of(target: Target) -> OpcUaSource:
    """The source, where it is an OPC UA server; raises AgentError else."""
    if isinstance(target.source, OpcUaSource):
        return target.source
    raise AgentError("this is no OPC UA server", target.source.name, "write opc.tcp://HOST:4840")


def modbus_of(target: Target) -> ModbusSource:
    """The source, where it is a Modbus device; raises AgentError else."""
    if isinstance(target.source, OpcUaSource):
        raise AgentError("this is no Modbus device", target.source.name, "give a node such as ns=2;s=Press1")
    return target.source


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml") or path.is_file()


def _of_config(path: Path, name: str | None, typed: Typed) -> Target:
    config = load_valid(path, files_needed=False)
    names = [source.name for source in config.sources]
    if name is None and len(names) == 1:
        return Target(config.sources[0], config)
    if name is None:
        raise AgentError("which source", str(path), f"write {path}:SOURCE with one of: {', '.join(names)}")
    if name not in names:
        raise AgentError(f"no source '{name}'", str(path), did_you_mean(name, names))
    return Target(config.source(name), config)


def _opcua(endpoint: str, typed: Typed) -> OpcUaSource:
    try:
        url = split_url(endpoint)
    except ValueError as error:
        raise AgentError("no endpoint", endpoint, str(error)) from None
    return OpcUaSource(
        name=endpoint,
        endpoint=endpoint,
        host=url.hostname or "",
        port=url.port or 4840,
        path=url.path,
        security=_security(endpoint, typed),
        user=typed.user,
        password_file=typed.password_file,
        **_times(typed),
    )


def _security(endpoint: str, typed: Typed) -> Security | None:
    """All of the three files, or none of them: then the connection has no security."""
    given = (typed.certificate, typed.key, typed.trusted)
    if given == (None, None, None):
        return None
    certificate, key, trusted = given
    if certificate is None or key is None or trusted is None:
        mend = "give --certificate, --key and --trusted together"
        raise AgentError("half a security", endpoint, mend)
    return Security(policy=typed.policy, mode=typed.mode, certificate=certificate, key=key, trusted=trusted)


def _times(typed: Typed) -> dict[str, Any]:
    timeout_us = round(typed.timeout_s * 1_000_000)
    return {"index": 0, "interval_us": 1_000_000, "timeout_us": timeout_us, "grace_us": 3_000_000}
