"""CSV files that a config names: rows whose cells know their place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from edge_agent.config.document import Scalar
from edge_agent.config.faults import Faults, closest, did_you_mean
from edge_agent.config.model import Place

_SEPARATORS = ",;\t"
_MOST_ROWS = 100_000


def read_sheet(
    folder: Path,
    named: Scalar,
    faults: Faults,
    columns: Collection[str] | None = None,
    needed: Collection[str] = (),
) -> list[dict[str, Scalar]]:
    """Rows of a file with a head line; empty cells are left out. Mistakes are told at the file, or where it
    is named.

    columns: those that there can be; others are told, and read as what they resemble. needed: those that must
    be there, else there are no rows.
    """
    text = text_of(folder / named.text, named, faults)
    if text is None:
        return []
    file = beside(named)
    lines = cells_of(text, file, faults)
    if not lines and text.strip():
        return []
    if not lines:
        faults.add(Place(file, 1, 1), "the file is empty; its first line names the columns")
        return []
    head = _head(lines[0], faults, columns, needed)
    if head is None:
        return []
    rows = []
    for line in lines[1:]:
        for cell in line[len(head) :]:
            faults.add(cell.place, "this row has more cells than the head has columns; mend the separators")
        row = {name: cell for name, cell in zip(head, line, strict=False) if name and cell.text.strip()}
        if row:
            rows.append({name: Scalar(cell.place, cell.text.strip(), False) for name, cell in row.items()})
    return rows


def _head(
    cells: list[Scalar], faults: Faults, columns: Collection[str] | None, needed: Collection[str]
) -> list[str] | None:
    """The names of the columns as they are meant; None where one that is needed is not there."""
    cells = [replace(cell, text=cell.text.strip()) for cell in cells]
    written = [cell.text for cell in cells]
    head = []
    for cell in cells:
        name = cell.text
        if name and written.count(name) > 1:
            faults.add(cell.place, f"column '{name}' stands twice; keep one of them")
        if columns is not None and name not in columns:
            left = [each for each in columns if each not in written]
            shown = f"column '{name}' is not known here" if name else "this column has no name"
            faults.add(cell.place, f"{shown}; {did_you_mean(name, left or columns)}")
            meant = closest(name, left) or (left[0] if len(left) == 1 else None)
            name = meant if meant is not None and meant not in head else ""
        head.append(name)
    missing = [name for name in needed if name not in head]
    if missing and all(name in (columns or written) for name in written):
        faults.add(
            cells[0].place, f"the columns {', '.join(missing)} are missing; add them to the first line"
        )
    return None if missing or "" in written else head


def beside(named: Scalar) -> str:
    """A file that a config names, as messages name it: from the same folder as the config was named."""
    return str(Path(named.place.file).parent / named.text)


def text_of(path: Path, named: Scalar, faults: Faults) -> str | None:
    """The text of a file; None, with a mistake where it is named, if it cannot be read."""
    try:
        return path.read_text("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        faults.add(named.place, f"{named.text} is not UTF-8 text; save it as UTF-8")
    except ValueError:
        faults.add(named.place, "this is no path of a file; write one without control characters")
    except OSError as error:
        faults.add(named.place, f"{named.text} cannot be read ({error.strerror}); check path and owner")
    return None


def cells_of(text: str, file: str, faults: Faults) -> list[list[Scalar]]:
    """Cells of each line that is not empty; quotes may hold separators, a doubled quote is a quote.

    A line with a quote that is not closed is told and left out; where it is the first, so are the others.
    """
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    lines = []
    for number, line in enumerate(text.split("\n")[:_MOST_ROWS], 1):
        if line.strip(_SEPARATORS + " "):
            cells = _cells(line, separator, file, number)
            if cells is not None:
                lines.append(cells)
            else:
                place = Place(file, number, line.rindex('"') + 1)
                faults.add(
                    place, "a quote is not closed in this line; close it, or double it where it is meant"
                )
                if not lines:
                    return []
    return lines


def _cells(line: str, separator: str, file: str, number: int) -> list[Scalar] | None:
    """None where a quote is not closed."""
    cells, start, text, quoted, at = [], 0, "", False, 0
    while at <= len(line):
        char = line[at] if at < len(line) else ""
        if char == '"' and quoted and line[at + 1 : at + 2] == '"':
            text, at = text + '"', at + 1
        elif char == '"' and (quoted or not text.strip()):
            quoted = not quoted
        elif at == len(line) or (char == separator and not quoted):
            cells.append(Scalar(Place(file, number, start + 1), text, False))
            start, text = at + 1, ""
        else:
            text += char
        at += 1
    return None if quoted else cells
