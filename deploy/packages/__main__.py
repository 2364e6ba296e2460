"""Builds the edge agent's packages: ``python -m deploy.packages --architecture amd64``.

Each package carries every library it needs, as wheels unpacked for one Python (by default 3.11, that of
Debian 12) and one architecture, and nothing of the cloud. It needs no network where it is installed.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "deploy" / "packages"
OURS = ("shared", "edge_agent")
PLATFORMS = {"amd64": "x86_64", "arm64": "aarch64"}
NEWEST_GLIBC = 36
"""Of Debian 12; a wheel that needs a newer one is not taken."""
LAUNCHER = """\
#!{interpreter} -IS
# The libraries beside this file, and no others.
import sys
if sys.version_info[:2] != {version}:
    sys.exit("edge-agent needs Python {dotted}, this is " + sys.version.split()[0])
from os.path import dirname, realpath
sys.path.insert(0, dirname(dirname(realpath(__file__))) + "/lib")
"""
PROGRAMS = {
    "edge-agent": "from edge_agent.__main__ import main\nsys.exit(main())\n",
    "starts-here": "import edge_agent.app.service, edge_agent.adapters.opcua, edge_agent.adapters.mqtt\n",
}
"""starts-here fails where a library does not load on the machine: before anything is switched to it."""
CONTROL = """\
Package: plantledger-agent
Version: {version}
Architecture: {architecture}
Maintainer: Plantledger <plantledger@localhost>
Section: net
Priority: optional
Depends: python{python} (>= {python}), libc6 (>= 2.28), passwd
Recommends: ca-certificates
Installed-Size: {size}
Description: Edge agent of Plantledger
 Reads PLCs and meters over OPC UA and Modbus, never writes to them, keeps what it saw
 in a durable buffer, and delivers it over MQTT until the cloud has it for good.
"""


def requirements() -> list[str]:
    """Of the agent, as pyproject.toml states them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["agent"]]


def from_registry(lib: Path, architecture: str, python: str) -> None:
    """Wheels for another machine, by the versions of constraints.txt."""
    machine = PLATFORMS[architecture]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, 4, -1)]
    tags += [f"manylinux2014_{machine}", "any"]
    asked = ["--target", str(lib), "--only-binary=:all:", "--no-compile", "--quiet", "--implementation", "cp"]
    asked += ["--python-version", python, "--constraint", str(ROOT / "constraints.txt")]
    asked += [part for tag in tags for part in ("--platform", tag)]
    subprocess.run([sys.executable, "-m", "pip", "install", *asked, *requirements()], check=True)


def from_environment(lib: Path) -> None:
    """What is installed beside this Python, compiled code included, for a package of this very machine."""
    wanted, done = [Requirement(each) for each in requirements()], set[str]()
    while wanted:
        found = distribution(wanted.pop().name)
        if found.name in done:
            continue
        done.add(found.name)
        for file in found.files or ():
            place = Path(str(found.locate_file(file)))
            if ".." not in file.parts and place.is_file():
                (lib / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(place, lib / file)
        further = [Requirement(each) for each in found.requires or ()]
        wanted += [each for each in further if each.marker is None or each.marker.evaluate({"extra": ""})]


def build_tree(folder: Path, version: str, interpreter: Path, python: str, *, fast: bool) -> None:
    """What stands in a version's folder, around lib/."""
    lib = folder / "lib"
    for name in OURS:
        shutil.copytree(ROOT / name, lib / name, ignore=shutil.ignore_patterns("__pycache__"))
    about = lib / f"plantledger-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: plantledger\nVersion: {version}\n", "utf-8"
    )
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if f"{sys.version_info.major}.{sys.version_info.minor}" == python and not fast:
        compileall.compile_dir(lib, quiet=2, invalidation_mode=unchecked, stripdir=str(folder), workers=1)
    numbers = tuple(map(int, python.split(".")))
    head = LAUNCHER.format(interpreter=interpreter, version=numbers, dotted=python)
    (folder / "bin").mkdir()
    for name, program in PROGRAMS.items():
        (folder / "bin" / name).write_text(head + program, "utf-8")
    (folder / "VERSION").write_text(version + "\n", "utf-8")


def build_deb(
    folder: Path, dist: Path, version: str, architecture: str, python: str, out: Path, *, fast: bool
) -> Path:
    """A Debian package of a version's folder, made in an empty folder."""
    copied = {
        "plantledger-agent": "usr/sbin/plantledger-agent",
        "default": "etc/default/plantledger-agent",
        "agent.yaml.example": "usr/share/doc/plantledger-agent/agent.yaml.example",
        "../systemd/plantledger-agent.service": "usr/lib/systemd/system/plantledger-agent.service",
        "../../docs/operations.md": "usr/share/doc/plantledger-agent/operations.md",
    }
    for name, place in copied.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / name, folder / place)
    (folder / "usr" / "bin").mkdir()
    (folder / "usr" / "bin" / "edge-agent").symlink_to("../../opt/plantledger-agent/current/bin/edge-agent")
    shutil.copytree(dist, folder / "opt" / "plantledger-agent" / "dist" / version, copy_function=os.link)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1024
    told = {"version": version, "architecture": architecture, "python": python, "size": size}
    control = folder / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(CONTROL.format(**told), "utf-8")
    (control / "conffiles").write_text("/etc/default/plantledger-agent\n", "utf-8")
    for name in ("postinst", "prerm", "postrm"):
        _script(HERE / name, control / name, version)
    made = out / f"plantledger-agent_{version}_{architecture}.deb"
    press = ["-Zgzip", "-z1"] if fast else ["-Zxz"]
    asked = ["dpkg-deb", "--root-owner-group", *press, "--build", str(folder), str(made)]
    subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
    return made


def build_bundle(folder: Path, dist: Path, version: str, architecture: str, out: Path, *, fast: bool) -> Path:
    """The same for machines without dpkg: a tar file with an install script."""
    name = f"plantledger-agent-{version}-{architecture}"
    root = folder / name
    shutil.copytree(dist, root / "dist", copy_function=os.link)
    for each in ("plantledger-agent", "agent.yaml.example", "install.sh"):
        shutil.copy(HERE / each, root / each)
    _script(HERE / "postinst", root / "postinst", version)
    shutil.copy(HERE / "../systemd/plantledger-agent.service", root)
    shutil.copy(ROOT / "docs" / "operations.md", root)
    made = out / f"{name}.tar.gz"
    with tarfile.open(made, "w:gz", compresslevel=1 if fast else 9) as tar:
        tar.add(root, name, filter=_owned_by_root)
    return made


def _script(source: Path, target: Path, version: str) -> None:
    target.write_text(source.read_text("utf-8").replace("@VERSION@", version), "utf-8")
    target.chmod(0o755)


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def main() -> int:
    """Build what is asked for; prints the file of each package."""
    parser = argparse.ArgumentParser(prog="python -m deploy.packages", description=__doc__)
    parser.add_argument("--architecture", choices=PLATFORMS, default="amd64")
    parser.add_argument("--python", default="3.11", help="the one on the gateway (3.11)")
    parser.add_argument("--interpreter", type=Path, help="its path (/usr/bin/pythonX.Y)")
    parser.add_argument("--version", help="of the package, by default that of the project")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--from-environment", action="store_true", help="take the libraries of this Python")
    parser.add_argument("--fast", action="store_true", help="press little, for a try")
    asked = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    version = asked.version or project["version"]
    interpreter = asked.interpreter or Path(f"/usr/bin/python{asked.python}")
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.out) as name:
        work = Path(name)
        dist = work / "dist"
        (dist / "lib").mkdir(parents=True)
        if asked.from_environment:
            from_environment(dist / "lib")
        else:
            from_registry(dist / "lib", asked.architecture, asked.python)
        build_tree(dist, version, interpreter, asked.python, fast=asked.fast)
        for path in (dist, *dist.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        target = (dist, version, asked.architecture)
        print(build_deb(work / "deb", *target, asked.python, asked.out, fast=asked.fast))
        print(build_bundle(work / "bundle", *target, asked.out, fast=asked.fast))
    return 0


if __name__ == "__main__":
    sys.exit(main())
