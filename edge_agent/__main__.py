"""``edge-agent``: from the command line to an exit code. Each command imports only what it needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.errors import AgentError

Command = Callable[[argparse.Namespace], int]


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-agent",
        description="Reads PLCs and meters, never writes to them, and delivers what they say to the cloud.",
        epilog="example:\n  edge-agent check gw-1.yaml && edge-agent run gw-1.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = _add(
        commands, "check", _check, "name every mistake of a config", "gw-1.yaml --plant plants/columbus"
    )
    check.add_argument("--plant", type=Path, metavar="DIR", help="compare names with this plant model")
    _add(commands, "run", _run, "run the agent until SIGTERM; SIGHUP reloads the config", "gw-1.yaml")
    read = _add(commands, "read", _read, "show each signal as it is now", "gw-1.yaml --watch")
    read.add_argument("--watch", action="store_true", help="again and again, until Ctrl-C")
    read.add_argument("--json", action="store_true", help="one JSON object a signal and line")
    read.add_argument("--only", metavar="TEXT", help="only signals whose machine.signal holds this text")
    _add(commands, "plan", _plan, "show what is asked of each device, and how often", "gw-1.yaml")
    status = _add(
        commands,
        "status",
        _status,
        "show buffer, delivery and sources; exit 1 while one is down",
        "gw-1.yaml",
    )
    status.add_argument("--json", action="store_true", help="as one JSON object")
    _add_buffer(commands)
    _add(
        commands,
        "schema",
        _schema,
        "print the JSON Schema for editors",
        "> edge.schema.json",
        file=False,
    )
    return parser


def _add_buffer(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    group = commands.add_parser(
        "buffer",
        help="look into the durable buffer, also while the agent runs",
        description="Looks into the durable buffer, also while the agent runs; changes nothing in it.",
        epilog="example:\n  edge-agent buffer inspect gw-1.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    place = "the config of this gateway (YAML), or the folder of a buffer"
    inspect = _add(
        actions, "buffer inspect", _inspect, "show streams, sizes and what waits for the cloud", "gw-1.yaml",
        what_file=place,
    )  # fmt: skip
    inspect.add_argument("--json", action="store_true", help="as one JSON object")
    _add(
        actions, "buffer verify", _verify, "check every check sum; exit 1 with the place of each that fails",
        "/var/lib/plantledger/buffer", what_file=place,
    )  # fmt: skip
    export = _add(
        actions, "buffer export", _export, "write the values as CSV or JSON lines",
        "gw-1.yaml --from 2026-11-22 --only press-1 -o values.csv", what_file=place,
    )  # fmt: skip
    export.add_argument("--format", choices=("csv", "jsonl"), help="default: by the name of OUT, else csv")
    export.add_argument("--from", dest="since", metavar="TIME", help="first instant (RFC 3339)")
    export.add_argument("--to", dest="until", metavar="TIME", help="end, not included")
    export.add_argument("--only", metavar="TEXT", help="only signals whose machine.signal holds this text")
    export.add_argument("--unacknowledged", action="store_true", help="only what waits for the cloud")
    export.add_argument("-o", "--out", type=Path, metavar="OUT", help="a file instead of standard output")


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Command,
    what: str,
    example: str,
    *,
    file: bool = True,
    what_file: str = "the config of this gateway (YAML)",
) -> argparse.ArgumentParser:
    """A command, or an action of one: ``name`` is what stands behind ``edge-agent``."""
    parser = commands.add_parser(
        name.rpartition(" ")[2],
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=f"example:\n  edge-agent {name} {example}".rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=command)
    if file:
        parser.add_argument("file", type=Path, metavar="FILE", help=what_file)
    return parser


def _check(options: argparse.Namespace) -> int:
    from edge_agent.tools.check import check

    return check(options.file, options.plant)


def _schema(options: argparse.Namespace) -> int:
    from edge_agent.tools.schema import schema

    return schema()


def _run(options: argparse.Namespace) -> int:
    from edge_agent.app import run

    return run(options.file)


def _read(options: argparse.Namespace) -> int:
    from edge_agent.app import read

    return read(options.file, watch=options.watch, as_json=options.json, only=options.only)


def _plan(options: argparse.Namespace) -> int:
    from edge_agent.tools.plan import plan

    return plan(options.file)


def _inspect(options: argparse.Namespace) -> int:
    from edge_agent.tools.buffer import inspect

    return inspect(options.file, as_json=options.json)


def _verify(options: argparse.Namespace) -> int:
    from edge_agent.tools.buffer import verify

    return verify(options.file)


def _export(options: argparse.Namespace) -> int:
    from edge_agent.tools.buffer import Wish, export
    from edge_agent.tools.moments import parsed

    wish = Wish(
        from_us=parsed(options.since, "--from") if options.since else None,
        to_us=parsed(options.until, "--to") if options.until else None,
        only=options.only,
        unacknowledged=options.unacknowledged,
    )
    out: Path | None = options.out
    by_name = "jsonl" if out is not None and out.suffix in (".jsonl", ".ndjson", ".json") else "csv"
    return export(options.file, out, as_csv=(options.format or by_name) == "csv", wish=wish)


def _status(options: argparse.Namespace) -> int:
    from edge_agent.tools.status import status

    return status(options.file, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
