"""The tools of ``edge-agent``: their options, and what each is given. Each imports only what it needs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.commands import Commands, add, group

if TYPE_CHECKING:
    from edge_agent.tools.cert import Wish
    from edge_agent.tools.target import Target

_SOURCE = "FILE:SOURCE of a config, HOST[:PORT], opc.tcp://HOST:4840, /dev/ttyUSB0 or COM3"


def add_tools(commands: Commands) -> None:
    """Every command that looks at something, and changes nothing that runs."""
    _add_doctor(commands)
    _add_probe(commands)
    _add_browse(commands)
    _add_import(commands)
    _add_test(commands)
    _add_trust(commands)
    _add_cert(commands)
    _add_buffer(commands)


def _add_doctor(commands: Commands) -> None:
    doctor = add(
        commands, "doctor", _doctor,
        "check all that a gateway needs, each with its mend; exit 1 if any fails", "gw-1.yaml",
    )  # fmt: skip
    doctor.add_argument("--json", action="store_true", help="as one JSON object")
    bundle = add(
        commands, "bundle", _bundle, "collect what support needs to see in a zip file, without secrets",
        "gw-1.yaml --log /var/log/plantledger.log",
    )  # fmt: skip
    bundle.add_argument("-o", "--out", type=Path, metavar="OUT", help="the zip file")
    bundle.add_argument(
        "--log", type=Path, action="append", default=[], metavar="FILE", help="its end goes along"
    )


def _add_probe(commands: Commands) -> None:
    probe = add(
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


def _add_browse(commands: Commands) -> None:
    browse = add(
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


def _add_import(commands: Commands) -> None:
    tags = add(
        commands, "import-tags", _import_tags, "print a tag list of a PLC tool as config to paste",
        "tags.csv --node 'nsu=urn:maker:server;s=[PLC]{name}'",
        what_file="Kepware CSV, TIA Portal xlsx or CSV, Studio 5000 CSV, Control Expert xsy, or any table",
    )  # fmt: skip
    tags.add_argument(
        "--node", metavar="PATTERN", help="OPC UA node of a tag, with {name} or any column in braces"
    )
    tags.add_argument("--machine", metavar="NAME", help="one machine for all tags, not one for each group")
    tags.add_argument(
        "--source", default="plc", metavar="NAME", help="the source that they are read from (plc)"
    )


def _add_test(commands: Commands) -> None:
    test = add(
        commands, "test", _test, "replay recorded raw values, compare what is sent; exit 1 on a difference",
        "configs/edge/tests/*.yaml", file=False,
    )  # fmt: skip
    test.add_argument("files", type=Path, nargs="+", metavar="FILE", help="tests: config, recording, expect")
    test.add_argument("--write", action="store_true", help="make what is sent now the expectation")


def _add_trust(commands: Commands) -> None:
    trust = add(
        commands, "trust", _trust, "show an OPC UA server's certificate, and trust it once it was compared",
        "gw-1.yaml:press-plc", file=False,
    )  # fmt: skip
    trust.add_argument("source", metavar="ENDPOINT", help="opc.tcp://HOST:4840, or FILE:SOURCE of a config")
    trust.add_argument(
        "--into", type=Path, metavar="PLACE", help="folder of trusted certificates (the source's)"
    )
    sure = trust.add_mutually_exclusive_group()
    sure.add_argument("--fingerprint", metavar="SHA256", help="accept a certificate of this fingerprint only")
    sure.add_argument("--yes", action="store_true", help="accept whatever the server shows")
    _add_typed(trust, modbus=False)


def _add_cert(commands: Commands) -> None:
    actions = group(
        commands, "cert", "make, request, install and show the gateway's own certificates", "show gw-1.yaml"
    )
    create = add(
        actions, "cert create", _cert_create, "make a key and a certificate signed by itself",
        "/etc/plantledger/gw-1", file=False,
    )  # fmt: skip
    create.add_argument("--renew", action="store_true", help="a new certificate for the key that is there")
    request = add(
        actions, "cert request", _cert_request, "write a request for a certificate authority",
        "/etc/plantledger/gw-1 --organization Ourselves", file=False,
    )  # fmt: skip
    for parser in (create, request):
        parser.add_argument(
            "base", type=Path, metavar="NAME", help="NAME.key, NAME.pem and NAME.csr are its files"
        )
        parser.add_argument("--host", default="", help="name of this gateway (the host's)")
        parser.add_argument("--uri", default="", help="of the application (urn:HOST:plantledger:edge-agent)")
        parser.add_argument("--organization", default="", help="whose it is")
        parser.add_argument(
            "--bits", type=int, choices=(2048, 3072, 4096), default=2048, help="of a new key (2048)"
        )
    create.add_argument("--days", type=int, default=1825, help="how long it is valid (1825)")
    install = add(
        actions, "cert install", _cert_install, "put a signed certificate beside its key",
        "/etc/plantledger/gw-1 signed.pem", file=False,
    )  # fmt: skip
    install.add_argument("base", type=Path, metavar="NAME", help="as it was given to cert request")
    install.add_argument(
        "signed", type=Path, metavar="SIGNED", help="certificate from the authority, PEM or DER"
    )
    add(
        actions, "cert show", _cert_show, "show certificates with their days left", "gw-1.yaml",
        what_file="a certificate, or a config: every certificate that it names",
    )  # fmt: skip


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


def _add_buffer(commands: Commands) -> None:
    actions = group(
        commands, "buffer", "look into the durable buffer, also while the agent runs", "inspect gw-1.yaml"
    )
    place = "the config of this gateway (YAML), or the folder of a buffer"
    inspect = add(
        actions, "buffer inspect", _inspect, "show streams, sizes and what waits for the cloud", "gw-1.yaml",
        what_file=place,
    )  # fmt: skip
    inspect.add_argument("--json", action="store_true", help="as one JSON object")
    add(
        actions, "buffer verify", _verify, "check every check sum; exit 1 with the place of each that fails",
        "/var/lib/plantledger/buffer", what_file=place,
    )  # fmt: skip
    export = add(
        actions, "buffer export", _export, "write the values as CSV or JSON lines",
        "gw-1.yaml --from 2026-11-22 --only press-1 -o values.csv", what_file=place,
    )  # fmt: skip
    export.add_argument("--format", choices=("csv", "jsonl"), help="default: by the name of OUT, else csv")
    export.add_argument("--from", dest="since", metavar="TIME", help="first instant (RFC 3339)")
    export.add_argument("--to", dest="until", metavar="TIME", help="end, not included")
    export.add_argument("--only", metavar="TEXT", help="only signals whose machine.signal holds this text")
    export.add_argument("--unacknowledged", action="store_true", help="only what waits for the cloud")
    export.add_argument("-o", "--out", type=Path, metavar="OUT", help="a file instead of standard output")


def _doctor(options: argparse.Namespace) -> int:
    from edge_agent.app import doctor

    return doctor(options.file, as_json=options.json)


def _bundle(options: argparse.Namespace) -> int:
    from edge_agent.app import bundle

    return bundle(options.file, options.out, options.log)


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


def _import_tags(options: argparse.Namespace) -> int:
    from edge_agent.tools.import_tags import import_tags

    return import_tags(options.file, node=options.node, machine=options.machine, source=options.source)


def _test(options: argparse.Namespace) -> int:
    from edge_agent.tools.plant_test import test

    return test(options.files, write=options.write)


def _trust(options: argparse.Namespace) -> int:
    from edge_agent.tools.trust import trust

    return trust(
        _target(options),
        options.into,
        _now_us(),
        yes=options.yes,
        fingerprint=options.fingerprint,
        ask=input if sys.stdin.isatty() else None,
    )


def _wish(options: argparse.Namespace) -> Wish:
    from edge_agent.tools.cert import Wish

    days = {"days": options.days} if "days" in options else {}
    return Wish(
        host=options.host, uri=options.uri, organization=options.organization, bits=options.bits, **days
    )


def _cert_create(options: argparse.Namespace) -> int:
    from edge_agent.tools.cert import create

    return create(options.base, _wish(options), _now_us(), renew=options.renew)


def _cert_request(options: argparse.Namespace) -> int:
    from edge_agent.tools.cert import request

    return request(options.base, _wish(options))


def _cert_install(options: argparse.Namespace) -> int:
    from edge_agent.tools.cert import install

    return install(options.base, options.signed, _now_us())


def _cert_show(options: argparse.Namespace) -> int:
    from edge_agent.tools.cert import show

    return show(options.file, _now_us())


def _now_us() -> int:
    from edge_agent.app.clock import SystemClock

    return SystemClock().now_us()


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
