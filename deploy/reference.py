"""Writes docs/reference out of the code: `python -m deploy.reference`; --check only says what is stale."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
MADE = "*Made from the code by `python -m deploy.reference`.*"


def api() -> Iterator[str]:
    """Every path of the API."""
    from cloud_api.api.actions import ACTIONS
    from cloud_api.api.endpoints import ENDPOINTS
    from cloud_api.api.manual import document

    said = document(ENDPOINTS, ACTIONS)
    yield "# The API"
    yield f"{MADE} With every field it is at `/docs` of a running service; for programs: `/openapi.json`."
    yield said["info"]["description"]
    for path, operations in said["paths"].items():
        for method, operation in operations.items():
            yield f"## `{method.upper()} {path}`"
            yield f"**{operation['summary']}.** {operation['description']}"
            if operation.get("x-example"):
                yield f"Example: `{operation['x-example']}`"
            if operation["parameters"]:
                rows = [(f"`{one['name']}`", one.get("description", "")) for one in operation["parameters"]]
                yield table(("parameter", "meaning"), rows)
            if "requestBody" in operation:
                body = operation["requestBody"]["content"]["application/json"]["schema"]
                yield f"Body: {fields(said, body)}"
            good = next(one for status, one in operation["responses"].items() if status.startswith("2"))
            yield f"Answer: {fields(said, good['content']['application/json']['schema'])}"


def fields(said: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The names of a shape and of its rows."""
    name = schema["$ref"].rpartition("/")[2]
    properties = said["components"]["schemas"][name].get("properties", {})
    words = []
    for key, about in properties.items():
        inner = about.get("items", {}).get("$ref") if about.get("type") == "array" else None
        if inner:
            row = said["components"]["schemas"][inner.rpartition("/")[2]].get("properties", {})
            words.append(f"{key}[{', '.join(row)}]")
        else:
            words.append(key)
    return f"`{name}`: {', '.join(f'`{word}`' for word in words)}" if words else f"`{name}`"


def settings() -> Iterator[str]:
    """Settings of the cloud service."""
    from cloud_api.settings import NAMES, PREFIX

    yield "# Settings of the cloud service"
    yield f"{MADE} From the environment, or from a file of `NAME=value` lines (`--settings FILE`)."
    yield table(("setting", "meaning"), [(f"`{PREFIX}{name}`", said) for name, said in NAMES.items()])


def agent_config() -> Iterator[str]:
    """Keys of the agent's configuration."""
    from edge_agent.config.schema import build_schema

    yield "# The agent's configuration"
    yield f"{MADE} `edge-agent schema` prints the same as JSON Schema, for completion in an editor."
    yield table(("key", "meaning"), list(keys(build_schema(), "")))


def keys(schema: Mapping[str, Any], place: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every key below a place, with what it means."""
    if depth > 6:
        return
    inner = dict(schema.get("properties", {}))
    for pattern, about in schema.get("patternProperties", {}).items():
        inner[f"NAME ({pattern})" if pattern not in (".*", "^.*$") else "NAME"] = about
    if isinstance(schema.get("additionalProperties"), dict):
        inner["NAME"] = schema["additionalProperties"]
    for name, about in inner.items():
        here = f"{place}.{name}" if place else name
        if about.get("description"):
            yield f"`{here}`", about["description"]
        yield from keys(about, here, depth + 1)
        for one in (*about.get("anyOf", ()), *about.get("oneOf", ())):
            yield from keys(one, here, depth + 1)
        for case in about.get("allOf", ()):
            if "then" in case:
                kind = case["if"]["properties"]["type"]["const"]
                yield from keys(case["then"], f"{here} ({kind})", depth + 1)
        if isinstance(about.get("items"), dict):
            yield from keys(about["items"], f"{here}[]", depth + 1)


def finance_views() -> Iterator[str]:
    """Views for Power BI, Excel and dbt, each as the last migration that made it says."""
    yield "# Finance's views"
    yield (
        f"{MADE} `cloud-api reader create powerbi` makes a role that reads them, nothing else. Amounts are "
        "in the currency of the site and not rounded; sums over them equal the API's. How to connect: "
        "[finance](../guides/finance.md)."
    )
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "cloud_api/store/migrations").glob("*.sql"))
    )
    views = re.findall(r"comment on view (\w+) is\s+((?:'[^']*'\s*)+);", text)
    columns = re.findall(r"comment on column (\w+)\.(\w+) is\s+((?:'[^']*'\s*)+);", text)
    meanings = {(view, column): unquoted(meaning) for view, column, meaning in columns}
    for view, said in {view: unquoted(said) for view, said in views}.items():
        yield f"## `{view}`"
        yield said
        rows = [(f"`{column}`", meaning) for (of, column), meaning in meanings.items() if of == view]
        yield table(("column", "meaning"), rows)


def unquoted(literal: str) -> str:
    """The text of adjacent SQL literals."""
    return "".join(re.findall(r"'([^']*)'", literal))


def commands() -> Iterator[str]:
    """Every command with its options, as --help says them."""
    from cloud_api.__main__ import _parser as cloud
    from edge_agent.__main__ import _parser as edge

    yield "# Commands"
    yield MADE
    for parser in (edge(), cloud()):
        yield from helped(parser)


def helped(parser: argparse.ArgumentParser, depth: int = 2) -> Iterator[str]:
    """The help of a parser and of every command below it, set by us: argparse sets it differently from one
    Python to the next."""
    yield f"{'#' * depth} `{parser.prog}`"
    yield parser.description or ""
    rows: list[tuple[str, ...]] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            rows += [(f"`{one.dest}`", one.help or "") for one in action._choices_actions]
        elif action.dest != "help" and action.help not in (None, argparse.SUPPRESS):
            meaning = parser._get_formatter()._expand_help(action)
            needed = "; required" if action.option_strings and action.required else ""
            rows.append((f"`{_called(action)}`", meaning + needed))
    if rows:
        yield table(("argument", "meaning"), rows)
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in dict.fromkeys(action.choices.values()):
                yield from helped(inner, min(depth + 1, 4))


def _called(action: argparse.Action) -> str:
    """As it is typed: `--out FILE`, `FILE`, `[FILE]`."""
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices else None
    value = action.metavar if isinstance(action.metavar, str) else choices or action.dest.upper()
    if not action.option_strings:
        return f"[{value}]" if action.nargs in ("?", "*") else value
    named = ", ".join(action.option_strings)
    return named if action.nargs == 0 else f"{named} {value}"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in row)} |"
        for row in lines
    )


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "api.md": api,
    "agent-config.md": agent_config,
    "commands.md": commands,
    "finance-views.md": finance_views,
    "settings.md": settings,
}


def made() -> dict[Path, str]:
    """Every page as the code has it."""
    return {FOLDER / name: "\n\n".join(page()) + "\n" for name, page in PAGES.items()}


def stale() -> list[Path]:
    """Pages that are not as the code has them."""
    return [
        path
        for path, text in made().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    if parser.parse_args().check:
        old = stale()
        for path in old:
            print(f"{path.relative_to(ROOT)}: is not as the code has it: run python -m deploy.reference")
        return 1 if old else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
