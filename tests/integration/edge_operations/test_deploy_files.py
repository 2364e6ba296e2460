"""What is shipped beside the program names things that are there, and agrees with one another."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from edge_agent.config.load import load

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
ROLE = DEPLOY / "ansible" / "plantledger_agent"
UNIT = (DEPLOY / "systemd" / "plantledger-agent.service").read_text("utf-8")


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm", "plantledger-agent", "install.sh"])
def test_scripts_are_sound_for_any_posix_shell(name: str) -> None:
    checked = subprocess.run(["sh", "-n", str(DEPLOY / "packages" / name)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_example_config_is_sound_and_where_the_unit_looks() -> None:
    loaded = load(DEPLOY / "packages" / "agent.yaml.example", environment={}, hostname="gw-1")
    assert loaded.faults.lines() == []
    assert loaded.config is not None
    assert "ExecStart=/opt/plantledger-agent/current/bin/edge-agent run /etc/plantledger/agent.yaml" in UNIT
    assert loaded.config.buffer.path.is_relative_to("/var/lib/plantledger")
    assert "StateDirectory=plantledger\n" in UNIT


def test_the_unit_needs_no_program_but_the_agent_and_a_shell() -> None:
    """A minimal Debian has no /bin/kill."""
    programs = set(re.findall(r"^Exec\w+=-?(\S+)", UNIT, re.MULTILINE))
    assert programs == {"/opt/plantledger-agent/current/bin/edge-agent", "/bin/sh"}


def test_the_role_refuses_a_config_that_the_agent_refuses_and_hides_keys() -> None:
    tasks = YAML(typ="safe").load((ROLE / "tasks" / "main.yml").read_text("utf-8"))
    kinds = {task["name"]: task for task in tasks}
    config = kinds["Put the config in place where the agent accepts it"]["ansible.builtin.template"]
    assert (config["validate"], config["dest"]) == (
        "edge-agent check --folder /etc/plantledger %s",
        "/etc/plantledger/agent.yaml",
    )
    keys = kinds["Copy keys and passwords"]
    assert (keys["ansible.builtin.copy"]["mode"], keys["no_log"]) == ("0600", True)
    defaults = YAML(typ="safe").load((ROLE / "defaults" / "main.yml").read_text("utf-8"))
    used = set(re.findall(r"plantledger_agent_\w+", (ROLE / "tasks" / "main.yml").read_text("utf-8")))
    assert used == defaults.keys()
    handlers = YAML(typ="safe").load((ROLE / "handlers" / "main.yml").read_text("utf-8"))
    assert {task["notify"] for task in tasks if "notify" in task} == {each["name"] for each in handlers}


def test_the_container_copies_what_is_there_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "container" / "agent.Containerfile").read_text("utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert all((DEPLOY.parent / name).exists() for names in copied for name in names)
    assert not any("cloud_api" in name for names in copied for name in names)
    assert lines.index("USER 10001") < lines.index('ENTRYPOINT ["edge-agent"]')
