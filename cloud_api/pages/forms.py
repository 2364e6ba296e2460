"""Forms of pages: read, held against the session that sent them, performed, and answered with a new page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cloud_api.access.gate import Gate, Principal, caller_of
from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.answers.places import Atlas
from cloud_api.answers.question import Mistake, QuestionError
from cloud_api.pages.page import Form, Told
from cloud_api.store.pool import Pool
from cloud_api.work.webhook import Reach

LARGEST_FILE = 16 << 20
LARGEST_FIELD = 24 << 20
"""Bytes of a field that is no file: what was previewed comes back in base64."""
MOST_FILES = 40
FILES = "files"
"""Field of a form that takes several files of any kind."""
TOKEN = "token"
"""Field of every form that holds the session's form token."""


class Drawn(Protocol):
    """Draws what came of a form, where that is no other page."""

    def mistaken(self, request: Request, status: int, mistakes: tuple[Mistake, ...]) -> Response:
        """What was wrong with it."""
        ...

    def told(self, principal: Principal, told: Told) -> Response:
        """What it tells."""
        ...


def handler(
    form: Form,
    pool: Pool,
    gate: Gate,
    atlas: Atlas,
    clock: Callable[[], datetime],
    drawn: Drawn,
    webhooks: Reach = Reach.PUBLIC,
) -> Callable[[Request], Awaitable[Response]]:
    """What answers the POST of a form."""

    def perform(request: Request, fields: dict[str, str]) -> Response:
        address = request.client.host if request.client else None
        caller = replace(caller_of(request.headers, address), form_token=fields.pop(TOKEN, None))
        with pool.connection() as connection:
            principal = gate.admit(connection, caller, form.area, writes=True)
        try:
            with pool.connection() as connection, connection.transaction():
                places = atlas.places(connection).seen_by(principal.sites, principal.lines)
                actor = Actor(connection, principal, places, clock(), request.path_params, webhooks)
                done = form.perform(actor, fields)
            return drawn.told(principal, done) if isinstance(done, Told) else RedirectResponse(done, 303)
        except QuestionError as error:
            return drawn.mistaken(request, 400, error.mistakes)
        except Conflict as error:
            return drawn.mistaken(request, 409, (Mistake("", str(error)),))
        except Missing as error:
            return drawn.mistaken(request, 404, (Mistake("", str(error)),))

    async def answer(request: Request) -> Response:
        try:
            fields = await _fields(request)
        except QuestionError as error:
            return drawn.mistaken(request, 400, error.mistakes)
        return await run_in_threadpool(perform, request, fields)

    answer.__name__ = f"post_{form.path.strip('/').replace('/', '_')}"
    return answer


async def _fields(request: Request) -> dict[str, str]:
    """The form's fields as text, of repeated ones the last. Files of a field `files` are `files NAME` each,
    in base64. Raises QuestionError for a file that is none."""
    fields: dict[str, str] = {}
    async with request.form(max_files=MOST_FILES, max_fields=1000, max_part_size=LARGEST_FIELD) as form:
        for name, value in form.multi_items():
            if name == FILES and isinstance(value, UploadFile):
                if value.filename:
                    fields[f"{FILES} {value.filename}"] = b64encode(await _bytes(name, value)).decode()
            else:
                fields[name] = await _text(name, value)
    return fields


async def _text(name: str, value: Any) -> str:
    if not isinstance(value, UploadFile):
        return str(value)
    content = await _bytes(name, value)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QuestionError(
            [Mistake(name, f"the file is not UTF-8 text (byte {error.start}): save it as CSV UTF-8")]
        ) from None


async def _bytes(name: str, value: UploadFile) -> bytes:
    content = await value.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise QuestionError([Mistake(name, f"the file is larger than {LARGEST_FILE >> 20} MiB")])
    return content
