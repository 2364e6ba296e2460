"""The schema for editors accepts every shipped config, and refuses the slips that a schema can see."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from edge_agent.config.schema import build_schema
from tests.unit.edge_config.files import CONFIGS

KNOWN = frozenset(
    [
        "$schema",
        "title",
        "description",
        "type",
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "minItems",
        "anyOf",
        "allOf",
        "if",
        "then",
        "enum",
        "const",
        "pattern",
        "minimum",
        "maximum",
        "items",
    ]
)
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def fits(value: Any, schema: Any) -> bool:
    """Whether a value satisfies a schema: the part of draft 7 that ours uses."""
    if isinstance(schema, bool):
        return schema
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "type" in schema and not any(has_type(value, name) for name in as_list(schema["type"])):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return False
    if isinstance(value, dict) and not object_fits(value, schema):
        return False
    if isinstance(value, list) and len(value) < schema.get("minItems", 0):
        return False
    if isinstance(value, list) and not all(fits(item, schema.get("items", True)) for item in value):
        return False
    if "anyOf" in schema and not any(fits(value, part) for part in schema["anyOf"]):
        return False
    return all(fits(value, part["then"]) for part in schema.get("allOf", ()) if fits(value, part["if"]))


def object_fits(value: dict[Any, Any], schema: dict[str, Any]) -> bool:
    known = schema.get("properties", {})
    other = schema.get("additionalProperties", True)
    return (
        all(name in value for name in schema.get("required", ()))
        and len(value) >= schema.get("minProperties", 0)
        and all(fits(part, known.get(str(name), other)) for name, part in value.items())
    )


def has_type(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def as_list(names: Any) -> list[str]:
    return names if isinstance(names, list) else [names]


def values(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_fits(path: Path) -> None:
    assert fits(values(path), build_schema())


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("agent", "id"), "gw 1"),
        (("agent", "colour"), "red"),
        (("buffer", "max_size"), "2 gibibytes"),
        (("sources", "press-plc", "intervall"), "1 s"),
        (("sources", "press-plc", "interval"), 500),
        (("sources", "pack-plc", "port"), 70000),
        (("sources", "pack-plc", "type"), "modbus"),
        (("machines", "press-1", "signals", "state", "map"), []),
        (("machines", "packer-1", "signals", "good_count", "type"), "uint15"),
        (("machines", "packer-1", "signals", "good_count", "word_order"), "middle"),
        (("machines", "packer-1", "signals"), {}),
    ],
)
def test_what_does_not_fit(path: tuple[str, ...], wrong: object) -> None:
    config = values(next(path for path in CONFIGS if path.stem == "two-lines"))
    assert fits(config, build_schema())
    mutated = copy.deepcopy(config)
    inner = mutated
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = wrong
    assert not fits(mutated, build_schema())


def test_every_field_is_described() -> None:
    found: list[str] = []

    def walk(schema: Any, where: str) -> None:
        if isinstance(schema, dict):
            for name, part in schema.get("properties", {}).items():
                found.append(f"{where}.{name}")
                assert part.get("description") or part.keys() & {"enum", "const"}, f"{where}.{name}"
            for part in schema.values():
                walk(part, where)
        elif isinstance(schema, list):
            for part in schema:
                walk(part, where)

    walk(build_schema(), "")
    assert len(found) > 80
