"""A process that is asked to end does, whenever the signal comes."""

from __future__ import annotations

import signal
import subprocess
import sys

SCRIPT = """
import os, signal, threading
from cloud_api.parts import Ending

for _ in range(400):
    ending = Ending()
    ending.listen()
    threading.Timer(0.001, os.kill, (os.getpid(), signal.SIGTERM)).start()
    while not ending.pause(0.0001):
        pass
    assert ending.stop.is_set()
print("ended 400 times")
"""


def test_a_signal_never_meets_a_lock_that_is_held() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=90)
    assert done.stdout == "ended 400 times\n", done.stderr


def test_the_handler_itself_takes_no_lock() -> None:
    from cloud_api.parts import Ending

    before = signal.getsignal(signal.SIGTERM)
    ending = Ending()
    try:
        ending.listen()
        with ending.stop._cond:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGTERM)
        assert ending.asked
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, signal.default_int_handler)
