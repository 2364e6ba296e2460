"""Columns of batches to a binary COPY block, without a Python object a row.

Rows of one shape (which of the nullable columns they have, and how long their texts are) have one length,
so each shape is one numpy record array. The order of rows in the table means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.batch import (
    HAS_NUMBER,
    HAS_RAW_NUMBER,
    HAS_RAW_TEXT,
    HAS_SOURCE_TIME,
    HAS_TEXT,
    QUALITY_BITS,
    Batch,
)

COLUMNS = (
    "time", "series_id", "value", "text", "raw", "raw_text", "source_time", "quality", "origin",
    "received_at",
)  # fmt: skip
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
PG_EPOCH_US = 946_684_800_000_000
LIVE, HISTORY = 0, 1

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of samples with their series, dense columns as in shared.batch.Batch.

    times: int64 microseconds UTC. series: int64 ids. flags: uint8 as in a batch. texts, raw_texts: indexes
    into strings (UTF-8).
    """

    times: Int
    series: Int
    flags: NDArray[np.uint8]
    numbers: NDArray[np.float64]
    texts: Int
    raw_numbers: NDArray[np.float64]
    raw_texts: Int
    source_times: Int
    strings: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.times)


def rows_of(batches: Sequence[tuple[Batch, Int]]) -> Rows:
    """One set of columns out of several batches, each with the series id of every signal index."""
    strings: list[bytes] = []
    texts: list[Int] = []
    raw_texts: list[Int] = []
    for batch, _ in batches:
        texts.append(np.frombuffer(batch.texts, np.uint32).astype(np.int64) + len(strings))
        raw_texts.append(np.frombuffer(batch.raw_texts, np.uint32).astype(np.int64) + len(strings))
        strings += [text.encode() for text in batch.strings]
    return Rows(
        times=_joined([np.frombuffer(batch.times, np.int64) for batch, _ in batches], np.int64),
        series=_joined([ids[np.frombuffer(batch.signals, np.uint32)] for batch, ids in batches], np.int64),
        flags=_joined([np.frombuffer(batch.flags, np.uint8) for batch, _ in batches], np.uint8),
        numbers=_joined([np.frombuffer(batch.numbers, np.float64) for batch, _ in batches], np.float64),
        texts=_joined(texts, np.int64),
        raw_numbers=_joined(
            [np.frombuffer(batch.raw_numbers, np.float64) for batch, _ in batches], np.float64
        ),
        raw_texts=_joined(raw_texts, np.int64),
        source_times=_joined([np.frombuffer(batch.source_times, np.int64) for batch, _ in batches], np.int64),
        strings=strings,
    )


def block(rows: Rows, received_us: int, origin: int = LIVE) -> list[bytes]:
    """A whole COPY ... (FORMAT BINARY) stream for the samples table, in pieces to write one after another.

    received_us: microseconds UTC, the same for every row.
    """
    pieces = [HEADER]
    lengths = np.fromiter((len(text) for text in rows.strings), np.int64, len(rows.strings))
    places = {bit: np.cumsum(rows.flags & bit != 0) - 1 for bit in _SPARSE if (rows.flags & bit).any()}
    for shape in np.unique(rows.flags & ~np.uint8(QUALITY_BITS)):
        chosen = np.flatnonzero(rows.flags & ~np.uint8(QUALITY_BITS) == shape)
        text = rows.texts[places[HAS_TEXT][chosen]] if shape & HAS_TEXT else None
        raw_text = rows.raw_texts[places[HAS_RAW_TEXT][chosen]] if shape & HAS_RAW_TEXT else None
        for part, text_length, raw_length in _of_one_length(len(chosen), text, raw_text, lengths):
            taken = chosen[part]
            record = _Record(len(taken))
            record.put(">i8", rows.times[taken] - PG_EPOCH_US)
            record.put(">i4", rows.series[taken])
            record.put(">f8", rows.numbers[places[HAS_NUMBER][taken]] if shape & HAS_NUMBER else None)
            record.put_text(rows.strings, None if text is None else text[part], text_length)
            record.put(
                ">f8", rows.raw_numbers[places[HAS_RAW_NUMBER][taken]] if shape & HAS_RAW_NUMBER else None
            )
            record.put_text(rows.strings, None if raw_text is None else raw_text[part], raw_length)
            record.put(
                ">i8",
                rows.source_times[places[HAS_SOURCE_TIME][taken]] - PG_EPOCH_US
                if shape & HAS_SOURCE_TIME
                else None,
            )
            record.put(">i2", rows.flags[taken] & QUALITY_BITS)
            record.put(">i2", origin)
            record.put(">i8", received_us - PG_EPOCH_US)
            pieces.append(record.tobytes())
    pieces.append(TRAILER)
    return pieces


_SPARSE = (HAS_NUMBER, HAS_TEXT, HAS_RAW_NUMBER, HAS_RAW_TEXT, HAS_SOURCE_TIME)


class _Record:
    """Rows of one shape: fields are added in the order of the table's columns."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.fields: list[tuple[str, str]] = [("count", ">i2")]
        self.columns: dict[str, Any] = {"count": len(COLUMNS)}

    def put(self, kind: str, values: Any) -> None:
        """A column of numbers, one number for all rows, or None for a column of nulls."""
        name = f"c{len(self.fields)}"
        self.fields.append((f"{name}n", ">i4"))
        if values is None:
            self.columns[f"{name}n"] = -1
            return
        self.columns[f"{name}n"] = int(kind[2:])
        self.fields.append((name, kind))
        self.columns[name] = values

    def put_text(self, strings: Sequence[bytes], indexes: Int | None, length: int) -> None:
        """A column of texts of one length, or of nulls."""
        if indexes is None or length == 0:
            self.put("S0", None)
            if indexes is not None:
                self.columns[self.fields[-1][0]] = 0
            return
        used, inverse = np.unique(indexes, return_inverse=True)
        table = np.array([strings[index] for index in used], dtype=f"V{length}")
        self.put(f"|V{length}", table[inverse])

    def tobytes(self) -> bytes:
        """The rows as COPY wants them."""
        block = np.empty(self.rows, dtype=np.dtype(self.fields))
        for name, values in self.columns.items():
            block[name] = values
        return block.tobytes()


def _of_one_length(
    count: int, text: Int | None, raw_text: Int | None, lengths: Int
) -> list[tuple[Int, int, int]]:
    """Places of rows whose texts are equally long, with these lengths in bytes."""
    nothing = np.zeros(count, np.int64)
    text_lengths = nothing if text is None else lengths[text]
    raw_lengths = nothing if raw_text is None else lengths[raw_text]
    pairs = text_lengths << 32 | raw_lengths
    return [
        (np.flatnonzero(pairs == pair), int(pair) >> 32, int(pair) & 0xFFFFFFFF) for pair in np.unique(pairs)
    ]


def _joined(parts: list[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)
