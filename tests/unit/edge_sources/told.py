"""What the library decodes, in the adapter's words: the measure of what the adapter decodes itself."""

from __future__ import annotations

from typing import Any

from edge_agent.adapters.opcua_told import Told
from edge_agent.adapters.opcua_values import to_us


def told_of(value: Any) -> Told:
    """The library's DataValue as one of ours."""
    variant, status = value.Value, value.StatusCode
    kind = variant.VariantType.value if variant is not None and variant.VariantType is not None else 0
    return Told(
        status.value if status is not None else 0,
        variant.Value if variant is not None else None,
        kind,
        to_us(value.SourceTimestamp),
    )
