"""The commands as functions: exit code, standard output and error, without a process each."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

from edge_agent.__main__ import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


PATIENT = ("--timeout", "30")
"""For an address that is typed: a machine that is busy with other tests answers late."""


def agent(*arguments: str | Path | int) -> Done:
    """``edge-agent ARGUMENTS``; must not be called where an event loop runs."""
    if arguments[0] in ("probe", "browse", "trust"):
        arguments += PATIENT
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())
