"""Where a YAML error really is: a parser notices most slips only in a later line.

A bracket that is not closed, a colon that was forgotten and a line that is indented by one too many are told
in their own line, in words that say what to type.
"""

from __future__ import annotations

import re
from collections import Counter

from ruamel.yaml.error import MarkedYAMLError

from edge_agent.config.model import Place

_ENTRY = re.compile(r"""\s*(- )?("[^"]*"|'[^']*'|[^\s#'"{\[][^#]*?)\s*:(\s|$)""")
_STEPS = (4, 3, 2)


def slip_of(error: MarkedYAMLError, text: str, file: str) -> tuple[Place, str]:
    """(place, message) of what was probably typed wrong."""
    lines = text.removeprefix("\ufeff").split("\n")
    context = None if error.context_mark is None else error.context_mark.line
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Place(file, 1, 1), f"{_problem(error)}; mend the file"
    problem, found = str(error.problem), mark.line
    if "flow" in str(error.context) and context is not None and _left(lines, context, found):
        column = error.context_mark.column + 1
        sign = "{" if "mapping" in str(error.context) else "["
        closing = "}" if sign == "{" else "]"
        return Place(file, context + 1, column), f"this {sign} is not closed; add {closing} where it ends"
    if "could not find expected ':'" in problem and context is not None:
        return _no_entry(lines, context, file)
    if "mapping values are not allowed" in problem:
        before = _line_before(lines, found)
        if before is not None and not _ENTRY.match(lines[before]):
            return _no_entry(lines, before, file)
    if "flow" not in str(error.context) and _is_structure(problem):
        before = _line_before(lines, found)
        if before is not None and _is_bare(lines[before]):
            return _no_entry(lines, before, file)
        odd = _oddly_indented(lines, found)
        if odd is not None:
            return _indented(lines, odd, file)
    return Place(file, found + 1, mark.column + 1), f"{_problem(error)}; {_mend(lines, found)}"


def _is_bare(line: str) -> bool:
    """Whether this is a word alone, where a key was meant."""
    words = line.partition(" #")[0].strip()
    return re.fullmatch(r"[\w.-]+", words) is not None and words[0] != "-"


def _is_structure(problem: str) -> bool:
    told = (
        "mapping values are not allowed",
        "<block end>",
        "<document start>",
        "'-' indicator",
        "<block mapping",
    )
    return any(each in problem for each in told)


def _left(lines: list[str], context: int, found: int) -> bool:
    """Whether the block went on while a bracket was open."""
    if found <= context:
        return False
    at = next((n for n in range(context + 1, found + 1) if n < len(lines) and lines[n].strip()), None)
    return at is None or _indent(lines[at]) <= _indent(lines[context])


def _no_entry(lines: list[str], at: int, file: str) -> tuple[Place, str]:
    shown = lines[at].strip()
    word = re.split(r"[\s:]", shown, maxsplit=1)[0]
    message = f"no 'key: value' stands here; write a colon and a space behind the key, as in '{word}: ...'"
    return Place(file, at + 1, _indent(lines[at]) + 1), message


def _indented(lines: list[str], at: int, file: str) -> tuple[Place, str]:
    indent = _indent(lines[at])
    message = (
        f"this line is indented by {indent} spaces, which fits no line around it; align it with its siblings"
    )
    return Place(file, at + 1, indent + 1), message


def _oddly_indented(lines: list[str], found: int) -> int | None:
    """The nearest line up to the one found whose indentation is no multiple of the file's steps."""
    entries = [n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    indents = Counter(_indent(lines[n]) for n in entries)
    step = max(_STEPS, key=lambda each: sum(count for indent, count in indents.items() if indent % each == 0))
    near = [n for n in entries if n <= found and (_ENTRY.match(lines[n]) or lines[n].lstrip()[0] == "-")]
    return next((n for n in reversed(near) if _indent(lines[n]) % step), None)


def _line_before(lines: list[str], at: int) -> int | None:
    return next((n for n in range(at - 1, -1, -1) if lines[n].strip() and lines[n].strip()[0] != "#"), None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _problem(error: MarkedYAMLError) -> str:
    parts = [str(part).strip() for part in (error.context, error.problem) if part]
    return "this is not YAML: " + ", ".join(parts)


def _mend(lines: list[str], at: int) -> str:
    if at < len(lines) and "${" in lines[at]:
        return "put the value with ${...} into quotes"
    if at < len(lines) and "\t" in lines[at][: len(lines[at]) - len(lines[at].lstrip())]:
        return "indent with spaces, not with tabs"
    return "mend the YAML here or in the lines above"
