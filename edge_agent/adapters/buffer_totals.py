"""Totals of what the agent itself counts (pulses, integrated power), kept in the buffer over restarts.

The file of the totals names the batch from which on it knows nothing; what was committed after it is read
from the batches themselves. So a total goes on at the value that the cloud has last seen or will see, never
below it, whether the agent was stopped, killed or lost its power; what was seen and not yet committed may be
lost, as any sample of that moment is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import msgspec

from edge_agent.adapters.buffer_contents import Segment
from edge_agent.adapters.buffer_files import Files, read_whole, set_aside, write_whole
from edge_agent.adapters.buffer_shelf import Read, Shelf
from edge_agent.adapters.buffer_state import Dictionaries
from shared import dictionary
from shared.batch import samples_of
from shared.codec import unpack
from shared.errors import WireError

TOTALS = "totals"
MOST_READ_BYTES = 64 * 1024**2
"""So much of the buffer is searched for totals that no file holds."""
_log = logging.getLogger(__name__)


class TotalsFile(msgspec.Struct):
    """totals: by signal key. They hold all batches of stream before seq, and all segments before ordinal that
    are of other streams.
    """

    stream: str
    seq: int
    ordinal: int
    totals: dict[str, float]


class Totals:
    """Totals by signal key (``machine.signal``); whoever counts begins at ``now`` and writes to it."""

    def __init__(self, files: Files, shelf: Shelf, dictionaries: Dictionaries) -> None:
        self._files, self._shelf, self._dictionaries = files, shelf, dictionaries
        self.now: dict[str, float] = {}
        self._saved: dict[str, float] = {}

    def recover(self, keys: Iterable[str]) -> None:
        """Take up the totals of these signals, and of all that the file has, where the last run left them."""
        wanted = set(keys)
        kept = self._kept()
        if kept is not None:
            self.now = dict(kept.totals)
        if wanted:
            self.now |= self._committed_since(kept, wanted)

    def save(self, stream: bytes, seq: int, ordinal: int) -> None:
        """Write them down where they changed. Raises OSError.

        stream, seq: of the next batch that is put. ordinal: of the next segment.
        """
        if self.now == self._saved:
            return
        totals = dict(self.now)
        content = msgspec.json.encode(TotalsFile(stream.hex(), seq, ordinal, totals))
        write_whole(self._files, TOTALS, content)
        self._saved = totals

    def _kept(self) -> TotalsFile | None:
        content = read_whole(self._files, TOTALS)
        try:
            return None if content is None else msgspec.json.decode(content, type=TotalsFile)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            _log.error("%s is damaged: totals are looked for in the batches", set_aside(self._files, TOTALS))
            return None

    def _committed_since(self, kept: TotalsFile | None, wanted: set[str]) -> dict[str, float]:
        """The newest committed totals that the file does not hold."""
        found: dict[str, float] = {}
        names: dict[bytes, list[str]] = {}
        read_bytes = 0
        for read in self._newest_first(kept):
            read_bytes += len(read.message)
            if wanted <= found.keys() or read_bytes > MOST_READ_BYTES:
                break
            front, batch = unpack(read.message)
            keys = names.setdefault(front.dictionary, self._names(front.dictionary))
            for sample in reversed(list(samples_of(batch))):
                key = keys[sample.signal] if sample.signal < len(keys) else ""
                if key in wanted and isinstance(sample.value, float):
                    found.setdefault(key, sample.value)
        return found

    def _newest_first(self, kept: TotalsFile | None) -> Iterator[Read]:
        for segment in reversed(list(self._shelf.segments.values())):
            first = _first_unknown(segment, kept)
            for low, high in reversed(segment.seqs.ranges):
                for seq in range(high, max(low, first) - 1, -1):
                    if (read := self._shelf.read(segment, seq)) is not None:
                        yield read

    def _names(self, content_hash: bytes) -> list[str]:
        """Keys of the signals in the order of their indexes; none where the dictionary is lost."""
        message = self._dictionaries.find(content_hash)
        try:
            known = dictionary.unpack(message)[1] if message is not None else None
        except WireError:
            known = None
        return [] if known is None else [f"{each.machine}.{each.signal}" for each in known.signals]


def _first_unknown(segment: Segment, kept: TotalsFile | None) -> int:
    """The first seq of a segment that the file does not hold."""
    if kept is None:
        return 0
    if segment.stream.hex() == kept.stream:
        return kept.seq
    return 0 if segment.ordinal >= kept.ordinal else segment.last + 1
