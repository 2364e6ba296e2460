"""What the guides tell people to type works as it stands there, and what they point to is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cloud_api.api.endpoints import ENDPOINTS

ROOT = Path(__file__).parents[2]
DOCS = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
TYPED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(guide: str) -> list[str]:
    """What a guide says to type, in its order."""
    return TYPED.findall((ROOT / "docs" / "guides" / guide).read_text(encoding="utf-8"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder with the project's examples beside it."""
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    return tmp_path


def typed(block: str, place: Path, **environment: str) -> None:
    """Runs a block as a person would type it; every line must succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"


@pytest.mark.parametrize("guide", ["plant-it.md", "controls-engineer.md"])
def test_what_the_guide_says_to_type_works(guide: str, place: Path) -> None:
    said = blocks(guide)
    assert said
    for block in said:
        typed(block, place)


@pytest.mark.needs("curl")
def test_what_finance_is_told_to_type_works(place: Path) -> None:
    said = blocks("finance.md")
    assert len(said) >= 5
    with serving(place / "data") as address:
        for block in said:
            typed(
                block.replace("http://127.0.0.1:8000", address),
                place,
                PLANTLEDGER_DATA_DIR=str(place / "data"),
            )
            wait_until_interpreted(address)
        answer = httpx.get(f"{address}/v1/costs?from=2026-03-02&to=2026-03-03&by=cause", timeout=30).json()
    assert answer["total"] > 0
    assert (place / "march.xlsx").read_bytes()[:2] == b"PK"


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """A service of its own on a free port; gives its address."""
    environment = {**os.environ, "PLANTLEDGER_DATA_DIR": str(data), "PLANTLEDGER_HTTP_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "cloud_api", "serve"], env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            address = next(
                line.split()[-1] for line in server.stdout if line.startswith("listening on http://")
            )
            yield address
        finally:
            server.terminate()
            server.stdout.read()


def wait_until_interpreted(address: str) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if httpx.get(f"{address}/v1/costs", timeout=30).json()["pending_hours"] == 0:
            return
        time.sleep(0.2)
    raise TimeoutError("machine-hours stay pending")


def test_how_to_connect_names_what_is_there() -> None:
    said = (ROOT / "docs" / "guides" / "connect.md").read_text(encoding="utf-8")
    views = (ROOT / "docs" / "reference" / "finance-views.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bfin_[a-z]+", said))
    assert len(named) >= 4
    assert named <= set(re.findall(r"^## `(fin_[a-z]+)`", views, re.MULTILINE))
    paths = set(re.findall(r"\bv1(/[a-z]+)", said))
    assert paths
    assert paths <= {endpoint.path for endpoint in ENDPOINTS}


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target} is not there"
