"""By how much the stamps of each stream are off: known, or not yet known and therefore not to leave.

A run whose clock cannot be believed writes its boot and where its timeline stands against the time since
boot. Once a clock is believed, in this run or a later one of the same boot, the shift of all of them follows.
Runs of a boot whose time was never learnt are believed where they are plausible, or else end when this boot
began, and their samples are uncertain. The samples themselves are not written again: they are shifted on
their way out.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable
from dataclasses import replace

import msgspec

from edge_agent.adapters.buffer_files import Files, read_whole, set_aside, write_whole
from edge_agent.core.quality import EARLIEST_US
from edge_agent.ports import Stored
from shared import codec
from shared.batch import QUALITY_BITS, Batch, Gap, Pending, ScanMark
from shared.sample import Quality

STAMPS = "stamps"
_MOST = 200
_log = logging.getLogger(__name__)


class Stamp(msgspec.Struct):
    """boot: the kernel's id of it. zero_us: what the timeline of the stream shows at boot.

    shift_us: to add to its stamps, None while not known. guessed: its samples are uncertain.
    """

    boot: str
    zero_us: int
    shift_us: int | None = None
    guessed: bool = False


class _Kept(msgspec.Struct):
    """The file. believed_boot: the boot whose wall clock was believed last. streams: by hex id."""

    believed_boot: str = ""
    streams: dict[str, Stamp] = {}


class Stamps:
    """Of all streams on disk; those without an entry are right as they are.

    newest_us: the newest stamp of a stream, None where it is not on disk.
    """

    def __init__(self, files: Files, stream: bytes, newest_us: Callable[[bytes], int | None]) -> None:
        self._files, self._stream, self._newest_us = files, stream, newest_us
        kept = _kept(files)
        self._boot = kept.believed_boot
        self._stamps = {bytes.fromhex(each): stamp for each, stamp in kept.streams.items()}

    def begin(self, boot: str, zero_us: int, *, believed: bool, forget: bool = False) -> bool:
        """This run: its boot, what its timeline shows at boot, and whether its clock can be believed.

        It can, too, where an earlier run of this boot came to know the time. forget: nothing on disk waits
        for an ack, so that streams that are gone need no entry. Returns whether the time is known.
        """
        if forget:
            here = {each: stamp for each, stamp in self._stamps.items() if self._newest_us(each) is not None}
            self._stamps = here
        self._stamps[self._stream] = Stamp(boot, zero_us)
        of_boot = [each for each in self._stamps.values() if each.boot == boot and not each.guessed]
        known = [each.zero_us + each.shift_us - zero_us for each in of_boot if each.shift_us is not None]
        if believed or (boot and (boot == self._boot or known)):
            self.learn(known[-1] if known and not believed else 0)
            return True
        _log.warning("the clock cannot be believed: nothing leaves before the cloud or NTP tell the time")
        self._save()
        return False

    def learn(self, shift_us: int) -> None:
        """The shift of this run is known now; that of others follows."""
        own = self._stamps.get(self._stream)
        if own is None or own.shift_us is not None:
            return
        own.shift_us = shift_us
        self._boot = own.boot if shift_us == 0 else self._boot
        booted_us = own.zero_us + shift_us
        for stream, stamp in self._stamps.items():
            if stamp.shift_us is None:
                self._settle(stream, stamp, own.boot, booted_us)
        if shift_us:
            _log.info("the clock is known: stamps of this run move by %+.3f s", shift_us / 1e6)
        self._save()

    def correct(self, shift_us: int) -> None:
        """What was believed was wrong: for a run of which nothing has left yet."""
        own = self._stamps[self._stream]
        own.shift_us = shift_us
        if self._boot == own.boot:
            self._boot = ""
        _log.warning(
            "the clock was believed and is wrong: stamps of this run move by %+.3f s", shift_us / 1e6
        )
        self._save()

    def shift_us(self, stream: bytes) -> int | None:
        """What to add to the stamps of a stream; None while that is not known."""
        stamp = self._stamps.get(stream)
        return 0 if stamp is None else stamp.shift_us

    def stamped(self, stored: Stored) -> Stored:
        """A batch as it leaves: its times shifted, its gap records each by the stream they tell of."""
        shift_us = self.shift_us(stored.stream) or 0
        if not any(stamp.shift_us or stamp.guessed for stamp in self._stamps.values()):
            return stored
        front, batch = codec.unpack(stored.message)
        gaps = [_gap(gap, self.shift_us(gap.stream) or 0) for gap in batch.gaps]
        guessed = stored.stream in self._stamps and self._stamps[stored.stream].guessed
        if not shift_us and not guessed and gaps == batch.gaps:
            return stored
        packed = codec.pack(_shifted(batch, shift_us, gaps, guessed))
        message = codec.message(
            packed, lane=front.lane, stream=front.stream, seq=front.seq, instance=front.instance,
            start=front.start,
        )  # fmt: skip
        oldest_us, newest_us = stored.oldest_us + shift_us, stored.newest_us + shift_us
        return replace(stored, message=message, oldest_us=oldest_us, newest_us=newest_us)

    def pending(self, stream: bytes, span: Pending) -> Pending:
        """A span of another stream, for a batch of this one: its own shift is added when that leaves."""
        by_us = (self.shift_us(stream) or 0) - (self.shift_us(self._stream) or 0)
        return Pending(span.from_us + by_us, span.to_us + by_us)

    def _settle(self, stream: bytes, stamp: Stamp, boot: str, booted_us: int) -> None:
        if stamp.boot == boot:
            stamp.shift_us = booted_us - stamp.zero_us
            return
        newest_us = self._newest_us(stream)
        if newest_us is None or EARLIEST_US <= newest_us <= booted_us:
            stamp.shift_us = 0
            return
        stamp.shift_us, stamp.guessed = booted_us - newest_us, True
        _log.warning("stream %s was written in a boot whose time is not known: uncertain", stream.hex())

    def _save(self) -> None:
        """What is right as it is needs no entry after its run."""
        kept = {
            stream.hex(): stamp
            for stream, stamp in list(self._stamps.items())[-_MOST:]
            if stamp.shift_us != 0 or stamp.guessed
        }
        content = msgspec.json.encode(_Kept(self._boot, kept))
        try:
            if content != read_whole(self._files, STAMPS):
                write_whole(self._files, STAMPS, content)
        except OSError as error:
            _log.error("what is known of the clock cannot be written: %s", error)


def _kept(files: Files) -> _Kept:
    content = read_whole(files, STAMPS)
    if content is None and STAMPS in files.names():
        _log.error("%s is damaged: stamps of earlier runs stay as they are", set_aside(files, STAMPS))
    try:
        return _Kept() if content is None else msgspec.json.decode(content, type=_Kept)
    except msgspec.MsgspecError as error:
        _log.error("what is known of the clock cannot be read: %s", error)
        return _Kept()


def _shifted(batch: Batch, by_us: int, gaps: list[Gap], guessed: bool) -> Batch:
    uncertain = bytes(_uncertain(flags) if guessed else flags for flags in range(256))
    return replace(
        batch,
        times=array("q", [each + by_us for each in batch.times]),
        flags=bytearray(batch.flags.translate(uncertain)),
        marks=[ScanMark(mark.source, mark.from_us + by_us, mark.to_us + by_us) for mark in batch.marks],
        gaps=gaps,
        pending=[Pending(each.from_us + by_us, each.to_us + by_us) for each in batch.pending],
    )


def _gap(gap: Gap, by_us: int) -> Gap:
    return (
        msgspec.structs.replace(gap, from_us=gap.from_us + by_us, to_us=gap.to_us + by_us) if by_us else gap
    )


def _uncertain(flags: int) -> int:
    good = flags & QUALITY_BITS == Quality.GOOD
    return flags | Quality.UNCERTAIN if good else flags
