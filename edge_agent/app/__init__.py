"""The one place that builds objects, and owns the clock, randomness and signals."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def run(file: Path) -> int:
    """``edge-agent run``. Raises AgentError where the system has no locks and signals of POSIX."""
    from edge_agent.errors import AgentError

    if find_spec("fcntl") is None:
        mend = "run it on Linux; check, plan, read, probe and the other tools do their work here, too"
        raise AgentError("the agent does not run on this system", sys.platform, mend)
    from edge_agent.app.service import run as serve

    return serve(file)


def read(file: Path, *, watch: bool, as_json: bool, only: str | None) -> int:
    """``edge-agent read``."""
    from edge_agent.app.clock import SystemClock
    from edge_agent.app.sources import build_sources
    from edge_agent.tools.read import read as show

    return show(file, SystemClock(), build_sources, watch=watch, as_json=as_json, only=only)


def record(file: Path, out: Path, *, only: str | None, watch: bool) -> int:
    """``edge-agent read --record``."""
    from edge_agent.app.clock import SystemClock
    from edge_agent.tools.recording import record as keep

    return keep(file, out, SystemClock(), only=only, watch=watch)


def doctor(file: Path, *, as_json: bool) -> int:
    """``edge-agent doctor``."""
    import secrets

    from edge_agent.app.clock import SystemClock
    from edge_agent.app.sources import build_sources
    from edge_agent.tools.doctor import doctor as examine

    return examine(file, SystemClock(), build_sources, secrets.token_hex(4), as_json=as_json)


def bundle(file: Path, out: Path | None, logs: list[Path]) -> int:
    """``edge-agent bundle``."""
    import secrets

    from edge_agent.app.clock import SystemClock
    from edge_agent.app.sources import build_sources
    from edge_agent.tools.bundle import bundle as collect

    return collect(file, out, logs, SystemClock(), build_sources, secrets.token_hex(4))
