"""Child processes: ended with their parent, or asked to end and then made to."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

_PDEATHSIG = 1


def end_with_parent(how: signal.Signals) -> Callable[[], None]:
    """For preexec_fn: the child gets a signal when the thread that started it ends, whatever ended it."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl if os.uname().sysname == "Linux" else None

    def ask() -> None:
        if prctl is not None:
            prctl(_PDEATHSIG, int(how), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return ask


def end(process: subprocess.Popen[Any], patience_s: float, *signals: signal.Signals) -> None:
    """Sends one signal after the other, each as soon as the one before it was in vain for so long."""
    for how in signals:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            return
