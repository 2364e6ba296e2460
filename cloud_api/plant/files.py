"""A plant model's directory, read whole: site.yaml and the CSV files, into rows; or refused, all told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from cloud_api.errors import CloudError
from cloud_api.plant.crosscheck import cross_check
from cloud_api.plant.document import parse_document
from cloud_api.plant.places import Fault, Faults, Place, nearest
from cloud_api.plant.records import Record, Vocabulary, learn_products, read_records, read_rows
from cloud_api.plant.rows import Row
from cloud_api.plant.sheet import decode_text, parse_sheet
from cloud_api.plant.site import SITE_FILE, SitePart, read_site
from cloud_api.plant.tables import TABLES, Table

SITE_KINDS = ("site", "calendar", "labour", "energy", "line", "machine", "rate")
MOST_BYTES = 256 * 1024 * 1024
"""A single file may not be larger."""


@dataclass(frozen=True, slots=True)
class PlantModel:
    """A sound plant model: its site, time zone and rows; ``kinds`` are the kinds that were given at all.

    A kind whose file is absent says nothing; a kind given without rows says that there are none.
    """

    site: str
    zone: ZoneInfo
    rows: tuple[Row, ...]
    kinds: frozenset[str]
    digest: bytes
    warnings: tuple[Fault, ...]


def read_directory(directory: Path) -> PlantModel:
    """Reads and checks a plant's directory.

    Raises PlantRefused with every mistake, and CloudError where the directory cannot be read.
    """
    if not directory.is_dir():
        raise CloudError("there is no such directory", str(directory), "name the directory of site.yaml")
    known = {SITE_FILE, *(table.file for table in TABLES)}
    faults = Faults()
    contents: dict[str, bytes] = {}
    for path in sorted(directory.iterdir()):
        if path.name in known:
            contents[path.name] = _bytes(path)
        elif path.suffix.lower() in (".csv", ".yaml", ".yml") and path.is_file():
            mend = nearest(path.name, known)
            say = faults.add if mend.startswith("did you mean") else faults.warn
            say(Place(str(path), 1), f"'{path.name}' is not a file of a plant model", mend)
    return read_contents(contents, str(directory), faults)


def read_contents(contents: Mapping[str, bytes], where: str, faults: Faults | None = None) -> PlantModel:
    """Checks the files of a plant model given by name and bytes. Raises PlantRefused with every mistake."""
    faults = Faults() if faults is None else faults
    shown = {name: f"{where}/{name}" if where else name for name in (SITE_FILE, *(t.file for t in TABLES))}
    site = _site(contents, shown, faults)
    for table in TABLES:
        if table.required and table.file not in contents:
            header = ",".join(column.name for column in table.columns if column.header)
            faults.add(Place(shown[table.file], 1), "the file is missing", f"add it, it begins with {header}")
    tables = _tables(contents, shown, faults)
    rows = list(site.rows) if site else []
    if site is not None:
        words = Vocabulary(site.zone, frozenset(site.machines))
        for table, records in tables.items():
            learn_products(records, table, words)
        for table, records in tables.items():
            rows += read_rows(records, table, words, faults)
        cross_check(rows, shown, faults)
    faults.refuse(where)
    assert site is not None
    kinds = frozenset({*SITE_KINDS, *(table.name for table in tables)})
    return PlantModel(site.site, site.zone, tuple(rows), kinds, _digest(contents), faults.warnings)


def _site(contents: Mapping[str, bytes], shown: Mapping[str, str], faults: Faults) -> SitePart | None:
    if SITE_FILE not in contents:
        faults.add(
            Place(shown[SITE_FILE], 1, 1), "the file is missing", "write site, time_zone, currency, lines"
        )
        return None
    text = decode_text(contents[SITE_FILE], shown[SITE_FILE], faults)
    return None if text is None else read_site_text(text, faults, shown[SITE_FILE])


def read_site_text(text: str, faults: Faults, file: str = SITE_FILE) -> SitePart | None:
    """The text of a site.yaml; None, or unusable, where there are faults."""
    tree = parse_document(text, file, faults)
    return None if tree is None else read_site(tree, faults)


def _tables(
    contents: Mapping[str, bytes], shown: Mapping[str, str], faults: Faults
) -> dict[Table, list[Record]]:
    found: dict[Table, list[Record]] = {}
    for table in TABLES:
        if table.file in contents:
            sheet = parse_sheet(contents[table.file], shown[table.file], faults)
            found[table] = [] if sheet is None else read_records(sheet, table, faults)
    return found


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise CloudError("the file is too large", str(path), f"split it, {MOST_BYTES} bytes are the most")
        return path.read_bytes()
    except OSError as error:
        raise CloudError("the file cannot be read", f"{path} ({error.strerror})", "check it") from error


def _digest(contents: Mapping[str, bytes]) -> bytes:
    """A hash of all files, order and names included."""
    hasher = hashlib.sha256()
    for name in sorted(contents):
        hasher.update(f"{name} {len(contents[name])}\n".encode())
        hasher.update(contents[name])
    return hasher.digest()
