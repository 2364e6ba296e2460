"""Says every breach of the house rules, one a line as FILE:LINE: message; exit 1 if there is any."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.rules import lessons

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared/", "edge_agent/", "cloud_api/")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
BANNED_MODULE_NAMES = {"utils", "util", "helpers", "common", "manager", "misc"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
ADDRESS = re.compile(r"index" r"-url|//(cdn|registry|deb|files|mirror)\.")


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def breaches(name: str) -> Iterator[str]:
    path = ROOT / name
    if path.suffix not in {".py", ".sql", ".html", ".css", ".js", ".toml", ".md", ".yaml", ".yml", ""}:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.splitlines()
    if name.startswith(PACKAGES) and len(lines) > MAX_FILE_LINES:
        yield f"{name}:{MAX_FILE_LINES}: {len(lines)} lines, at most {MAX_FILE_LINES}: split it by idea"
    if path.stem in BANNED_MODULE_NAMES:
        yield f"{name}:1: a module is a noun of the field, not {path.stem!r}"
    for number, line in enumerate(lines, 1):
        if name.startswith("tests/rules/"):
            continue
        if path.suffix == ".py" and UNFINISHED.search(line):
            yield f"{name}:{number}: unfinished work in the tree"
        if ADDRESS.search(line):
            yield f"{name}:{number}: address of a registry or CDN"
    if path.suffix == ".py" and name.startswith(PACKAGES):
        yield from long_functions(name, text)


def long_functions(name: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines, at most {MAX_FUNCTION_LINES}"


def twice_numbered() -> Iterator[str]:
    """Migrations, and decisions, of one number: two branches that each took the next."""
    seen: dict[str, str] = {}
    for name in tracked():
        number = re.match(r"(cloud_api/store/migrations|docs/decisions)/(\d{4})[_-]", name)
        if number is not None and seen.setdefault(number[0], name) != name:
            yield f"{name}:1: {seen[number[0]]} has this number too: renumber the one that is not landed"


def main() -> int:
    found = [breach for name in tracked() for breach in breaches(name)]
    found += lessons.breaches(ROOT)
    found += twice_numbered()
    for breach in found:
        sys.stdout.write(breach + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
