"""The JSON Schema of a config, for editors: made from the tables that check uses."""

from __future__ import annotations

from dataclasses import replace

from edge_agent.config.section import Free
from edge_agent.config.tables import EQUIPPED_MACHINE, MACHINE, ROOT, TYPED_MACHINE

DIALECT = "http://json-schema.org/draft-07/schema#"


def build_schema() -> dict[str, object]:
    """Draft 7, as YAML editors know it. It says less than check: what holds between fields check knows."""
    either = {"anyOf": [machine.schema() for machine in (MACHINE, TYPED_MACHINE, EQUIPPED_MACHINE)]}
    machines = Free({"type": "object", "additionalProperties": either, "minProperties": 1})
    fields = tuple(
        replace(f, kind=machines, required=False)
        if f.name == "machines"
        else replace(f, required=f.required and f.name != "sources")
        for f in ROOT.fields
    )
    root = replace(ROOT, fields=fields)
    return {"$schema": DIALECT, "title": "Config of a Plantledger edge agent", **root.schema()}
