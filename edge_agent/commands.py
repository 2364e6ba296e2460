"""How a command of ``edge-agent`` is declared: its name, what it does, an example."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeAlias

Command = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """Whose every mistake of a command line ends with an example of a right one."""

    def error(self, message: str) -> NoReturn:
        if self.epilog:
            message = f"{message}; {' '.join(self.epilog.split())}, or see {self.prog} --help"
        super().error(message)


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def group(commands: Commands, name: str, what: str, example: str) -> Commands:
    """A command that has actions."""
    group = commands.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=f"example:\n  edge-agent {name} {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return group.add_subparsers(metavar="ACTION", required=True)


def add(
    commands: Commands,
    name: str,
    command: Command,
    what: str,
    example: str,
    *,
    file: bool = True,
    what_file: str = "the config of this gateway (YAML)",
) -> Parser:
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
