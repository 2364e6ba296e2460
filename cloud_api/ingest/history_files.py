"""History files (CSV or Parquet: `time,machine,role,value[,quality]`) as columns of text with their lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
from numpy.typing import NDArray

COLUMNS = ("time", "machine", "role", "value")
OPTIONAL = "quality"
BATCH_ROWS = 262_144
BLOCK_BYTES = 8 * 1024 * 1024
MOST_MISSHAPEN = 10_000
"""A CSV with more rows of a wrong length is given up at once."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row of a file, and its mend."""

    file: str
    line: int
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}: {self.mend}"


@dataclass(slots=True)
class Faults:
    """The first faults, and how many there are in all."""

    most: int = 1000
    first: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, file: str, line: int, message: str, mend: str) -> None:
        self.count += 1
        if len(self.first) < self.most:
            self.first.append(Fault(file, line, message, mend))

    def take(self, others: Faults) -> None:
        """Adds the faults of others."""
        self.first += others.first[: max(0, self.most - len(self.first))]
        self.count += others.count

    def in_order(self) -> list[Fault]:
        """The first faults, file by file, by their lines."""
        files = {file: place for place, file in enumerate(dict.fromkeys(fault.file for fault in self.first))}
        return sorted(self.first, key=lambda fault: (files[fault.file], fault.line))


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of a file: text columns of one length, the line of each row, bytes of the file read so far.

    ``time`` is text or an Arrow timestamp; the others are text without nulls.
    """

    file: str
    lines: NDArray[np.int64]
    time: pa.Array
    machine: pa.Array
    role: pa.Array
    value: pa.Array
    quality: pa.Array | None
    done_bytes: int


def read_columns(path: Path, faults: Faults) -> Iterator[Columns]:
    """The rows of a file, many at a time. What cannot be read becomes a fault."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if head == b"PAR1":
            yield from _parquet(path, faults)
        else:
            yield from _csv(path, faults)
    except OSError as error:
        faults.add(str(path), 1, f"the file cannot be read ({error.strerror})", "check its name and rights")
    except pa.ArrowInvalid as error:
        faults.add(
            str(path), 1, f"the file cannot be read ({_short(error)})", "export it again as CSV or Parquet"
        )


def _csv(path: Path, faults: Faults) -> Iterator[Columns]:
    file = str(path)
    encoding = _encoding(path)
    header = _header(path, encoding, faults)
    if header is None:
        return
    line, names, delimiter = header
    misshapen: list[int] = []

    def on_misshapen(row: arrow_csv.InvalidRow) -> str:
        misshapen.append(row.number)
        message = f"{row.actual_columns} cells where the header has {row.expected_columns}"
        faults.add(file, row.number, message, "fill each column; write numbers with a decimal point")
        return "skip" if len(misshapen) < MOST_MISSHAPEN else "error"

    with path.open("rb") as raw:
        reader = arrow_csv.open_csv(
            raw,
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                skip_rows=line,
                column_names=names,
                block_size=BLOCK_BYTES,
                encoding=encoding,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=on_misshapen
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                include_columns=[name for name in names if name in (*COLUMNS, OPTIONAL)],
                strings_can_be_null=False,
            ),
        )
        following = line + 1
        for batch in reader:
            lines = following + np.arange(batch.num_rows, dtype=np.int64)
            for number in sorted(number for number in misshapen if number >= following):
                lines[lines >= number] += 1
            if len(lines):
                following = int(lines[-1]) + 1
            yield from _blanks_left_out(_columns(file, batch, lines, raw.tell()))


def _header(path: Path, encoding: str, faults: Faults) -> tuple[int, list[str], str] | None:
    """The line of the header, its names and the delimiter; None (with faults) where it cannot be used."""
    with path.open(
        encoding="utf-8-sig" if encoding == "utf8" else encoding, errors="replace", newline=""
    ) as text:
        number, line = next(((n, said) for n, said in enumerate(text, 1) if said.strip()), (0, ""))
    if not number:
        faults.add(str(path), 1, "the file is empty", f"write a first line {','.join(COLUMNS)}")
        return None
    delimiter = max((",", ";", "\t"), key=line.count)
    names = [name.strip().casefold() for name in next(csv.reader(io.StringIO(line), delimiter=delimiter))]
    return (number, names, delimiter) if _names_are_sound(str(path), number, names, faults) else None


def _names_are_sound(file: str, line: int, names: list[str], faults: Faults) -> bool:
    sound = True
    for name in COLUMNS:
        if name not in names:
            faults.add(file, line, f"the column '{name}' is missing", f"name the columns {','.join(COLUMNS)}")
            sound = False
    for index, name in enumerate(names):
        if name in names[:index]:
            faults.add(file, line, f"the column '{name}' stands twice", "keep one of them")
            sound = False
        elif name not in (*COLUMNS, OPTIONAL):
            mend = f"the columns are {','.join(COLUMNS)} and {OPTIONAL}; delete it"
            faults.add(file, line, f"'{name}' is not a column of a history file", mend)
            sound = False
    return sound


def _encoding(path: Path) -> str:
    """UTF-16 by its mark, UTF-8 where the beginning is, else Windows-1252."""
    with path.open("rb") as file:
        start = file.read(1024 * 1024)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf8"


def _parquet(path: Path, faults: Faults) -> Iterator[Columns]:
    with parquet.ParquetFile(path) as source:
        names = [name.casefold() for name in source.schema_arrow.names]
        if not _names_are_sound(str(path), 1, names, faults):
            return
        size = path.stat().st_size
        total = max(1, source.metadata.num_rows)
        following = 1
        for batch in source.iter_batches(batch_size=BATCH_ROWS):
            lines = following + np.arange(batch.num_rows, dtype=np.int64)
            following += batch.num_rows
            named = pa.RecordBatch.from_arrays(batch.columns, names=names)
            yield _columns(str(path), named, lines, size * following // total)


def _columns(file: str, batch: pa.RecordBatch, lines: NDArray[np.int64], done: int) -> Columns:
    time = batch.column("time")
    return Columns(
        file=file,
        lines=lines,
        time=time if pa.types.is_timestamp(time.type) else _text(time),
        machine=_text(batch.column("machine")),
        role=_text(batch.column("role")),
        value=_text(batch.column("value")),
        quality=_text(batch.column(OPTIONAL)) if OPTIONAL in batch.schema.names else None,
        done_bytes=done,
    )


def _text(column: pa.Array) -> pa.Array:
    """A column as trimmed text; a null is empty."""
    text = pc.cast(column, pa.string())
    return pc.utf8_trim_whitespace(pc.fill_null(text, "") if text.null_count else text)


def _blanks_left_out(columns: Columns) -> Iterator[Columns]:
    """Without rows in which every cell is empty."""
    blank = pc.and_(pc.equal(columns.time, ""), pc.equal(columns.machine, ""))
    if not pc.any(blank).as_py():
        yield columns
        return
    kept = pc.invert(pc.and_(blank, pc.and_(pc.equal(columns.role, ""), pc.equal(columns.value, ""))))
    yield Columns(
        file=columns.file,
        lines=columns.lines[kept.to_numpy(zero_copy_only=False)],
        time=columns.time.filter(kept),
        machine=columns.machine.filter(kept),
        role=columns.role.filter(kept),
        value=columns.value.filter(kept),
        quality=None if columns.quality is None else columns.quality.filter(kept),
        done_bytes=columns.done_bytes,
    )


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
