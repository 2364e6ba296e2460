"""The keys of a config, their kinds and defaults, each once: check, schema and documentation are made from
here.
"""

from __future__ import annotations

from dataclasses import replace

from edge_agent.config.devices import device_names
from edge_agent.config.kinds import (
    BOOLEAN,
    NAME,
    NODE,
    NUMBER,
    PATH,
    RANGE,
    REGISTER,
    STEPS,
    TEXT,
    TYPE,
    VALUE,
    duration,
    integer,
    numbers,
    size,
    words,
)
from edge_agent.config.section import Choice, Either, Field, Free, ListOf, Many, Named, Pairs, Table
from edge_agent.core.buffer_policy import AtCap
from shared.roles import Fall, Role

SECOND = 1_000_000
DAY = 86_400 * SECOND
POLICIES = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
DEPRECATED = ("Basic256",)
"""Policies that the OPC Foundation withdrew: SHA-1."""
ORDER = words("big", "little")
MODE = words("subscribe", "poll")
ENCODINGS = words("latin-1", "utf-8", "ascii", "cp1252", "utf-16-be", "utf-16-le")
_NO_PASSWORD = (
    "passwords do not stand in configs; put it into a file of mode 0600 and name it as password_file"
)

AGENT = Table(
    "section",
    (
        Field(
            "id",
            NAME,
            "Name of this gateway; unique within the site, part of its MQTT topics.",
            required=True,
        ),
        Field("site", NAME, "The site whose plant model knows the machines.", required=True),
    ),
)
UPLINK = Table(
    "section",
    (
        Field(
            "url",
            TEXT,
            "mqtts://broker:8883 or wss://broker:443/mqtt; mqtt:// on loopback only.",
            required=True,
        ),
        Field("ca", PATH, "Certificates that sign the broker's; the system's where absent."),
        Field("certificate", PATH, "This gateway's certificate for the broker."),
        Field("key", PATH, "Its private key, mode 0600."),
        Field("user", TEXT, "User of the broker."),
        Field("password_file", PATH, "File of mode 0600 with the password."),
        Field("proxy", TEXT, "http://proxy:3128, an HTTP proxy on the way to the broker."),
        Field("proxy_user", TEXT, "User of the proxy."),
        Field("proxy_password_file", PATH, "File of mode 0600 with the proxy's password."),
        Field("max_packet", size(16_384, 268_435_455), "Largest MQTT packet (256 KiB).", default=262_144),
        Field("allow_plaintext", BOOLEAN, "Permit mqtt:// beyond loopback.", default=False),
    ),
    {
        "password": _NO_PASSWORD,
        "host": "write url: mqtts://HOST:8883",
        "port": "write url: mqtts://HOST:8883",
    },
)
BUFFER = Table(
    "section",
    (
        Field("path", PATH, "Folder of the durable buffer.", default="/var/lib/plantledger/buffer"),
        Field("max_size", size(1024**2, 1024**5), "Cap of the buffer on disk (2 GiB).", default=2 * 1024**3),
        Field("reserve", size(0, 1024**5), "Left free on the disk (256 MiB).", default=256 * 1024**2),
        Field(
            "commit_window",
            duration(1000, 10 * SECOND),
            "Longest wait for an fsync (250 ms).",
            default=250_000,
        ),
        Field("keep", duration(0, 365 * DAY), "Acknowledged data stays this long (24 h).", default=DAY),
        Field(
            "at_cap",
            words(*AtCap),
            "What goes when it is full: the oldest data, every second value, or what is new.",
            default="drop_oldest",
        ),
    ),
)
METRICS = Table(
    "section",
    (Field("port", integer(1, 65_535), "Port on 127.0.0.1 (9464).", default=9464),),
    {"host": "metrics are on loopback only", "address": "metrics are on loopback only"},
)
TIME = Table(
    "section",
    (
        Field("use", words("source", "gateway"), "Whose clock dates values."),
        Field("tolerance", duration(0, DAY), "Beyond it both times are kept (5 s).", default=5 * SECOND),
    ),
)
SECURITY = Table(
    "section",
    (
        Field(
            "policy",
            words(*POLICIES, *DEPRECATED),
            "Security policy of the server's endpoint.",
            required=True,
        ),
        Field(
            "mode",
            words("SignAndEncrypt", "Sign"),
            "Signed and encrypted, or signed only.",
            default="SignAndEncrypt",
        ),
        Field("certificate", PATH, "This client's certificate, DER or PEM.", required=True),
        Field("key", PATH, "Its private key, mode 0600.", required=True),
        Field("trusted", PATH, "The server's certificate, or a folder of trusted ones.", required=True),
        Field("allow_deprecated", BOOLEAN, "Permit Basic256, which rests on SHA-1 (false).", default=False),
    ),
)
_COMMON = (
    Field("interval", duration(10_000, DAY), "Scanning or sampling interval (1 s).", default=SECOND),
    Field("timeout", duration(50_000, 600 * SECOND), "Longest wait for an answer (3 s).", default=3 * SECOND),
    Field("grace", duration(0, DAY), "A failed scan repaired within it is no loss (3 intervals)."),
    Field("time", TIME, "Whose clock dates values, and how far the clocks may differ."),
)
_MODBUS = (
    Field("unit", integer(0, 255), "Unit id of the device (1).", default=1),
    Field("byte_order", ORDER, "Order of the bytes in a register (big).", default="big"),
    Field("word_order", ORDER, "Order of the registers of a value (big).", default="big"),
    Field(
        "address_base", numbers(0, 1), "Number that the tag list gives to the first register (0).", default=0
    ),
    Field("pause", duration(0, 60 * SECOND), "Rest between two requests (0 s).", default=0),
    Field("max_registers", integer(1, 125), "Most registers of one request (125).", default=125),
    Field(
        "max_gap", integer(0, 125), "Most registers read in vain to save a request (as it pays).", default=125
    ),
    Field("forbidden", ListOf(RANGE), "Ranges that are never read."),
)


def _host(default_port: int) -> tuple[Field, ...]:
    return (
        Field("host", TEXT, "Address of the device or its gateway.", required=True),
        Field("port", integer(1, 65535), f"TCP port ({default_port}).", default=default_port),
    )


def _source(name: str, *fields: Field) -> Table:
    return Table(
        "source", (Field("type", words(name), "Kind of the source.", required=True), *fields), _SOURCE_MEANT
    )


_SOURCE_MEANT = {
    "password": _NO_PASSWORD,
    "slave": "write unit",
    "slave_id": "write unit",
    "device_id": "write unit",
    "unit_id": "write unit",
    "url": "an OPC UA source has an endpoint, a Modbus source host and port",
}
SOURCE = Choice(
    "type",
    {
        "opcua": _source(
            "opcua",
            Field("endpoint", TEXT, "opc.tcp://host:4840", required=True),
            Field(
                "security", Either("none", SECURITY), "How it is secured, or none in words.", required=True
            ),
            Field("user", TEXT, "User of the server."),
            Field("password_file", PATH, "File of mode 0600 with the password."),
            Field("user_certificate", PATH, "Certificate of the user, DER or PEM, instead of a name."),
            Field("user_key", PATH, "Its private key, mode 0600."),
            Field(
                "mode",
                MODE,
                "Whether the server reports changes, or is asked (subscribe).",
                default="subscribe",
            ),
            *_COMMON,
        ),
        "modbus-tcp": _source("modbus-tcp", *_host(502), *_COMMON, *_MODBUS),
        "modbus-rtu-tcp": _source("modbus-rtu-tcp", *_host(502), *_COMMON, *_MODBUS),
        "modbus-rtu": _source(
            "modbus-rtu",
            Field("device", TEXT, "Serial device such as /dev/ttyUSB0.", required=True),
            Field(
                "baud",
                numbers(1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200),
                "Speed (9600).",
                default=9600,
            ),
            Field("parity", words("even", "odd", "none"), "Parity (even).", default="even"),
            Field("stop_bits", numbers(1, 2), "Stop bits (1).", default=1),
            *_COMMON,
            *_MODBUS,
        ),
    },
    "source",
)
RULE = Table(
    "rule",
    (
        Field("when", TEXT, "An expression of tags, such as run and speed > 0.5."),
        Field("is", TEXT, "The word where it holds."),
        Field("else", TEXT, "The word where no rule before it holds."),
    ),
)
_READ = (
    Field("node", NODE, "OPC UA node id, for example nsu=urn:maker:line;s=Press1.State."),
    Field("register", REGISTER, "Modbus address, for example holding:100, 40101 or %MW100."),
    Field("path", STEPS, "An element or field of the node's value: [3], .Speed, .Axes[2].Speed."),
    Field("unit", TEXT, "Unit of the value (kWh, °C), or as a whole number the Modbus unit id."),
    Field("modbus_unit", integer(0, 255), "Modbus unit id, where unit is the unit of the value."),
    Field("source", TEXT, "Source of this value, where it is not the machine's."),
    Field("mode", MODE, "Of an OPC UA value, where it is not the source's: subscribe or poll."),
    Field("type", TYPE, "uint16 int16 uint32 int32 uint64 int64 float32 float64 string(N) s7string(N)."),
    Field("byte_order", ORDER, "Order of the bytes in a register."),
    Field("word_order", ORDER, "Order of the registers of the value."),
    Field("encoding", ENCODINGS, "Characters of a string (latin-1)."),
    Field("mask", integer(1, 2**64 - 1), "Bits that are kept, before map."),
    Field("bit", integer(0, 63), "One bit of the value; 0 is the least significant."),
    Field("invalid", ListOf(VALUE), "Raw values that mean 'no value'."),
    Field("scale", NUMBER, "value = raw x scale + offset (1).", default=1),
    Field("offset", NUMBER, "value = raw x scale + offset (0).", default=0),
    Field("map", Pairs(), "Value to word; a state's words are the seven states."),
    Field("map_file", PATH, "CSV of two columns, value and word, instead of map."),
    Field("deadband", NUMBER, "Smaller changes are not sent (none)."),
    Field("longest_silence", duration(SECOND, 7 * DAY), "Sent again after it (5 min).", default=300 * SECOND),
    Field("interval", duration(10_000, DAY), "Scanning interval, where it is not the source's."),
)
_SIGNAL_MEANT = {
    "address": "write node (OPC UA) or register (Modbus)",
    "tag": "write node (OPC UA) or register (Modbus)",
    "datatype": "write type",
    "data_type": "write type",
    "multiplier": "write scale",
    "factor": "write scale",
    "slave": "write unit",
}
SIGNAL = Table(
    "signal",
    (
        Field("role", words(*Role), "What the signal means, where its name is no role (measure)."),
        *_READ,
        Field("item", TEXT, "The material of a material counter."),
        Field("fall", words(*Fall), "What a fall of a counter means."),
        Field("rollover", integer(2, 2**64), "Raw units after which a counter starts again at 0."),
        Field("integrate", BOOLEAN, "Turn a power (kW) into energy (kWh).", default=False),
        Field("rules", Many(RULE), "The first rule that holds gives the word; tags are its inputs."),
        Field(
            "settle", duration(0, 600 * SECOND), "Shorter flickers of rules are not told (0 s).", default=0
        ),
        Field("first_bit", TEXT, "A tag: its lowest set bit gives the word by map."),
        Field("count", words("rising"), "Count the rising edges of a tag."),
        Field("of", TEXT, "The tag whose edges are counted."),
    ),
    _SIGNAL_MEANT,
)
TAG = Table(
    "tag",
    (*_READ, Field("send", BOOLEAN, "Send it as a measure, too (false).", default=False)),
    {**_SIGNAL_MEANT, "role": "a tag has no role; write it under signals"},
)
ALIVE = Table(
    "section",
    (
        *_READ,
        Field("within", duration(SECOND, DAY), "It must change within it.", required=True),
    ),
    _SIGNAL_MEANT,
)
MACHINE = Table(
    "machine",
    (
        Field("line", TEXT, "The line that the machine stands in.", required=True),
        Field("source", TEXT, "The source of its signals."),
        Field("unit", integer(0, 255), "Modbus unit id of the machine."),
        Field("device", words(*device_names()), "A preset whose signals it has, under its own."),
        Field("alive", ALIVE, "A heartbeat: while it stands still, the machine's signals are bad."),
        Field("tags", Named(TAG), "Values that are read for rules and counts."),
        Field("signals", Named(SIGNAL), "Its signals, by role or name.", required=True),
    ),
)
TYPED_MACHINE = Table(
    "machine",
    (
        Field("type", TEXT, "The type that it is made from.", required=True),
        Field("with", Free({"type": "object"}), "The values of the type's parameters."),
        *(replace(f, required=f.name == "line") for f in MACHINE.fields),
    ),
)
"""A machine as it is written where it has a type; ``config.types`` makes an ordinary one of it."""
EQUIPPED_MACHINE = Table(
    "machine", tuple(replace(f, required=f.name in ("line", "device")) for f in MACHINE.fields)
)
"""A machine as it is written where a preset gives it its signals."""
_TYPE = Table(
    "type",
    (
        Field(
            "parameters",
            Free({"type": "object", "additionalProperties": {"enum": ["integer", "number", "text", "file"]}}),
            "Names and kinds of what differs from machine to machine; used as ${NAME} or ${NAME + 10}.",
        ),
        *(
            replace(f, required=False)
            for f in MACHINE.fields
            if f.name in ("device", "alive", "tags", "signals")
        ),
    ),
)
_INSTANCE = Table(
    "instance",
    (
        Field("type", TEXT, "The type of its machines.", required=True),
        Field("csv", PATH, "Columns machine, line, source, unit and the parameters.", required=True),
    ),
)
ROOT = Table(
    "file",
    (
        Field("agent", AGENT, "Which gateway this is.", required=True),
        Field("uplink", UPLINK, "The MQTT broker; the one outgoing connection.", required=True),
        Field("buffer", BUFFER, "The durable buffer."),
        Field("metrics", METRICS, "What a Prometheus on this machine may scrape; absent: nothing listens."),
        Field("sources", Named(SOURCE), "PLCs, meters and servers, by name.", required=True),
        Field(
            "machines", Named(MACHINE), "Machines by the name that the plant model gives them.", required=True
        ),
        Field("types", Named(_TYPE), "Machines that are alike, once."),
        Field("instances", Many(_INSTANCE), "Machines of a type, one row each."),
        Field("include", ListOf(PATH), "More files with sources, types, machines, such as conf.d/*.yaml."),
    ),
)
"""types, instances and include are gone when this table is read: they have made sources and machines."""
