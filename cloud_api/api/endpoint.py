"""What one path of the API is: what it takes, who opens it, what it gives. Routes and OpenAPI follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.access.roles import Area
from cloud_api.answers.options import Option
from cloud_api.answers.question import Question
from cloud_api.api.formats import JSON

Answer = Callable[[Connection[TupleRow], Question, bool, datetime], msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path below /v1 that is read. `answer` gets connection, question, whether amounts may be told, and the
    present. `options` are parameters of this path alone; the question carries their values. `example` is the
    query of a request that is answered, as OpenAPI shows it. `format_`: what comes unasked."""

    path: str
    area: Area
    parameters: tuple[str, ...]
    by: tuple[str, ...]
    shape: type[msgspec.Struct]
    summary: str
    description: str
    answer: Answer
    options: tuple[Option, ...] = ()
    example: str = ""
    format_: str = JSON

    @property
    def file(self) -> str:
        """Name, without its ending, of the file that a browser saves."""
        return self.path.rpartition("/")[2].removesuffix(".csv")
