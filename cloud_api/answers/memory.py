"""What one request has read already: its answers share series, sums and facts.

Within one snapshot the same question has the same answer. A request opens a memory around its snapshot;
without one every function reads for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from psycopg import Connection

from cloud_api.answers.question import Question

P = ParamSpec("P")
R = TypeVar("R")

_READ: ContextVar[dict[Any, Any] | None] = ContextVar("read", default=None)


@contextmanager
def memory() -> Iterator[None]:
    """Around the snapshot of one request that only reads."""
    token = _READ.set({})
    try:
        yield
    finally:
        _READ.reset(token)


def remembered(
    function: Callable[Concatenate[Connection[Any], P], R],
) -> Callable[Concatenate[Connection[Any], P], R]:
    """Lets a function of a connection and a question read once a request. Its result is shared, so that
    nobody may change it; of a question it may read no options and no paging."""

    @wraps(function)
    def once(connection: Connection[Any], /, *args: P.args, **kwargs: P.kwargs) -> R:
        read = _READ.get()
        if read is None:
            return function(connection, *args, **kwargs)
        key = (function, id(connection), *map(_frozen, args), *map(_frozen, sorted(kwargs.items())))
        if key not in read:
            read[key] = function(connection, *args, **kwargs)
        found: R = read[key]
        return found

    return once


_ASKED = tuple(field.name for field in fields(Question) if field.name not in ("limit", "cursor", "options"))


def _frozen(value: Any) -> Any:
    """A value as part of a key. Sites and books are what they are; all else counts by what it says."""
    if isinstance(value, Question):
        return tuple(_frozen(getattr(value, name)) for name in _ASKED)
    if isinstance(value, Mapping):
        return frozenset((key, _frozen(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(each) for each in value)
    return value
