"""Where the shipped configs and the golden mistakes are, and the world that they are read in."""

from __future__ import annotations

from pathlib import Path

from edge_agent.config.load import Loaded, load

CONFIGS = sorted((Path(__file__).parents[3] / "configs" / "edge").glob("*.yaml"))
MISTAKES = sorted((Path(__file__).parent / "mistakes").glob("*.yaml"))
ENVIRONMENT = {"PLANTLEDGER_SITE": "columbus", "LINE_SERVER": "10.0.0.9"}


def loaded(path: Path, *, files_needed: bool = False) -> Loaded:
    """Read a config with a known environment and host name."""
    return load(path, environment=ENVIRONMENT, hostname="gw-7", files_needed=files_needed)


def lines(folder: Path, text: str, *, name: str = "gw.yaml") -> list[str]:
    """The mistakes of a config's text, without the folder in front."""
    path = folder / name
    path.write_bytes(text.encode())
    return [line.removeprefix(f"{folder}/") for line in loaded(path).faults.lines()]


FRAME = """\
agent: {id: gw-1, site: columbus}
uplink: {url: "mqtts://broker:8883"}
sources:
  plc: {type: modbus-tcp, host: 10.0.0.6}
  srv: {type: opcua, endpoint: "opc.tcp://10.0.0.5:4840", security: none}
machines:
  press-1:
    line: stamping
    source: plc
    signals:
"""
"""A sound config whose signals (from line 11 on) a test adds."""


def signal_faults(folder: Path, *signals: str) -> list[str]:
    """The mistakes of a config with these signals, one a line."""
    return lines(folder, FRAME + "".join(f"      {signal}\n" for signal in signals))
