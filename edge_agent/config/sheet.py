"""CSV files that a config names: rows whose cells know their place."""

from __future__ import annotations

from pathlib import Path

from edge_agent.config.document import Scalar
from edge_agent.config.faults import Faults
from edge_agent.config.model import Place

_SEPARATORS = ",;\t"
_MOST_ROWS = 100_000


def read_sheet(folder: Path, named: Scalar, faults: Faults) -> list[dict[str, Scalar]]:
    """Rows of a file with a head line; empty cells are left out. Mistakes are told at the file, or where it
    is named.
    """
    text = text_of(folder / named.text, named, faults)
    if text is None:
        return []
    file = beside(named)
    lines = cells_of(text, file)
    if not lines:
        faults.add(Place(file, 1, 1), "the file is empty; its first line names the columns")
        return []
    head = [cell.text.strip() for cell in lines[0]]
    for cell in lines[0]:
        if head.count(cell.text.strip()) > 1:
            faults.add(cell.place, f"column '{cell.text}' stands twice; keep one of them")
    rows = []
    for line in lines[1:]:
        for cell in line[len(head) :]:
            faults.add(cell.place, "this row has more cells than the head has columns; mend the separators")
        row = {name: cell for name, cell in zip(head, line, strict=False) if name and cell.text.strip()}
        if row:
            rows.append({name: Scalar(cell.place, cell.text.strip(), False) for name, cell in row.items()})
    return rows


def beside(named: Scalar) -> str:
    """A file that a config names, as messages name it: from the same folder as the config was named."""
    return str(Path(named.place.file).parent / named.text)


def text_of(path: Path, named: Scalar, faults: Faults) -> str | None:
    """The text of a file; None, with a mistake where it is named, if it cannot be read."""
    try:
        return path.read_text("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        faults.add(named.place, f"{named.text} is not UTF-8 text; save it as UTF-8")
    except OSError as error:
        faults.add(named.place, f"{named.text} cannot be read ({error.strerror}); check path and owner")
    return None


def cells_of(text: str, file: str) -> list[list[Scalar]]:
    """Cells of each line that is not empty; quotes may hold separators, a doubled quote is a quote."""
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    lines = []
    for number, line in enumerate(text.split("\n")[:_MOST_ROWS], 1):
        if line.strip(_SEPARATORS + " "):
            lines.append(_cells(line, separator, file, number))
    return lines


def _cells(line: str, separator: str, file: str, number: int) -> list[Scalar]:
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
    return cells
