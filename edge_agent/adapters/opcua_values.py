"""What an OPC UA server says of a value, as a reading: type, quality, and whose time dates it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from asyncua import ua

from edge_agent.adapters.opcua_told import LOCALIZED_TEXT, STRING, Told, status_name
from edge_agent.config.model import Signal, TimeOf, TimePolicy
from edge_agent.core.mapping import Meant, RawValue
from edge_agent.core.quality import EARLIEST_US, of_status_code
from edge_agent.ports import Reading
from shared.sample import Quality

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OVERFLOW = 0x0480
"""Info type 'data value' and its overflow bit: values before this one were dropped by the server."""

_RECENT = 64
_PLAIN = frozenset((float, int, bool))


def to_us(moment: datetime | None) -> int | None:
    """Microseconds UTC of a server's time stamp."""
    if moment is None:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def overflowed(told: Told) -> bool:
    """Whether the server dropped values of this item because its queue was full."""
    return told.status & _OVERFLOW == _OVERFLOW


def meant(signal: Signal, told: Told) -> Meant:
    """The meaning of a value as it was told."""
    quality = of_status_code(told.status)
    if quality is Quality.BAD:
        return Meant(None, Quality.BAD, None, status_name(told.status))
    raw = _raw(told)
    if isinstance(raw, _Unusable):
        return Meant(None, Quality.BAD, None, raw.why)
    return signal.meaning.apply(raw, quality)


@dataclass(frozen=True, slots=True)
class _Unusable:
    why: str


def _raw(told: Told) -> RawValue | _Unusable | None:
    content = told.content
    if content is None:
        return "" if told.kind in (STRING, LOCALIZED_TEXT) else None
    if isinstance(content, str):
        return _sendable(content)
    if isinstance(content, bool | int | float) and not isinstance(content, Enum):
        return content
    if isinstance(content, Enum) and isinstance(content.value, int):
        return int(content.value)
    if isinstance(content, ua.LocalizedText):
        return _sendable(content.Text or "")
    if isinstance(content, datetime):
        return content.isoformat()
    return _unusable(content)


def _unusable(content: Any) -> _Unusable:
    if isinstance(content, dict):
        return _Unusable(
            f"a structure of {', '.join(content)}: say which, for example path: .{next(iter(content))}"
        )
    if isinstance(content, list):
        return _Unusable(
            f"an array of {len(content)} values, one is wanted: say which, for example path: [3]"
        )
    return _Unusable(f"a {type(content).__name__}, a number or text is wanted: say which field, path: .Name")


def _sendable(text: str) -> str:
    """A text without what no message can hold: bytes that are no UTF-8, as the library hands them on."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


class Dating:
    """Whose time dates the values of one source, and how far its clock is off.

    The offset is the least delay of recent changes: what is left when transport was quickest. A change is
    dated by the source, moved by the offset where that is beyond the tolerance; never later than it was
    received, and never before ``floor_us``, from when on the source has been watched. A time that does not
    fit is not used.
    """

    def __init__(self, policy: TimePolicy) -> None:
        self._policy = policy
        self._use_source = policy.use is TimeOf.SOURCE
        self._delays: deque[int] = deque(maxlen=_RECENT)
        self._last_us: dict[int, int] = {}
        self._shift_us = 0

    @property
    def tolerance_us(self) -> int:
        """How far a source's time may be off without being mended."""
        return self._policy.tolerance_us

    @property
    def offset_us(self) -> int | None:
        """Gateway's clock minus the source's, as far as known; None before the first change."""
        return min(self._delays, default=None)

    def begin(self) -> None:
        """A new connection: nothing is known of the order of times before it."""
        self._last_us.clear()

    def measure(self, sources_us: Iterable[int | None], now_us: int) -> None:
        """Learn from the delays of changes that were reported now; not from first values, which are old."""
        self._delays.extend(
            now_us - at_us for at_us in sources_us if at_us is not None and at_us >= EARLIEST_US
        )
        offset_us = self.offset_us or 0
        self._shift_us = offset_us if abs(offset_us) > self._policy.tolerance_us else 0

    def seen(self, source_us: int | None, now_us: int) -> tuple[int, int | None]:
        """(time, source's own time where it differs) of a value that was read: it holds now."""
        return now_us, self._own(source_us, now_us)

    def changed(
        self, signal: int, source_us: int | None, now_us: int, floor_us: int
    ) -> tuple[int, int | None]:
        """(time, source's own time where it differs) of a change that was reported now."""
        time_us = now_us
        if source_us is not None and source_us >= EARLIEST_US and self._use_source:
            fitting_us = min(source_us + self._shift_us, now_us)
            time_us = fitting_us if fitting_us >= floor_us else now_us
        last_us = self._last_us.get(signal)
        if last_us is not None and time_us <= last_us:
            time_us = last_us + 1
        self._last_us[signal] = time_us
        return time_us, self._own(source_us, time_us)

    def _own(self, source_us: int | None, time_us: int) -> int | None:
        if source_us is None or abs(source_us - time_us) <= self._policy.tolerance_us:
            return None
        return source_us


def reading_of(signal: Signal, told: Told, time_us: int, source_us: int | None) -> Reading:
    """A reading of a value; where the server dropped values before it, it is uncertain and says so."""
    if told.status == 0 and type(told.content) in _PLAIN and signal.meaning.plain:
        number = float(told.content)
        if math.isfinite(number):
            return Reading(signal.index, time_us, number, Quality.GOOD, None, source_us)
    found = meant(signal, told)
    quality, why = found.quality, found.why
    if overflowed(told) and quality is Quality.GOOD:
        quality, why = Quality.UNCERTAIN, "the server dropped values before this one: its queue was full"
    return Reading(signal.index, time_us, found.value, quality, found.raw, source_us, why)
