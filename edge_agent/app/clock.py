"""The gateway's clocks, for real."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

from edge_agent.core.timeline import Evidence, Timeline, is_believable

_UNSYNCHRONISED = 5
_TIMEX_BYTES = 256
_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """Implements ports.Clock: a timeline that begins at the wall clock and never steps.

    Before ``believe`` it shows what the wall clock showed when it was made, wrong or not.
    """

    def __init__(self) -> None:
        self._timeline = Timeline(_wall_us(), _steady_s())
        self._trusted = False

    def now_us(self) -> int:
        """By this run's timeline, microseconds since 1970-01-01 UTC."""
        return self._timeline.at_us(_steady_s())

    def monotonic_s(self) -> float:
        """Seconds that never step."""
        return time.monotonic()

    def trusted(self) -> bool:
        """Whether the time is known, if only by its shift."""
        return self._trusted

    def trust(self) -> None:
        """The wall clock was right, or by how much it was wrong is known."""
        self._trusted = True

    def zero_us(self) -> int:
        """What the timeline shows at boot."""
        return self.now_us() - int(_steady_s() * 1e6)

    def is_believable(self, newest_us: int | None) -> bool:
        """Whether the wall clock may date samples; newest_us: the newest stamp of another boot, if any."""
        return is_believable(_wall_us(), evidence(newest_us))

    def synchronised(self) -> bool:
        """Whether the kernel says that the wall clock follows another, NTP's for example."""
        return _synchronised()

    def wall_error_us(self) -> int | None:
        """What the wall clock shows more than the timeline, where the kernel says that it is synchronised."""
        return _wall_us() - self.now_us() if _synchronised() else None

    def follow(self, error_us: int) -> None:
        """Drift towards a better clock, which shows error_us more."""
        self._timeline.follow(error_us, _steady_s())


def boot_id() -> str:
    """The kernel's id of this boot; empty where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def evidence(newest_us: int | None) -> Evidence:
    """What this machine says of its wall clock."""
    battery = any(_set_the_clock(each) for each in Path("/sys/class/rtc").glob("rtc*/hctosys"))
    installed_us = int(Path(__file__).stat().st_mtime * 1e6)
    return Evidence(_synchronised(), battery, _steady_s(), installed_us, newest_us)


def _set_the_clock(hctosys: Path) -> bool:
    try:
        return hctosys.read_text("ascii").strip() == "1"
    except OSError:
        return False


def _synchronised() -> bool:
    """The kernel's own word (adjtimex, which reads and sets nothing here)."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, TypeError, AttributeError):
        return False
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return bool(0 <= state < _UNSYNCHRONISED)


def _wall_us() -> int:
    return time.time_ns() // 1000


def _steady_s() -> float:
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)
