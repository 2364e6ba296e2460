"""What each command of `cloud-api` does with its arguments. Gives the exit code.

A command imports what it needs when it runs, so that each starts soon and stays small.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cloud_api.app import serve
from cloud_api.errors import CloudError
from cloud_api.settings import Settings
from cloud_api.store.embedded import database
from cloud_api.store.migrations import migrate, pending
from cloud_api.store.pool import connect


def say(text: str) -> None:
    """One line for standard output, at once."""
    print(text, flush=True)


def complain(text: str) -> None:
    """One line for standard error."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _ready_database(settings: Settings) -> Iterator[str]:
    """URL of a database with this program's schema; the embedded one is brought up to date."""
    with database(settings, complain) as url:
        if settings.database_url is None:
            migrate(url)
        else:
            with connect(url) as connection:
                lacking = pending(connection)
            if lacking:
                raise CloudError("the database lacks migrations", ", ".join(lacking), "run cloud-api migrate")
        yield url


def run_serve(arguments: argparse.Namespace, settings: Settings) -> int:
    return serve(settings, arguments.role, say)


def run_migrate(arguments: argparse.Namespace, settings: Settings) -> int:
    with database(settings, complain) as url:
        applied = migrate(url)
    for name in applied:
        say(f"applied {name}")
    say("the schema is up to date" if not applied else f"{len(applied)} applied; the schema is up to date")
    return 0


def run_load(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.plant.load_command import load

    with _ready_database(settings) as url:
        return load(
            url,
            arguments.directory,
            correction=arguments.correction,
            author=arguments.author,
            say=say,
            complain=complain,
        )


def run_backfill(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.ingest import backfill_command

    def draw(text: str) -> None:
        print(text, end="", file=sys.stderr, flush=True)

    with _ready_database(settings) as url:
        return backfill_command.run(
            url,
            arguments.site,
            arguments.files,
            say=say,
            complain=complain,
            draw=draw if sys.stderr.isatty() else None,
        )


def run_recompute(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.work import recompute_command

    with _ready_database(settings) as url:
        return recompute_command.run(
            url,
            site=arguments.site,
            machine=arguments.machine,
            from_=arguments.begin,
            to=arguments.end,
            prove_=arguments.prove,
            processes=settings.interpreters,
            say=say,
            complain=complain,
        )


def run_remap(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.ingest import remap

    with _ready_database(settings) as url:
        return remap.run(
            url,
            arguments.machine,
            arguments.signal,
            arguments.begin,
            arguments.file,
            site=arguments.site,
            say=say,
            complain=complain,
        )


def run_key_create(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.access.key_command import create_key

    with _ready_database(settings) as url, connect(url, name="key") as connection:
        bound = (arguments.site, arguments.line)
        text = create_key(connection, arguments.role, *bound, name=arguments.name)
    say(text)
    return 0


def run_key_revoke(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.access.key_command import revoke_key

    with _ready_database(settings) as url, connect(url, name="key") as connection:
        text = revoke_key(connection, arguments.number)
    say(text)
    return 0


def run_key_list(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.access.key_command import list_keys

    with _ready_database(settings) as url, connect(url, name="key") as connection:
        say(list_keys(connection))
    return 0


def run_reader_create(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.access import readers

    with _ready_database(settings) as url, connect(url, name="reader") as connection:
        text = readers.create(connection, arguments.name, arguments.builds)
    say(f"a reader of every fin_ view; its address, shown once: {text}")
    return 0


def run_reader_drop(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.access import readers

    with _ready_database(settings) as url, connect(url, name="reader") as connection:
        readers.drop(connection, arguments.name)
    say(f"the reader {arguments.name} is gone")
    return 0


def run_agent_choose(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.ingest.replay import choose_run

    with _ready_database(settings) as url, connect(url, name="agent") as connection:
        text = choose_run(connection, arguments.site, arguments.agent, arguments.start)
    say(text)
    return 0


def run_aside_list(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.ingest.aside_command import list_aside

    with _ready_database(settings) as url, connect(url, name="aside") as connection:
        say(list_aside(connection, arguments.site))
    return 0


def run_aside_show(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.ingest.aside_command import show_aside

    with _ready_database(settings) as url, connect(url, name="aside") as connection:
        say(show_aside(connection, arguments.number, arguments.out))
    return 0


def run_aside_retry(arguments: argparse.Namespace, settings: Settings) -> int:
    from cloud_api.ingest.aside_command import retry_aside

    with _ready_database(settings) as url, connect(url, name="aside") as connection:
        text = retry_aside(connection, arguments.number)
    say(text)
    return 0
