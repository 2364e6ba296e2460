"""`cloud-api` as people type it: help with an example, exit codes, errors as what: where: what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from tests.contract.cli_cloud.process import run

COMMANDS = [
    ("serve",),
    ("migrate",),
    ("load",),
    ("backfill",),
    ("recompute",),
    ("remap",),
    ("key", "create"),
    ("key", "list"),
    ("key", "revoke"),
    ("agent", "choose"),
    ("aside", "list"),
    ("aside", "show"),
    ("aside", "retry"),
]


def help_of(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    from cloud_api.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    told = help_of(words, capsys)
    assert re.search(r"example:\n  .*cloud-api " + " ".join(words), told)


def test_wrong_arguments_exit_with_2() -> None:
    assert run("load").returncode == 2
    assert run("serve", "--role", "cook").returncode == 2


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"cloud-api \d+\.\d+\.\d+\n", run("--version").stdout)


def test_a_key_is_printed_once_as_the_last_word(plain_database: str) -> None:
    made = run("key", "create", "--role", "finance", "--site", "columbus", DATABASE_URL=url(plain_database))
    assert made.returncode == 1
    assert "columbus" in made.stderr
    with psycopg.connect(plain_database) as connection:
        connection.execute("insert into sites values ('columbus')")
    made = run("key", "create", "--role", "finance", "--site", "columbus", DATABASE_URL=url(plain_database))
    assert (made.returncode, made.stderr) == (0, "")
    key = made.stdout.split()[-1]
    listed = run("key", "list", DATABASE_URL=url(plain_database))
    assert key not in listed.stdout
    assert "finance" in listed.stdout


def test_migrate_says_what_it_did(empty_database: str) -> None:
    refused = run("key", "list", DATABASE_URL=url(empty_database))
    assert refused.returncode == 1
    assert re.match(r"the database lacks migrations: 0001_chain.sql.*: run cloud-api migrate", refused.stderr)
    first = run("migrate", DATABASE_URL=url(empty_database))
    assert (first.returncode, "applied 0001_chain.sql" in first.stdout) == (0, True)
    second = run("migrate", DATABASE_URL=url(empty_database))
    assert (second.returncode, second.stdout) == (0, "the schema is up to date\n")


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (("migrate",), {"HTTP_PORT": "x"}, "1 bad setting: "),
        (("migrate",), {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "the database cannot be reached: "),
        (("serve",), {"HTTP_HOST": "0.0.0.0"}, "refusing to serve beyond loopback without TLS: "),
        (("serve", "--role", "ingest,api"), {}, "some roles alone need shared parts: "),
        (
            ("serve", "--role", "ingest"),
            {"DATABASE_URL": "postgresql://h/x"},
            "some roles alone need shared parts: ",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    words: tuple[str, ...], settings: dict[str, str], told: str, tmp_path: Path
) -> None:
    done = run(*words, DATA_DIR=str(tmp_path), **settings)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(told)
    assert "Traceback" not in done.stderr


def url(conninfo: str) -> str:
    info = psycopg.conninfo.conninfo_to_dict(conninfo)
    return f"postgresql://{info['user']}:{info['password']}@{info['host']}:{info['port']}/{info['dbname']}"
