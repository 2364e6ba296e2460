"""The API: one table of endpoints makes the routes and the OpenAPI document alike."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from fastapi import FastAPI
from msgspec import Struct
from msgspec.structs import replace
from psycopg import OperationalError
from psycopg.errors import QueryCanceled
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Match, Route

from cloud_api.access.gate import Gate, Principal, Refused
from cloud_api.access.limit import Limit
from cloud_api.access.roles import Area
from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.answers.envelope import stated
from cloud_api.answers.memory import memory
from cloud_api.answers.places import Atlas, zone_of
from cloud_api.answers.question import Mistake, QuestionError, near, read
from cloud_api.answers.shapes.ledger import Stated
from cloud_api.api import formats, metrics
from cloud_api.api.action import Action
from cloud_api.api.actions import ACTIONS
from cloud_api.api.bodies import read_body
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.endpoints import ENDPOINTS
from cloud_api.api.manual import document, page
from cloud_api.api.parameters import caller, given
from cloud_api.api.problems import bad_parameters, for_reader, problem
from cloud_api.api.watching import Watched
from cloud_api.store.migrations import pending
from cloud_api.store.pool import Pool, snapshot
from cloud_api.store.statements import statement
from cloud_api.work.webhook import Reach

log = logging.getLogger(__name__)

Handler = Callable[[Request], Response]


_KEPT = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
"""An answer may be kept by who asked, and must be asked for again; its ETag then saves the sending."""


def create_app(
    pool: Pool,
    gate: Gate,
    *,
    clock: Callable[[], datetime],
    atlas: Atlas | None = None,
    limit: Limit | None = None,
    webhooks: Reach = Reach.PUBLIC,
) -> FastAPI:
    """The API over a pool of connections. `clock` gives the present, aware. `limit`: how often one caller may
    ask; None: as often as they like. `webhooks`: how far they may go.

    `atlas` keeps plant models between requests; share one between the API and the pages.
    """
    app = FastAPI(
        title="Plantledger", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    requests = metrics.Requests()
    answering = _Answering(pool, gate, atlas or Atlas(), clock, webhooks)
    for endpoint in ENDPOINTS:
        app.add_api_route(f"/v1{endpoint.path}", answering.handler(endpoint), include_in_schema=False)
    for action in ACTIONS:
        app.add_api_route(
            f"/v1{action.path}", answering.performer(action), methods=[action.method], include_in_schema=False
        )
    said = document(ENDPOINTS, ACTIONS)
    app.add_api_route("/openapi.json", lambda: JSONResponse(said), include_in_schema=False)
    app.add_api_route("/docs", lambda: HTMLResponse(page(said)), include_in_schema=False)
    app.add_api_route("/healthz", lambda: JSONResponse({"status": "alive"}), include_in_schema=False)
    app.add_api_route("/readyz", _ready(pool), include_in_schema=False)
    app.add_api_route("/metrics", answering.metrics(requests), include_in_schema=False)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(Watched, requests=requests, limit=limit)
    _tell_problems(app)
    return app


class _Answering:
    """What every endpoint does: ask the gate, read the question, answer it, write it down."""

    def __init__(
        self, pool: Pool, gate: Gate, atlas: Atlas, clock: Callable[[], datetime], webhooks: Reach
    ) -> None:
        self.pool, self.gate, self.atlas, self.clock = pool, gate, atlas, clock
        self.webhooks = webhooks

    def admit(self, request: Request, area: Area) -> Principal:
        with self.pool.connection() as connection:
            return self.gate.admit(connection, caller(request), area)

    def handler(self, endpoint: Endpoint) -> Handler:
        def answer(request: Request) -> Response:
            principal = self.admit(request, endpoint.area)
            parameters = given(request)
            asked = next((value for name, value in parameters if name == "format"), None)
            format_ = formats.chosen(asked, request.headers.get("accept"), endpoint.format_)
            if format_ is None and asked is None:
                return problem(
                    406, f"this answer comes as {', '.join(formats.MEDIA_TYPES)}", request.url.path
                )
            with self.pool.connection() as connection, snapshot(connection), memory():
                connection.execute(statement("answers.bounds"))
                places = self.atlas.places(connection).seen_by(principal.sites, principal.lines)
                question = read(
                    parameters,
                    places,
                    allowed=endpoint.parameters,
                    by=endpoint.by,
                    withheld=principal.withheld,
                    options=endpoint.options,
                    in_money=not issubclass(endpoint.shape, Stated),
                )
                now = self.clock()
                told = endpoint.answer(connection, question, principal.sees_money, now)
                told = stated(connection, question, now, told)
            tag = _tag(told, format_)
            headers = {"ETag": tag, **_KEPT}
            if tag in request.headers.get("if-none-match", ""):
                return Response(None, 304, headers)
            zone = zone_of(question.sites)
            body = formats.encoded(told, format_ or formats.JSON, endpoint.file, zone)
            return Response(body.content, 200, {**body.headers, **headers}, body.media_type)

        answer.__name__ = endpoint.path.strip("/").replace("/", "_")
        return answer

    def performer(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        def perform(request: Request, content: bytes) -> Response:
            with self.pool.connection() as connection:
                principal = self.gate.admit(connection, caller(request), action.area, writes=True)
            body, mistakes = read_body(content, action.body)
            if mistakes and not body.__struct_fields__:
                raise QuestionError(mistakes)
            key = request.headers.get("idempotency-key")
            if key and getattr(body, "request", key) is None:
                body = replace(body, request=key)
            with self.pool.connection() as connection, connection.transaction():
                places = self.atlas.places(connection).seen_by(principal.sites, principal.lines)
                actor = Actor(connection, principal, places, self.clock(), request.path_params, self.webhooks)
                done = _performed(action, actor, body, mistakes)
            return Response(formats.as_json(done), action.status, None, "application/json")

        async def answer(request: Request) -> Response:
            content = await _content(request, action.largest)
            if content is None:
                return problem(413, f"the body is larger than {action.largest} bytes", request.url.path)
            return await run_in_threadpool(perform, request, content)

        answer.__name__ = f"{action.method.lower()}_{action.path.strip('/').replace('/', '_')}"
        return answer

    def metrics(self, requests: metrics.Requests) -> Handler:
        def counts(request: Request) -> Response:
            self.admit(request, Area.METRICS)
            with self.pool.connection() as connection:
                text = metrics.chain(connection)
            return Response(requests.text() + text, media_type=metrics.MEDIA_TYPE)

        return counts


def _performed(action: Action, actor: Actor, body: Struct, mistakes: list[Mistake]) -> Struct:
    """What an action answers. Raises QuestionError with the mistakes of the body and those that the action
    finds, which is undone then."""
    try:
        done = action.perform(actor, body)
    except QuestionError as error:
        raise QuestionError([*mistakes, *error.mistakes]) from None
    except (Conflict, Missing):
        if not mistakes:
            raise
    if mistakes:
        raise QuestionError(mistakes)
    return done


def _tag(told: Struct, format_: str | None) -> str:
    """The ETag of an answer: weak, for two files of the same figures may differ in their bytes."""
    return (
        f'W/"{hashlib.blake2b(formats.as_json(told), digest_size=12).hexdigest()}-{format_ or formats.JSON}"'
    )


async def _content(request: Request, largest: int) -> bytes | None:
    """The body, or None where it is larger than any that is taken."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > largest:
            return None
    return bytes(content)


def _ready(pool: Pool) -> Callable[[], Response]:
    def ready() -> Response:
        try:
            with pool.connection(timeout=2.0) as connection:
                connection.execute(statement("api.alive"))
                lacking = pending(connection)
        except (OperationalError, PoolTimeout):
            return JSONResponse({"status": "not ready", "why": "the database does not answer"}, 503)
        if lacking:
            return JSONResponse({"status": "not ready", "why": f"migrations wait: {', '.join(lacking)}"}, 503)
        return JSONResponse({"status": "ready"})

    return ready


def _tell_problems(app: FastAPI) -> None:
    """Every error leaves as problem JSON; as a page, where a person looks at pages."""

    def questions(request: Request, error: Exception) -> Response:
        assert isinstance(error, QuestionError)
        return bad_parameters(error.mistakes, request.url.path, request.method)

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        challenge = {"WWW-Authenticate": 'Bearer, Basic realm="Plantledger: any name, the key as password"'}
        return problem(
            error.status, error.detail, request.url.path, (), challenge if error.status == 401 else None
        )

    def conflict(request: Request, error: Exception) -> Response:
        return problem(409, str(error), request.url.path)

    def missing(request: Request, error: Exception) -> Response:
        return problem(404, str(error), request.url.path)

    def other(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path
        if error.status_code == 404:
            return problem(404, f"there is no {path}{near(path, _paths(app))}; /docs lists all", path)
        if error.status_code == 405:
            allow = ", ".join(_methods(app, request))
            if request.method == "OPTIONS":
                return Response(None, 204, {"Allow": allow})
            return problem(405, f"{path} takes {allow}", path, (), {"Allow": allow})
        return problem(error.status_code, str(error.detail), path, (), error.headers)

    def database(request: Request, error: Exception) -> Response:
        log.warning("database did not answer: %s: %s", request.url.path, type(error).__name__)
        return problem(
            503, "the database does not answer; try again", request.url.path, (), {"Retry-After": "5"}
        )

    def slow(request: Request, error: Exception) -> Response:
        log.warning("answer took too long: %s", request.url.path)
        return problem(
            503, "the answer took too long; ask for a shorter window or fewer groups", request.url.path
        )

    def fault(request: Request, error: Exception) -> Response:
        log.error("answer failed: %s", request.url.path, exc_info=error)
        return problem(500, "the service failed to answer; its log says more", request.url.path)

    for kind, handler in (
        (QuestionError, questions),
        (Refused, refused),
        (Conflict, conflict),
        (Missing, missing),
        (HTTPException, other),
        (QueryCanceled, slow),
        (OperationalError, database),
        (PoolTimeout, database),
        (Exception, fault),
    ):
        app.add_exception_handler(kind, _for_reader(handler))


def _for_reader(
    handler: Callable[[Request, Exception], Response],
) -> Callable[[Request, Exception], Response]:
    return lambda request, error: for_reader(request, handler(request, error))


def _paths(app: FastAPI) -> list[str]:
    return [route.path for route in app.routes if isinstance(route, Route)]


def _methods(app: FastAPI, request: Request) -> list[str]:
    """What a path takes, of all its routes."""
    found = {"OPTIONS"}
    for route in app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found | {"HEAD"} if "GET" in found else found)
