"""`cloud-api`: argv to exit code. 0 done, 1 it failed and why is said, 2 wrong arguments."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cloud_api import settings as configuration
from cloud_api.access.roles import KeyRole
from cloud_api.app import Role
from cloud_api.commands import (
    complain,
    run_agent_choose,
    run_aside_list,
    run_aside_retry,
    run_aside_show,
    run_backfill,
    run_key_create,
    run_key_list,
    run_key_revoke,
    run_load,
    run_migrate,
    run_reader_create,
    run_reader_drop,
    run_recompute,
    run_remap,
    run_serve,
)
from cloud_api.errors import CloudError
from cloud_api.settings import PREFIX, Settings

Command = Callable[[argparse.Namespace, Settings], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    command: Command = arguments.command
    if arguments.settings is not None:
        os.environ[configuration.SETTINGS] = str(arguments.settings.resolve())
    try:
        return command(arguments, configuration.read())
    except CloudError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted: nothing half done was kept")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloud-api",
        description="The cloud half of Plantledger: takes what agents send, prices it, and answers.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {configuration.version()}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    each = _command(
        commands, "serve", run_serve, "API, pages, ingest and interpreter",
        "cloud-api serve\n  PLANTLEDGER_DATABASE_URL=postgresql://... PLANTLEDGER_MQTT_URL=mqtts://... "
        "cloud-api serve --role ingest",
    )  # fmt: skip
    each.add_argument(
        "--role", type=_roles, default=list(Role), metavar="ROLES",
        help="comma list of api, ingest, interpret (default: all)",
    )  # fmt: skip
    _command(commands, "migrate", run_migrate, "brings the schema up to date", "cloud-api migrate")

    each = _command(commands, "load", run_load, "loads a plant model", "cloud-api load plants/columbus")
    each.add_argument("directory", type=Path, metavar="DIR", help="folder with site.yaml, standards.csv, ...")
    each.add_argument(
        "--correction", action="store_true", help="mends typing errors: replaces what was recorded"
    )
    each.add_argument("--author", default="", help="who loads it, for the record")

    each = _command(
        commands, "backfill", run_backfill, "loads history files",
        "cloud-api backfill --site columbus history-2026-*.csv",
    )  # fmt: skip
    each.add_argument("--site", required=True, help="site that the machines belong to")
    each.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="CSV or Parquet: time,machine,role,value[,quality]",
    )

    each = _command(
        commands, "recompute", run_recompute, "rebuilds figures from raw samples, or proves them",
        "cloud-api recompute --machine press-1 --from 2026-03-01 --to 2026-04-01 --prove",
    )  # fmt: skip
    each.add_argument("--site", help="only this site")
    each.add_argument("--machine", help="only this machine")
    each.add_argument("--from", dest="begin", metavar="TIME", help="date in the site's zone, or RFC 3339")
    each.add_argument("--to", dest="end", metavar="TIME", help="end, exclusive")
    each.add_argument(
        "--prove", action="store_true", help="changes nothing: compares, exits with 1 if they differ"
    )

    each = _command(
        commands, "remap", run_remap, "applies a corrected map to raw values in open periods",
        "cloud-api remap --machine press-1 --signal state --from 2026-03-01 states.csv",
    )  # fmt: skip
    each.add_argument("--machine", required=True)
    each.add_argument("--signal", required=True, help="name of the signal, as the agent's config has it")
    each.add_argument(
        "--from", dest="begin", required=True, metavar="TIME", help="date in the site's zone, or RFC 3339"
    )
    each.add_argument("--site", help="where several sites have a machine of this name")
    each.add_argument("file", type=Path, metavar="FILE", help="CSV of two columns: raw value and word")

    _key_commands(commands)
    _reader_commands(commands)
    _agent_commands(commands)
    _aside_commands(commands)
    return parser


def _key_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    group = commands.add_parser("key", help="API keys", description="API keys: made, listed, revoked.")
    keys = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    each = _command(
        keys, "create", run_key_create, "makes a key; it is the last word of the output",
        "cloud-api key create --role finance --site columbus",
    )  # fmt: skip
    each.add_argument("--role", required=True, choices=[str(role) for role in KeyRole])
    each.add_argument("--site", action="append", default=[], help="bind the key to a site; may be repeated")
    each.add_argument("--line", action="append", default=[], help="bind a floor key to a line")
    each.add_argument("--name", default="", help="what the key is for")
    _command(keys, "list", run_key_list, "every key, without the keys themselves", "cloud-api key list")
    each = _command(keys, "revoke", run_key_revoke, "ends a key", "cloud-api key revoke 3")
    each.add_argument("number", type=int, help="number of the key, as `key list` shows it")


def _reader_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    purpose = "database readers for Power BI, Excel and dbt"
    group = commands.add_parser("reader", help=purpose, description=purpose.capitalize() + ".")
    readers = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    each = _command(
        readers, "create", run_reader_create, "makes a role that reads the fin_ views of every site",
        "cloud-api reader create powerbi",
    )  # fmt: skip
    each.add_argument("name", help="name of the role: a-z, 0-9 and _")
    each.add_argument("--builds", action="store_true", help="with a schema of its name to build in")
    each = _command(readers, "drop", run_reader_drop, "ends a reader", "cloud-api reader drop powerbi")
    each.add_argument("name", help="name of the role")


def _agent_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    group = commands.add_parser("agent", help="agents in conflict", description="Agents in conflict.")
    agents = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    each = _command(
        agents, "choose", run_agent_choose, "says which of several runs of an agent id is the true one",
        "cloud-api agent choose gw-1 3fa4bf15 --site columbus",
    )  # fmt: skip
    each.add_argument("agent", help="id of the agent")
    each.add_argument("start", help="start of the true run: its first hex digits, as /v1/agents shows them")
    each.add_argument("--site", required=True, help="site of the agent")


def _aside_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    purpose = "messages that could not be used"
    group = commands.add_parser(
        "aside", help=purpose, description=purpose.capitalize() + ", with their bytes."
    )
    aside = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    each = _command(aside, "list", run_aside_list, "unresolved messages and why", "cloud-api aside list")
    each.add_argument("--site", help="only this site")
    number = "number of the message, as `aside list` shows it"
    each = _command(
        aside, "show", run_aside_show, "one message in full", "cloud-api aside show 17 --out message.bin"
    )
    each.add_argument("number", type=int, help=number)
    each.add_argument("--out", type=Path, metavar="FILE", help="write its bytes to a file")
    each = _command(
        aside, "retry", run_aside_retry, "tries a batch again, its cause mended", "cloud-api aside retry 17"
    )
    each.add_argument("number", type=int, help=number)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Command,
    purpose: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=purpose,
        description=purpose[0].upper() + purpose[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="file of NAME=value lines; the environment wins"
    )
    parser.set_defaults(command=command)
    return parser


def _roles(text: str) -> list[Role]:
    try:
        roles = sorted({Role(word.strip()) for word in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: roles are {', '.join(Role)}") from None
    return roles


def _settings_help() -> str:
    width = max(len(name) for name in configuration.NAMES) + len(PREFIX)
    lines = [f"  {PREFIX + name:<{width}}  {meaning}" for name, meaning in configuration.NAMES.items()]
    return "\n".join(
        ["settings, from the environment or a file (--settings):", *lines, "", "example:\n  cloud-api serve"]
    )


if __name__ == "__main__":
    sys.exit(main())
