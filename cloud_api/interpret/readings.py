"""Values of samples as text and as exact numbers, and which sample of one signal and instant counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from cloud_api.interpret.counters import PLACES, exact
from cloud_api.interpret.model import Sample


def text(sample: Sample) -> str:
    """The value as text: words as they are, numbers in their shortest decimal form, '' where it is empty."""
    if sample.text is not None:
        return sample.text
    value = sample.value
    if value is None:
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def number(sample: Sample) -> int | None:
    """The value as an integer in units of 1e-12; None where it is no finite number."""
    if sample.value is not None:
        return exact(sample.value) if math.isfinite(sample.value) else None
    try:
        parsed = Decimal((sample.text or "").strip())
    except InvalidOperation:
        return None
    return int(parsed.scaleb(PLACES).to_integral_value()) if parsed.is_finite() else None


def raw_number(sample: Sample) -> int | None:
    """The register value before scaling, in units of 1e-12; None where the sample carries none."""
    return exact(sample.raw) if sample.raw is not None and math.isfinite(sample.raw) else None


def differs(one: Sample, other: Sample) -> bool:
    """Whether two samples of one signal and instant are not the same one sent twice."""
    return one.quality != other.quality or text(one) != text(other)


def chosen(samples: Sequence[Sample]) -> Sample:
    """Of the samples of one signal and instant the one that counts: the better quality, then the greater
    value as text, whatever the order of arrival."""
    if len(samples) == 1:
        return samples[0]
    return max(samples, key=_preference)


def _preference(sample: Sample) -> tuple[int, str, str, bool]:
    raw = sample.raw_text or ("" if sample.raw is None else repr(sample.raw))
    return -sample.quality, text(sample), raw, not sample.history
