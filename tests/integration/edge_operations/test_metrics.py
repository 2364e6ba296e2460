"""What a Prometheus scrapes from a running agent, and that nobody else can."""

from __future__ import annotations

import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.test_cli_edge_run import Plc, config_text, running, until
from tests.integration.edge_delivery.brokers import free_port


def scraped(port: int, path: str = "/metrics", **headers: str) -> str:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode())


def figures(port: int, path: str = "/metrics") -> dict[str, float]:
    """By name and labels; every family has its help and its type, and no row appears twice."""
    lines = scraped(port, path).splitlines()
    rows = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    told = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {name.partition("{")[0] for name, _, _ in rows} == told
    assert len({name for name, _, _ in rows}) == len(rows)
    return {name: float(value) for name, _, value in rows}


def answered(port: int, holds: Callable[[dict[str, float]], bool]) -> bool:
    try:
        return holds(figures(port))
    except (urllib.error.URLError, ConnectionError):
        return False


def test_health_is_scraped_and_only_from_this_machine(tmp_path: Path) -> None:
    port, path = free_port(), tmp_path / "gw.yaml"
    with Plc() as plc:
        plc.device.registers[100] = 1
        path.write_text(config_text(plc.device.port) + f"metrics: {{port: {port}}}\n", "utf-8")
        with running(path) as agent:
            live = 'plantledger_source_signals_live{source="plc"}'
            until(lambda: answered(port, lambda told: told.get(live) == 2))
            until(lambda: answered(port, lambda told: told["plantledger_buffer_batches_waiting"] >= 1))
            told = figures(port)
            assert told['plantledger_source_signals_configured{source="plc"}'] == 2
            assert told['plantledger_source_up{source="plc"}'] == 1
            assert told['plantledger_source_losses_total{source="plc"}'] == 0
            assert told['plantledger_source_last_scan_age_seconds{source="plc"}'] >= 0
            assert told["plantledger_buffer_bytes_max"] == 16 * 1024**2
            assert told["plantledger_buffer_committed_total"] >= 1
            assert told["plantledger_uplink_connected"] == 0
            assert told['plantledger_dropped_samples_total{policy="stop"}'] == 0
            assert figures(port, "/metrics/signals").keys() == {
                'plantledger_signal_age_seconds{machine="press-1",signal="good_count"}',
                'plantledger_signal_age_seconds{machine="press-1",signal="state"}',
            }
            for wrong, status in (({"Host": "plant.example:80"}, 403), ({}, 404)):
                with pytest.raises(urllib.error.HTTPError, match=str(status)):
                    scraped(port, "/" if status == 404 else "/metrics", **wrong)
            path.write_text(config_text(plc.device.port), "utf-8")
            agent.send_signal(signal.SIGHUP)
            until(lambda: not answered(port, bool))
            path.write_text(config_text(plc.device.port) + f"metrics: {{port: {port}}}\n", "utf-8")
            agent.send_signal(signal.SIGHUP)
            until(lambda: answered(port, bool))
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(20) == 0


def test_a_port_that_is_taken_costs_metrics_alone(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path.write_text(config_text(9) + f"metrics: {{port: {port}}}\n", "utf-8")
        with running(path) as agent:
            until((tmp_path / "buffer" / "agent.sock").exists)
            assert agent.stderr is not None
            lines: list[str] = []
            until(lambda: lines.append(agent.stderr.readline()) or "no metrics on 127.0.0.1" in lines[-1])  # type: ignore[func-returns-value,union-attr]
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(20) == 0
