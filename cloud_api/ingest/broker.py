"""The embedded broker: mosquitto where it is installed, else amqtt; its own process, on loopback.

Its URL stands in DATA_DIR/broker.url while it runs, so that agents on this machine find it. It comes back on
the port it had (DATA_DIR/broker.port), for agents have that in their config. It keeps nothing: agents hold
what is not acknowledged.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cloud_api.errors import CloudError
from cloud_api.store.children import end, end_with_parent
from cloud_api.store.ports import kept_port

URL_FILE = "broker.url"
PORT_FILE = "broker.port"
START_S = 20.0
STOP_S = 5.0
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@dataclass
class EmbeddedBroker:
    """A broker as a child process. port: 0 until it is started first; a restart takes the same again, unless
    something else has taken it meanwhile."""

    data_dir: Path
    port: int = 0
    mosquitto: str | None = field(default_factory=lambda: shutil.which("mosquitto", path=_PATH))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """URL of the running broker."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def shared(self) -> bool:
        """Whether it knows $share."""
        return self.mosquitto is not None

    def start(self) -> None:
        """Starts it and waits until it listens. Raises CloudError with its last words."""
        self.port = self.port or kept_port(self.data_dir / PORT_FILE)
        log = self.data_dir / "broker.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prepared system call
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while not _listens(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                said = log.read_text(errors="replace").strip()[-400:]
                raise CloudError("the embedded broker does not start", f"{said or 'no word'}", f"see {log}")
            time.sleep(0.03)

    def stop(self) -> None:
        """Ends it."""
        if self.process is not None:
            end(self.process, STOP_S, signal.SIGTERM, signal.SIGKILL)
            self.process = None

    def _command(self) -> list[str]:
        if self.mosquitto is not None:
            config = self.data_dir / "mosquitto.conf"
            lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence false"]
            lines += ["max_queued_messages 0", "max_inflight_messages 100", "log_dest stderr"]
            if os.geteuid() == 0:
                lines.append("user root")
            config.write_text("\n".join(lines) + "\n")
            return [self.mosquitto, "-c", str(config)]
        if importlib.util.find_spec("amqtt") is None:
            raise CloudError(
                "no broker to embed",
                "neither mosquitto nor the package amqtt is installed",
                "install one (plantledger[demo] brings amqtt), or set PLANTLEDGER_MQTT_URL",
            )
        return [sys.executable, "-c", _AMQTT, json.dumps({"port": self.port})]


_AMQTT = """
import asyncio, json, signal, sys
from amqtt.broker import Broker

async def main(port):
    stop = asyncio.Event()
    for how in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(how, stop.set)
    broker = Broker({
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 1000}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await broker.start()
    await stop.wait()
    await broker.shutdown()

asyncio.run(main(json.loads(sys.argv[1])["port"]))
"""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
