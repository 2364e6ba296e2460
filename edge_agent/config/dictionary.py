"""The dictionary of a config: what the indexes in its batches mean."""

from __future__ import annotations

from edge_agent.config.model import Config, Signal
from edge_agent.core.derive import FirstBit, Rules
from shared.dictionary import Dictionary, SignalEntry, SourceEntry


def build_dictionary(config: Config) -> Dictionary:
    """Sources and signals in the order of their indexes."""
    indexes = {source.name: source.index for source in config.sources}
    return Dictionary(
        sources=[SourceEntry(source.name, source.type) for source in config.sources],
        signals=[_entry(signal, indexes[signal.source]) for signal in config.signals],
    )


def _entry(signal: Signal, source: int) -> SignalEntry:
    meaning = signal.meaning
    return SignalEntry(
        machine=signal.machine,
        signal=signal.name,
        role=signal.role,
        source=source,
        line=signal.line,
        item=signal.item,
        unit=signal.unit,
        fall=signal.fall,
        rollover=signal.rollover,
        width=signal.width,
        signed=signal.signed,
        scale=1.0 if signal.integrate else float(meaning.scale * meaning.unit_factor),
        offset=0.0 if signal.integrate else float(meaning.offset * meaning.unit_factor),
        raw=(meaning.carries_raw and not signal.integrate) or isinstance(signal.derivation, Rules | FirstBit),
        map=None if meaning.map is None else {_key(raw): word for raw, word in meaning.map},
    )


def _key(raw: float | str) -> str:
    """A raw value as text: 3, not 3.0."""
    if isinstance(raw, str):
        return raw
    return str(int(raw)) if raw.is_integer() else repr(raw)
