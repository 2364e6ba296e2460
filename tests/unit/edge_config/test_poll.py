"""Which signals of an OPC UA source are polled: the signal's word before the source's."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.config.load import load_valid
from edge_agent.tools.plan import plan

HEAD = """agent: {id: gw-1, site: columbus}
uplink: {url: "mqtts://broker:8883"}
buffer: {path: ./buffer}
"""


def written(folder: Path, source: str, *signals: str) -> Path:
    path = folder / "gw.yaml"
    what = f'{{type: opcua, endpoint: "opc.tcp://10.0.0.5:4840", security: none{source}}}'
    lines = ""
    for signal in signals:
        name, comma, more = signal.partition(",")
        lines += f'      {name}: {{node: "ns=2;s={name}"{comma}{more}}}\n'
    machine = f"machines:\n  m:\n    line: l\n    source: plc\n    signals:\n{lines}"
    path.write_text(f"{HEAD}sources:\n  plc: {what}\n{machine}", "utf-8")
    return path


@pytest.mark.parametrize(
    ("source", "polled"),
    [("", {"m.b"}), (", mode: subscribe", {"m.b"}), (", mode: poll", {"m.a", "m.b"})],
)
def test_the_signal_before_the_source(source: str, polled: set[str], tmp_path: Path) -> None:
    config = load_valid(written(tmp_path, source, "a", "b, mode: poll", "c, mode: subscribe"))
    assert {signal.key for signal in config.signals if signal.poll} == polled


def test_the_plan_shows_batches_of_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    polled = [f"p{n}, mode: poll, interval: 5 s" for n in range(120)]
    assert plan(written(tmp_path, "", "a", "b", *polled)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  every 1 s: 2 nodes in 1 batch of at most 50, subscribed"
    assert lines[4] == "  every 5 s: 120 nodes in 3 batches of at most 50, polled"
