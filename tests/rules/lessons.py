"""Documents that name tests as their proof: every rule has one, and each of them is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

PROVEN = {"docs/lessons.md": "DOMT", "docs/security.md": ""}
"""Document to the letters of its numbered rules; a rule that vanished leaves a hole in their numbers."""
_TEST = re.compile(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`")
_RULE = re.compile(r"^\| ([A-Z])(\d+) \|")


def breaches(root: Path) -> Iterator[str]:
    """FILE:LINE: message for each proof that is missing."""
    for name, letters in PROVEN.items():
        lines = (root / name).read_text("utf-8").splitlines()
        counted = dict.fromkeys(letters, 0)
        for number, line in enumerate(lines, 1):
            yield from _unproven(root, f"{name}:{number}", line)
            rule = _RULE.match(line)
            if letters and rule is not None:
                counted[rule[1]] = counted.get(rule[1], 0) + 1
                if int(rule[2]) != counted[rule[1]]:
                    yield f"{name}:{number}: rule {rule[1]}{counted[rule[1]]} is missing before it"
                if not _TEST.search(line):
                    yield f"{name}:{number}: rule {rule[1]}{rule[2]} has no test"
        yield from (f"{name}:1: no rule {letter}1" for letter, count in counted.items() if not count)


def _unproven(root: Path, where: str, line: str) -> Iterator[str]:
    for file, test in _TEST.findall(line):
        if not (root / file).is_file():
            yield f"{where}: there is no {file}"
        elif test and test not in _tests(root / file):
            yield f"{where}: there is no test {test} in {file}"


@lru_cache
def _tests(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))
