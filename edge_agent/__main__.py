"""``edge-agent``: from the command line to an exit code. Each command imports only what it needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.errors import AgentError

if TYPE_CHECKING:
    from edge_agent.tools.target import Target

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
    _add_probe(commands)
    _add_browse(commands)
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


def _add_probe(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    probe = _add(
        commands, "probe", _probe, "show what stands at an address, in every type and order",
        "10.0.0.6 holding:100 --unit 1", file=False,
    )  # fmt: skip
    probe.add_argument("source", metavar="SOURCE", help=_SOURCE)
    probe.add_argument("address", metavar="ADDRESS", help="holding:100, 40101, %%MW100, ns=2;s=Press1.State")
    probe.add_argument(
        "--count", type=int, metavar="N", help="registers (4), or bits of a table of bits (16)"
    )
    probe.add_argument("--json", action="store_true", help="as one JSON object")
    _add_typed(probe, modbus=True)


def _add_browse(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    browse = _add(
        commands, "browse", _browse, "show what an OPC UA server has, as a tree or as config",
        "opc.tcp://10.0.0.5:4840 --match '*press1*' --yaml", file=False,
    )  # fmt: skip
    browse.add_argument("source", metavar="ENDPOINT", help="opc.tcp://HOST:4840, or FILE:SOURCE of a config")
    browse.add_argument("--under", default="i=85", metavar="NODE", help="begin at this node (i=85, Objects)")
    browse.add_argument(
        "--match", metavar="TEXT", help="part of a path or node id, or a pattern with * and ?"
    )
    browse.add_argument("--depth", type=int, metavar="N", help="levels below the first node (all)")
    browse.add_argument("--values", action="store_true", help="with type and value of each variable")
    form = browse.add_mutually_exclusive_group()
    form.add_argument("--yaml", action="store_true", help="as config to paste")
    form.add_argument("--json", action="store_true", help="one JSON object a node and line")
    _add_typed(browse, modbus=False)


_SOURCE = "FILE:SOURCE of a config, HOST[:PORT], opc.tcp://HOST:4840, /dev/ttyUSB0 or COM3"


def _add_typed(parser: argparse.ArgumentParser, *, modbus: bool) -> None:
    """Options for an address that stands in no config."""
    typed = parser.add_argument_group("for an address that stands in no config")
    if modbus:
        typed.add_argument("--unit", type=int, metavar="N", help="unit id of the Modbus device (1)")
        typed.add_argument("--rtu", action="store_true", help="serial frames inside TCP")
        typed.add_argument("--baud", type=int, default=9600, help="of a serial line (9600)")
        typed.add_argument("--parity", choices=("even", "odd", "none"), default="even", help="(even)")
        typed.add_argument("--stop-bits", type=int, choices=(1, 2), default=1, help="(1)")
    typed.add_argument("--timeout", type=float, default=3.0, metavar="S", help="seconds for a request (3)")
    typed.add_argument(
        "--certificate", type=Path, metavar="FILE", help="our certificate; without it no security"
    )
    typed.add_argument("--key", type=Path, metavar="FILE", help="its private key")
    typed.add_argument("--trusted", type=Path, metavar="PLACE", help="certificate of the server, or a folder")
    typed.add_argument("--policy", default="Basic256Sha256", help="(Basic256Sha256)")
    typed.add_argument("--mode", choices=("Sign", "SignAndEncrypt"), default="SignAndEncrypt")
    typed.add_argument("--user", help="user of the OPC UA server")
    typed.add_argument("--password-file", type=Path, metavar="FILE", help="file with the user's password")


def _target(options: argparse.Namespace) -> Target:
    from edge_agent.tools.target import Typed, target_of

    given = {
        name: getattr(options, name)
        for name in ("unit", "rtu", "baud", "parity", "stop_bits")
        if name in options
    }
    typed = Typed(
        timeout_s=options.timeout,
        policy=options.policy,
        mode=options.mode,
        certificate=options.certificate,
        key=options.key,
        trusted=options.trusted,
        user=options.user,
        password_file=options.password_file,
        **given,
    )
    return target_of(options.source, typed)


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


def _probe(options: argparse.Namespace) -> int:
    from edge_agent.app.clock import SystemClock
    from edge_agent.tools.probe import probe

    return probe(
        _target(options),
        options.address,
        SystemClock(),
        unit=options.unit,
        count=options.count,
        as_json=options.json,
    )


def _browse(options: argparse.Namespace) -> int:
    from edge_agent.tools.browse import Look, browse

    described = options.values or options.yaml
    look = Look(options.under, options.match, options.depth, described)
    return browse(_target(options), look, as_yaml=options.yaml, as_json=options.json)


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
