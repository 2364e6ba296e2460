"""A tag list's file as rows of text: CSV in whatever encoding and with whatever separator, or xlsx."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_agent.errors import AgentError
from edge_agent.tools.tag_lists.sheet import is_sheet, sheet_rows
from edge_agent.tools.tag_lists.tag import Row

Line = tuple[int, list[str]]
"""Number from 1, and its cells."""
_SEPARATORS = (",", ";", "\t", "|")
_MOST_BYTES = 64 * 1024 * 1024
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def content_of(path: Path) -> bytes:
    """The bytes of a list. Raises AgentError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise AgentError("the list is larger than 64 MiB", str(path), "export fewer tags at once")
        return path.read_bytes()
    except OSError as error:
        raise AgentError(f"the list cannot be read ({error.strerror})", str(path), "check the path") from None


def text_of(content: bytes) -> str:
    """Text by its byte order mark; else UTF-16 by its zeros, UTF-8 if it is that, Windows' cp1252 if not."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    head = content[:1000]
    if head[1::2].count(0) > len(head) // 4:
        return content.decode("utf-16-le", "replace")
    if head[0::2].count(0) > len(head) // 4:
        return content.decode("utf-16-be", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def lines_of(content: bytes, where: str) -> list[Line]:
    """The rows of a sheet, or of a CSV. Raises AgentError for a file that is neither."""
    if is_sheet(content):
        return sheet_rows(content, where)
    text = text_of(content)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    found: list[Line] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((reader.line_num, cells))
    except csv.Error as error:
        raise AgentError(
            f"this is no CSV ({error})", f"{where}:{reader.line_num}", "export it again"
        ) from None
    return found


def rows_below(lines: Sequence[Line], head: int) -> Iterator[Row]:
    """The rows below the head, by the names of its columns."""
    names = [name.strip().lower() for name in lines[head][1]]
    for line, cells in lines[head + 1 :]:
        yield Row(line, dict(zip(names, cells, strict=False)))


def head_with(lines: Sequence[Line], *columns: str) -> int | None:
    """Place of the first row that has all of these columns."""
    for place, (_, cells) in enumerate(lines[:200]):
        names = {cell.strip().lower() for cell in cells}
        if set(columns) <= names:
            return place
    return None


def _separator(text: str) -> str:
    """The one that splits the first lines into most cells."""
    head = text.splitlines()[:20]
    return max(_SEPARATORS, key=lambda sign: sum(line.count(sign) for line in head))
