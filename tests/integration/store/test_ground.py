"""As root: PostgreSQL runs as an unprivileged user, from where that user can reach it."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_api.store import ground
from cloud_api.store.binaries import Binaries, find, look_at
from cloud_api.store.ground import account, cluster_folder, reachable, within_reach

pytestmark = pytest.mark.needs("root")


@pytest.fixture
def hidden(tmp_path: Path) -> Binaries:
    """Programs below a folder that only root may enter, as in a clone in the home of root."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    found = find(timescaledb=False)
    source = found.root or found.folder.parent
    shutil.copytree(source, closed / source.name, symlinks=True)
    libraries = source.with_name(f"{source.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    programs = look_at(closed / source.name / found.folder.relative_to(source), closed / source.name)
    assert programs is not None
    return programs


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path("/var/tmp/plantledger-ground-test")
    shutil.rmtree(folder, ignore_errors=True)
    monkeypatch.setattr(ground, "_PLACES", (str(folder),))
    yield folder
    shutil.rmtree(folder)


def test_hidden_programs_are_copied_once_to_where_the_user_can_run_them(
    hidden: Binaries, place: Path
) -> None:
    who = account()
    assert not reachable(hidden.folder, who)
    before = {path: path.stat().st_mode for path in hidden.folder.parents}
    moved = within_reach(hidden, who)
    assert moved.folder.is_relative_to(place)
    told = subprocess.run(
        [moved.program("postgres"), "--version"],
        user=who.uid, group=who.gid, extra_groups=[], capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert hidden.version in told.stdout
    made = (place / moved.folder.relative_to(place).parts[0]).stat().st_mtime_ns
    assert within_reach(hidden, who) == moved
    assert (place / moved.folder.relative_to(place).parts[0]).stat().st_mtime_ns == made
    assert {path: path.stat().st_mode for path in hidden.folder.parents} == before


def test_a_cluster_stands_where_its_user_reaches_it_and_nobody_else(tmp_path: Path, place: Path) -> None:
    who = account()
    assert not reachable(tmp_path, who)
    folder = cluster_folder(tmp_path, who)
    status = folder.stat()
    assert folder.parent == place
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (who.uid, 0o700)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


def test_reach_goes_by_owner_group_and_others(place: Path) -> None:
    who = replace(account(), gid=54321)
    place.mkdir(mode=0o755)
    inner = place / "inner"
    inner.mkdir()
    for mode, owner, group, expected in [
        (0o755, 0, 0, True),
        (0o700, 0, 0, False),
        (0o700, who.uid, 0, True),
        (0o750, 0, who.gid, True),
        (0o705, 0, who.gid, False),
        (0o711, 0, 0, False),
    ]:
        inner.chmod(mode)
        shutil.chown(inner, owner, group)
        assert reachable(inner, who) is expected, oct(mode)
