"""``edge-agent``: from the command line to an exit code. Each command imports only what it needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from edge_agent.commands import Command, Parser, add
from edge_agent.errors import AgentError
from edge_agent.tool_commands import add_tools


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 when not, 2 for a command line that makes no sense."""
    options = _parser().parse_args(argv)
    command: Command = options.command
    try:
        return command(options)
    except AgentError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


class _Version(argparse.Action):
    """Prints the version of the installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        try:
            said = metadata.version("plantledger")
        except metadata.PackageNotFoundError:
            said = "(not installed as a package)"
        print(f"{parser.prog} {said}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="edge-agent",
        description="Reads PLCs and meters, never writes to them, and delivers what they say to the cloud.",
        epilog="example:\n  edge-agent check gw-1.yaml && edge-agent run gw-1.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = add(
        commands, "check", _check, "name every mistake of a config", "gw-1.yaml --plant plants/columbus"
    )
    check.add_argument("--plant", type=Path, metavar="DIR", help="compare names with this plant model")
    check.add_argument(
        "--folder", type=Path, metavar="DIR", help="paths in the config start here, not beside it"
    )
    add(commands, "run", _run, "run the agent until SIGTERM; SIGHUP reloads the config", "gw-1.yaml")
    read = add(commands, "read", _read, "show each signal as it is now", "gw-1.yaml --watch")
    read.add_argument("--watch", action="store_true", help="again and again, until Ctrl-C")
    read.add_argument("--json", action="store_true", help="one JSON object a signal and line")
    read.add_argument("--only", metavar="TEXT", help="only signals whose machine.signal holds this text")
    read.add_argument(
        "--record", type=Path, metavar="OUT", help="write raw values as CSV for edge-agent test"
    )
    add(commands, "plan", _plan, "show what is asked of each device, and how often", "gw-1.yaml")
    status = add(
        commands,
        "status",
        _status,
        "show buffer, delivery and sources; exit 1 while one is down",
        "gw-1.yaml",
    )
    status.add_argument("--json", action="store_true", help="as one JSON object")
    add_tools(commands)
    add(
        commands,
        "schema",
        _schema,
        "print the JSON Schema for editors",
        "> edge.schema.json",
        file=False,
    )
    return parser


def _check(options: argparse.Namespace) -> int:
    from edge_agent.tools.check import check

    return check(options.file, options.plant, options.folder)


def _schema(options: argparse.Namespace) -> int:
    from edge_agent.tools.schema import schema

    return schema()


def _run(options: argparse.Namespace) -> int:
    from edge_agent.app import run

    return run(options.file)


def _read(options: argparse.Namespace) -> int:
    from edge_agent.app import read, record

    if options.record is not None:
        return record(options.file, options.record, only=options.only, watch=options.watch)
    return read(options.file, watch=options.watch, as_json=options.json, only=options.only)


def _plan(options: argparse.Namespace) -> int:
    from edge_agent.tools.plan import plan

    return plan(options.file)


def _status(options: argparse.Namespace) -> int:
    from edge_agent.tools.status import status

    return status(options.file, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
