"""Every tool of the agent explains itself, with an example that begins with its own name."""

from __future__ import annotations

import contextlib
import io

import pytest

from edge_agent.__main__ import main

COMMANDS = [
    "doctor",
    "bundle",
    "import-tags",
    "test",
    "probe",
    "browse",
    "trust",
    "cert",
    "cert create",
    "cert request",
    "cert install",
    "cert show",
    "buffer",
    "buffer inspect",
    "buffer verify",
    "buffer export",
]


def shown(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0), out.getvalue()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    code, text = shown(*command.split(), "--help")
    assert code == 0
    assert f"edge-agent {command}" in text.split("example:")[1]


def test_help_names_every_command() -> None:
    code, text = shown("--help")
    assert code == 0
    assert all(f"    {command.split()[0]}" in text for command in COMMANDS)
