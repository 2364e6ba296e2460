"""Text that a spreadsheet would take for a formula: guarded on its way out, plain again on its way in.

What begins like a formula, be it after blanks, control or invisible characters or in full-width letters, gets
an apostrophe in front. Text that begins so with apostrophes of its own gets one more: nothing is lost."""

from __future__ import annotations

import unicodedata

_SIGNS = frozenset("=+-@＝＋－＠")
_BREAKS = ("\t", "\r", "\n")


def guarded(text: str) -> str:
    """The text as a file may carry it."""
    return f"'{text}" if _is_risky(text) else text


def plain(text: str) -> str:
    """The text as it was before it was guarded."""
    return text[1:] if text.startswith("'") and _is_risky(text[1:]) else text


def _is_risky(text: str) -> bool:
    bare = text.lstrip("'")
    if bare.startswith(_BREAKS):
        return True
    first = next((letter for letter in bare if not _is_unseen(letter)), "")
    return first in _SIGNS


def _is_unseen(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf")
