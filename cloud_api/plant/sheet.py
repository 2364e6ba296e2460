"""A CSV file as lines of cells, whatever program wrote it.

UTF-8 with or without byte-order mark, UTF-16, Windows-1252; LF or CRLF; comma, semicolon or tab.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass

from cloud_api.answers.spreadsheets import plain
from cloud_api.plant.places import Faults, Place

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file: the line on which it begins (counted from 1) and its cells, trimmed."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file: its header (folded to lower case) and its rows; blank lines are left out."""

    file: str
    header: Line
    lines: tuple[Line, ...]


def decode_text(content: bytes, file: str, faults: Faults) -> str | None:
    """The text of a file; None (with a fault) for bytes that are no text."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                faults.add(Place(file, 1), f"the file says it is {encoding} but is not", "save it as UTF-8")
                return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        faults.add(Place(file, line), "a zero byte, so this is no text", "export the file as UTF-8 text")
        return None
    return text


def parse_sheet(content: bytes, file: str, faults: Faults) -> Sheet | None:
    """The header and rows of a CSV file; None (with a fault) where there is no header."""
    text = decode_text(content, file, faults)
    if text is None:
        return None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    lines: list[Line] = []
    begin = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            faults.add(Place(file, begin), f"not valid CSV ({error})", "close the quotes of this line")
            return None
        cells = tuple(plain(cell.strip()) for cell in row)
        if any(cells):
            lines.append(Line(begin, cells))
        begin = reader.line_num + 1
    if not lines:
        faults.add(Place(file, 1), "the file is empty", "write at least the line of column names")
        return None
    names = tuple(name.casefold() for name in lines[0].cells)
    return Sheet(file, Line(lines[0].number, names), tuple(lines[1:]))


def _delimiter(text: str) -> str:
    """The separator that the header uses most."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=header.count)
