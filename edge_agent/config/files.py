"""Files that a config names: where they are, and whether others could read what is secret."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from edge_agent.config.faults import Faults
from edge_agent.config.section import Section


def knows_modes() -> bool:
    """Whether modes of files say who may read them; on Windows they do not."""
    return hasattr(os, "getuid")


@dataclass(frozen=True, slots=True)
class Files:
    """Paths are relative to the folder of the config.

    needed: whether a missing file refuses the config (``run``) or is only warned of (``check`` on another
    machine).
    """

    folder: Path
    faults: Faults
    needed: bool

    def path(self, section: Section, name: str, *, secret: bool = False) -> Path | None:
        """The absolute path of a field; None where it is not written."""
        text = section.get(name)
        if text is None:
            return None
        path = self.folder / Path(text).expanduser()
        place = section.at(name)
        try:
            mode = path.stat().st_mode
        except OSError as error:
            tell = self.faults.add if self.needed else self.faults.warn
            tell(
                place,
                f"{name}: {text} cannot be read ({error.strerror}); put the file there, or mend the path",
            )
            return path
        if secret and not knows_modes():
            self.faults.warn(
                place, f"{name}: this system tells no file modes; see to it that nobody else reads {text}"
            )
        elif secret and stat.S_ISREG(mode) and stat.S_IMODE(mode) & 0o077:
            shown = f"{stat.S_IMODE(mode):04o}"
            self.faults.add(place, f"{name}: others can read {text} (mode {shown}); chmod 600 {text}")
        return path
