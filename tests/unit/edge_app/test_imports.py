"""The agent alone: nothing of the cloud, and no library that only the cloud needs."""

from __future__ import annotations

import json
import subprocess
import sys

EVERYTHING = """
import importlib, json, pkgutil, sys
import edge_agent, shared
for package in (edge_agent, shared):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
CLOUD = {
    "cloud_api",
    "fastapi",
    "starlette",
    "uvicorn",
    "httpx",
    "jinja2",
    "psycopg",
    "psycopg_pool",
    "pyarrow",
}
NUMBERS = {"numpy", "scipy", "pandas"}


def test_all_of_the_agent_imports_nothing_of_the_cloud() -> None:
    done = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert {"edge_agent", "asyncua", "pymodbus", "paho"} <= loaded
    assert not loaded & (CLOUD | NUMBERS)
