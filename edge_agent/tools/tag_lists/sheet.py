"""Rows of an xlsx workbook (ECMA-376): its first sheet, values alone. No library: it is a zip of XML."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from edge_agent.errors import AgentError

_MOST_BYTES = 256 * 1024 * 1024
_COLUMN = re.compile(r"^([A-Z]{1,3})[0-9]+$")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def is_sheet(content: bytes) -> bool:
    """Whether these bytes are a zip file, as xlsx is."""
    return content.startswith(b"PK\x03\x04")


def sheet_rows(content: bytes, where: str) -> list[tuple[int, list[str]]]:
    """Number and cells of each row that holds something. Raises AgentError for what is no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _MOST_BYTES:
                raise AgentError("the workbook is too large", where, "export fewer tags at once")
            shared = _shared(packed)
            return list(_rows(_tree(packed, _first_sheet(packed)), shared))
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, ValueError, IndexError) as error:
        mend = "save it again as .xlsx or as CSV"
        raise AgentError(f"this is no workbook ({error})", where, mend) from None


def _tree(packed: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(packed.read(name))


def _first_sheet(packed: zipfile.ZipFile) -> str:
    sheets = _all(_tree(packed, "xl/workbook.xml"), "sheet")
    relation = sheets[0].get(_RELATION)
    for each in _all(_tree(packed, "xl/_rels/workbook.xml.rels"), "Relationship"):
        if each.get("Id") == relation:
            target = str(each.get("Target"))
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return "xl/worksheets/sheet1.xml"


def _shared(packed: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in packed.namelist():
        return []
    return [_text(each) for each in _all(_tree(packed, "xl/sharedStrings.xml"), "si")]


def _rows(sheet: ElementTree.Element, shared: list[str]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    for row in _all(sheet, "row"):
        number = int(row.get("r") or number + 1)
        cells: list[str] = []
        for cell in _all(row, "c"):
            place = _place(cell.get("r"), len(cells))
            cells += [""] * (place - len(cells))
            cells.append(_value(cell, shared))
        if any(cells):
            yield number, cells


def _place(reference: str | None, default: int) -> int:
    found = _COLUMN.match(reference or "")
    if found is None:
        return default
    place = 0
    for letter in found.group(1):
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _value(cell: ElementTree.Element, shared: list[str]) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return _text(cell)
    values = _all(cell, "v")
    text = (values[0].text or "") if values else ""
    if kind == "s":
        return shared[int(text)]
    if kind == "b":
        return "True" if text == "1" else "False"
    return text.removesuffix(".0")


def _text(element: ElementTree.Element) -> str:
    """All runs of a text, without phonetic hints."""
    return "".join(each.text or "" for each in _all(element, "t"))


def _all(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Below an element, whatever namespace (strict and transitional workbooks differ in it)."""
    return [each for each in element.iter() if each.tag.rpartition("}")[2] == name]
