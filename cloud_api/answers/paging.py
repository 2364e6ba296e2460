"""Pages of an answer: a cursor says after which row to go on. Opaque to the reader, checked on return."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from cloud_api.answers.question import Mistake, Question, QuestionError

T = TypeVar("T")


def cursor(place: object) -> str:
    """A place in the order of rows as text for an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place(text: str, kind: type[T]) -> T:
    """The place that a cursor names. Raises QuestionError for one that was not given here."""
    padded = text.encode("ascii", "replace") + b"=" * (-len(text) % 4)
    try:
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise QuestionError(
            [Mistake("cursor", "is none that an answer gave; leave it out to begin anew")]
        ) from None


def one_page(rows: Sequence[T], question: Question) -> tuple[list[T], str | None]:
    """The rows of one page of a list that is computed whole, and the cursor of the next page."""
    start = 0 if question.cursor is None else place(question.cursor, int)
    if start < 0:
        raise QuestionError([Mistake("cursor", "is none that an answer gave; leave it out to begin anew")])
    end = start + question.limit
    return list(rows[start:end]), (cursor(end) if end < len(rows) else None)
