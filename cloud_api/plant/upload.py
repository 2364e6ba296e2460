"""A plant model that is sent: its files, or a zip of them; the whole of it, or some tables of it.

With site.yaml it is the whole, as `cloud-api load` takes it. Without, its tables are added to what stands,
all in one version. Every mistake of every file is told, by file and line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.plant.files import read_contents
from cloud_api.plant.load import Loaded, record
from cloud_api.plant.places import Faults, Place, nearest
from cloud_api.plant.put import put_tables
from cloud_api.plant.site import SITE_FILE
from cloud_api.plant.tables import TABLES

FILES = (SITE_FILE, *(table.file for table in TABLES))
MOST_BYTES = 64 << 20
"""Of all files of a zip together, unpacked."""
MOST_ENTRIES = 200


def put_files(
    connection: Connection[TupleRow],
    site: str,
    contents: Mapping[str, bytes],
    *,
    correction: bool = False,
    author: str = "",
) -> Loaded:
    """Records the files of a site's plant model given by name and bytes, or nothing at all.

    Raises PlantRefused with every mistake, CloudError where there is no model to add tables to."""
    faults = Faults()
    for name in sorted(contents.keys() - set(FILES)):
        faults.add(Place(name, 1), f"'{name}' is not a file of a plant model", nearest(name, FILES))
    known = {name: content for name, content in contents.items() if name in FILES}
    if SITE_FILE not in known:
        return put_tables(connection, site, known, faults, correction=correction, author=author)
    model = read_contents(known, "", faults)
    if model.site != site:
        place = next(row.place for row in model.rows if row.kind == "site")
        faults.add(place, f"this is the site '{model.site}', not '{site}'", "send it for its own site")
    faults.refuse(site)
    return record(connection, model, correction=correction, author=author)


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a zip by name, without their folder; hidden files and folders of other systems are left
    out. Raises CloudError for what is no zip, or too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _files(archive)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        raise CloudError("the file is no zip that can be read", str(error), "pack the folder anew") from None


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """A zip of files by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return out.getvalue()


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    if len(archive.infolist()) > MOST_ENTRIES:
        raise CloudError("the zip holds too many files", str(len(archive.infolist())), "pack one folder")
    found: dict[str, bytes] = {}
    left = MOST_BYTES
    for entry in archive.infolist():
        name = entry.filename.replace("\\", "/").rpartition("/")[2]
        if not name or name.startswith(".") or "__MACOSX" in entry.filename:
            continue
        if name in found:
            raise CloudError("a file stands twice in the zip", name, "pack one folder")
        with archive.open(entry) as file:
            found[name] = file.read(left + 1)
        left -= len(found[name])
        if left < 0:
            raise CloudError(
                "the zip holds too much", f"more than {MOST_BYTES} bytes", "load it with cloud-api"
            )
    return found
