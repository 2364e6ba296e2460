"""``schema``: what an editor needs to complete and check a config while it is written."""

from __future__ import annotations

import json

from edge_agent.config.schema import build_schema


def schema() -> int:
    """Print the JSON Schema."""
    print(json.dumps(build_schema(), indent=2, ensure_ascii=False))
    return 0
