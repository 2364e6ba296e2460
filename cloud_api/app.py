"""What runs: the roles of the service, the embedded parts they need, and who restarts whom.

`serve` is the one process that owns embedded parts. It answers requests itself and runs the other roles as
processes of their own, so that neither a long interpretation nor a flood of batches delays an answer. All
children end when it ends, however it ends.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from cloud_api.errors import CloudError
from cloud_api.ingest.broker import URL_FILE as BROKER_URL_FILE
from cloud_api.ingest.broker import EmbeddedBroker
from cloud_api.parts import Child, Ending, Part, Server
from cloud_api.settings import PREFIX, Settings
from cloud_api.store.embedded import URL_FILE, Owner, open_cluster, publish, take_lock
from cloud_api.store.migrations import migrate
from cloud_api.store.pool import open_pool

if TYPE_CHECKING:
    from cloud_api.access.issuer import Issuer
    from cloud_api.work.webhook import Reach

log = logging.getLogger(__name__)
Say = Callable[[str], None]

DATABASE_WAIT_S = 60.0
API_CONNECTIONS = 16


class Role(StrEnum):
    """What a process of the service does."""

    API = "api"
    INGEST = "ingest"
    INTERPRET = "interpret"


def serve(settings: Settings, roles: Collection[Role], say: Say) -> int:
    """Runs roles until SIGTERM or SIGINT; returns the exit code.

    Raises CloudError where the settings do not allow it or a part does not start.
    """
    refuse_open_door(settings, roles)
    refuse_missing_urls(settings, roles)
    ending = Ending()
    ending.listen()
    with contextlib.ExitStack() as parts:
        watched: list[Part] = []
        environment = _start_embedded(settings, roles, parts, watched, ending, say)
        if ending.asked:
            return 0
        url = environment[PREFIX + "DATABASE_URL"]
        _migrate_patiently(url, ending, say)
        own = Role.API if Role.API in roles else next(iter(roles))
        if Role.API in roles:
            environment[PREFIX + "ALERTS_PRIVATE"] = settings.told_alerts_private
        for role in sorted(set(roles) - {own}):
            child = Child(role, environment)
            parts.callback(child.stop)
            child.start()
            watched.append(child)
        return _run_own(own, _with_urls(settings, environment), url, watched, ending, say)


def refuse_open_door(settings: Settings, roles: Collection[Role]) -> None:
    """Raises CloudError for a server beyond loopback without TLS or a proxy that ends it."""
    if (
        Role.API in roles
        and not settings.on_loopback
        and not (settings.tls_certificate or settings.behind_proxy)
    ):
        raise CloudError(
            "refusing to serve beyond loopback without TLS",
            f"{PREFIX}HTTP_HOST={settings.http_host}",
            f"set {PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY, or {PREFIX}BEHIND_PROXY to the address of the "
            "proxy that ends TLS; keys are required there in any case (cloud-api key create)",
        )


def refuse_missing_urls(settings: Settings, roles: Collection[Role]) -> None:
    """Raises CloudError for a subset of roles without the shared parts that it needs."""
    if set(roles) == set(Role):
        return
    needs = {"DATABASE_URL": settings.database_url}
    if Role.INGEST in roles:
        needs["MQTT_URL"] = settings.mqtt_url
    missing = [PREFIX + name for name, value in needs.items() if value is None]
    if missing:
        raise CloudError(
            "some roles alone need shared parts",
            f"--role {','.join(sorted(roles))}",
            f"set {' and '.join(missing)}",
        )


def _start_embedded(
    settings: Settings,
    roles: Collection[Role],
    parts: contextlib.ExitStack,
    watched: list[Part],
    ending: Ending,
    say: Say,
) -> dict[str, str]:
    """Starts what is not given; returns the environment in which the roles find everything."""
    environment: dict[str, str] = {}
    if settings.database_url is None or (settings.mqtt_url is None and Role.INGEST in roles):
        _own(settings, parts, ending, say)
        if ending.asked:
            return environment
    if settings.database_url is not None:
        environment[PREFIX + "DATABASE_URL"] = settings.database_url
    else:
        cluster = open_cluster(settings.data_dir)
        parts.callback(cluster.stop)
        cluster.start()
        _leave(parts, settings, URL_FILE, cluster.url)
        watched.append(Server("database", cluster))
        environment[PREFIX + "DATABASE_URL"] = cluster.url
        kind = "TimescaleDB" if cluster.binaries.timescaledb else "PostgreSQL"
        say(f"embedded {kind} {cluster.binaries.version}, data in {cluster.folder}")
    if settings.mqtt_url is None and Role.INGEST in roles:
        broker = EmbeddedBroker(settings.data_dir)
        parts.callback(broker.stop)
        broker.start()
        _leave(parts, settings, BROKER_URL_FILE, broker.url)
        watched.append(Server("broker", broker))
        environment[PREFIX + "MQTT_URL"] = broker.url
        environment[PREFIX + "MQTT_SHARED"] = str(broker.shared).lower()
        say(f"embedded broker ({'mosquitto' if broker.mosquitto else 'amqtt'}) on {broker.url}")
    return environment


def _own(settings: Settings, parts: contextlib.ExitStack, ending: Ending, say: Say) -> None:
    """The lock of the data folder; waits for a command that holds it. Raises CloudError for another serve."""
    told = False
    while (lock := take_lock(settings.data_dir, "serve")) is None and not ending.asked:
        owner = Owner.of(settings.data_dir)
        if owner is not None and owner.lasting:
            raise CloudError(
                "another serve owns the data folder",
                f"{settings.data_dir}, process {owner.pid}",
                f"end it, or set {PREFIX}DATA_DIR to another folder",
            )
        if not told:
            say("waiting for the command that uses the embedded database to end")
            told = True
        ending.pause(0.1)
    if lock is not None:
        parts.callback(os.close, lock)


def _leave(parts: contextlib.ExitStack, settings: Settings, name: str, url: str) -> None:
    """Leaves a URL in the data folder for as long as we run."""
    path = settings.data_dir / name
    publish(path, url)
    parts.callback(path.unlink, missing_ok=True)


def _migrate_patiently(url: str, ending: Ending, say: Say) -> None:
    """Brings the schema up to date; a server that is just starting is waited for."""
    deadline, told = time.monotonic() + DATABASE_WAIT_S, False
    while not ending.asked:
        try:
            for name in migrate(url):
                say(f"applied {name}")
            return
        except CloudError as error:
            if "cannot be reached" not in error.what or time.monotonic() > deadline:
                raise
            if not told:
                say(f"waiting for the database: {error.where}")
                told = True
            ending.pause(0.5)


def _with_urls(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Settings as the other roles see them."""
    return replace(
        settings,
        mqtt_url=environment.get(PREFIX + "MQTT_URL", settings.mqtt_url),
        alerts_private=environment.get(PREFIX + "ALERTS_PRIVATE", settings.alerts_private),
        mqtt_shared=environment.get(PREFIX + "MQTT_SHARED", str(settings.mqtt_shared).lower()) == "true",
    )


def _run_own(role: Role, settings: Settings, url: str, watched: list[Part], ending: Ending, say: Say) -> int:
    """Runs one role in a thread of this process, and keeps the parts alive, until stop."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            _ROLES[role](settings, url, ending.stop, say)
        except BaseException as error:
            failure.append(error)
        finally:
            ending.stop.set()

    thread = threading.Thread(target=run, name=str(role))
    thread.start()
    while not ending.pause(0.2):
        for part in watched:
            part.mend()
    thread.join()
    if failure:
        raise failure[0]
    return 0


def _serve_api(settings: Settings, url: str, stop: threading.Event, say: Say) -> None:
    import uvicorn

    from cloud_api import pages
    from cloud_api.access.gate import Gate
    from cloud_api.access.limit import Limit
    from cloud_api.answers.places import Atlas
    from cloud_api.api import create_app

    pool = open_pool(url, name="api", size=API_CONNECTIONS)
    try:
        most = settings.told_requests_per_minute
        gate, atlas = Gate(settings.keys_required, _issuer(settings), _now), Atlas()
        app = create_app(
            pool,
            gate,
            clock=_now,
            atlas=atlas,
            limit=None if most is None else Limit(most),
            webhooks=_reach(settings),
        )
        pages.mount(app, pool, gate, clock=_now, atlas=atlas, webhooks=_reach(settings))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=bool(settings.behind_proxy),
            forwarded_allow_ips=settings.behind_proxy or None,
            ssl_certfile=None if settings.tls_certificate is None else str(settings.tls_certificate),
            ssl_keyfile=None if settings.tls_key is None else str(settings.tls_key),
            timeout_graceful_shutdown=5,
        )
        with _listening(settings) as door:
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=[[door]], name="http")
            thread.start()
            gc.freeze()  # what is loaded stays: no answer need wait while it is searched for garbage
            scheme = "https" if settings.tls_certificate else "http"
            host, port = door.getsockname()[:2]
            say(f"listening on {scheme}://{f'[{host}]' if ':' in host else host}:{port}")
            while not stop.wait(0.2) and thread.is_alive():
                pass
            server.should_exit = True
            thread.join()
            if not stop.is_set():
                raise CloudError("the web server ended by itself", f"port {port}", "see what it said above")
    finally:
        pool.close()


def _issuer(settings: Settings) -> Issuer | None:
    if settings.oidc_issuer is None:
        return None
    from cloud_api.access.issuer import Issuer
    from cloud_api.access.roles import KeyRole

    return Issuer(
        settings.oidc_issuer,
        settings.oidc_audience,
        settings.oidc_role_claim,
        settings.oidc_sites_claim,
        settings.oidc_lines_claim,
        {group: KeyRole(role) for group, role in settings.oidc_roles.items()},
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _listening(settings: Settings) -> socket.socket:
    """The socket that requests come in on. Raises CloudError when the address cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.http_host, settings.http_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        door = socket.socket(family, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        door.listen(128)
    except OSError as error:
        raise CloudError(
            "cannot listen",
            f"{settings.http_host}:{settings.http_port} ({error.strerror})",
            f"set {PREFIX}HTTP_HOST and {PREFIX}HTTP_PORT to an address that is free (port 0: any)",
        ) from error
    return door


def _serve_ingest(settings: Settings, url: str, stop: threading.Event, say: Say) -> None:
    from cloud_api.ingest.consumer import Consumer
    from cloud_api.ingest.intake import Intake
    from cloud_api.ingest.link import Broker

    assert settings.mqtt_url is not None
    broker = Broker(
        settings.mqtt_url,
        shared=settings.mqtt_shared,
        five=settings.mqtt_shared,
        ca=settings.mqtt_ca,
        certificate=settings.mqtt_certificate,
        key=settings.mqtt_key,
    )
    pool = open_pool(url, name="ingest", size=3, wait_s=DATABASE_WAIT_S)
    try:
        Consumer(broker, Intake(pool)).run(stop)
    finally:
        pool.close()


def _reach(settings: Settings) -> Reach:
    """How far webhooks may go."""
    from cloud_api.work.webhook import Reach

    words = {"true": Reach.PRIVATE, "loopback": Reach.LOOPBACK}
    return words.get(settings.alerts_private, Reach.PUBLIC)


def _serve_interpret(settings: Settings, url: str, stop: threading.Event, say: Say) -> None:
    from cloud_api.work.alerting import Alerting
    from cloud_api.work.crew import relieve
    from cloud_api.work.worker import Worker

    alerting = Alerting(url, _reach(settings))
    beside = (
        threading.Thread(target=alerting.run, args=[stop], name="alerts"),
        threading.Thread(target=relieve, args=[url, settings.interpreters - 1, stop], name="backlog"),
    )
    for thread in beside:
        thread.start()
    try:
        Worker(url).run(stop)
    finally:
        stop.set()
        for thread in beside:
            thread.join()


# A role imports what it needs when it runs: the others' processes and the short commands stay small.
_ROLES: dict[Role, Callable[[Settings, str, threading.Event, Say], None]] = {
    Role.API: _serve_api,
    Role.INGEST: _serve_ingest,
    Role.INTERPRET: _serve_interpret,
}
