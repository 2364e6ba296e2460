"""The JSON Schema of a config, for editors: made from the tables that check uses."""

from __future__ import annotations

from edge_agent.config.tables import ROOT

DIALECT = "http://json-schema.org/draft-07/schema#"


def build_schema() -> dict[str, object]:
    """Draft 7, as YAML editors know it. It says less than check: what holds between fields check knows."""
    return {"$schema": DIALECT, "title": "Config of a Plantledger edge agent", **ROOT.schema()}
