"""``make demo``: the whole chain on this machine, from simulated PLCs to a page that says why cost moved.

Everything runs below .data/demo in the clone and speaks over loopback only. With --once it prints the story
and ends by itself: exit 0 only if live samples of both PLCs are in the database.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from deploy.demo import history, people, story
from deploy.demo.parts import DemoError, Parts, free_port, program, wait_for
from deploy.demo.plant import SECOND, Stories, day_of

HERE = Path(__file__).resolve().parent
CLONE = HERE.parents[1]
FOLDER = CLONE / ".data" / "demo"
SITE = "columbus"
WEEKS = 9
"""Of history: the last month is whole, and there is a window before the last four weeks."""
PORT = 8000


class Interrupted(Exception):
    """Ctrl-C, or a polite end from outside."""


def main() -> int:
    """Run the demo; 0 if all went well."""
    arguments = argparse.ArgumentParser(prog="make demo", description=__doc__.splitlines()[0])
    arguments.add_argument("--once", action="store_true", help="print the story and end by itself")
    once: bool = arguments.parse_args().once
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with Parts(FOLDER) as parts:
        try:
            return run(parts, once)
        except Interrupted:
            print("\nending ...")
            return 0


def run(parts: Parts, once: bool) -> int:
    started = time.monotonic()
    began = datetime.now(UTC)

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)

    plcs = {kind: start_plc(parts, kind) for kind in ("opcua", "modbus")}
    for kind, port in plcs.items():
        say(f"simulated {kind} PLC listens on 127.0.0.1:{port}")
    url, broker = start_cloud(parts, free_port() if once else free_port(PORT))
    say(f"the service answers on {url}")
    load_history(parts, began, say)
    staff = people.hired(parts, url)
    agent_file = write_agent_config(plcs, broker)
    agent = parts.start("agent", program("edge_agent", "run", str(agent_file)))
    say("the edge agent runs")
    seen = story.wait_for_live_samples(url, SITE, since=began, within_s=90, agent=agent)
    for source, count in seen.items():
        say(f"{count} live samples of {source}")
    say("waiting until the history is priced")
    story.wait_until_computed(url, SITE, within_s=480)
    today = day_of(round(began.timestamp() * SECOND))
    notes = staff.tell(Stories(today))
    say(f"{notes} decisions told, {staff.close_last_month(today, within_s=120)} closed")
    print(story.tell(url, SITE, began - timedelta(weeks=WEEKS), datetime.now(UTC), began), flush=True)
    if once:
        return 0 if all(seen.values()) else 1
    print(f"\nOpen {url}/ in a browser. To write, log in with a key:")
    print("\n".join(f"  {role:<9} {key}" for role, key in staff.keys.items()))
    print("Ctrl-C ends everything.", flush=True)
    while (gone := parts.first_gone()) is None:
        time.sleep(0.5)
    print(f"{gone.name} ended by itself: {gone.log}:\n{gone.last_words()}", file=sys.stderr)
    return 1


def start_plc(parts: Parts, kind: str) -> int:
    """Start a simulated PLC; returns the port that it announces."""
    plc = parts.start(f"plc-{kind}", program(f"deploy.demo.plc.{kind}", "--port", "0"))
    wait_for(lambda: "listening" in plc.said(), f"the {kind} PLC listens", 30, plc)
    return int(plc.said().split("listening", 1)[1].split()[1])


def start_cloud(parts: Parts, port: int) -> tuple[str, str]:
    """Start the service with embedded database and broker; returns the addresses of page and broker."""
    parts.environment |= {
        "PLANTLEDGER_DATA_DIR": str(FOLDER / "cloud"),
        "PLANTLEDGER_HTTP_PORT": str(port),
    }
    cloud = parts.start("cloud", program("cloud_api", "serve"))
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: story.ready(url), "the service is ready", 120, cloud)
    return url, (FOLDER / "cloud" / "broker.url").read_text(encoding="utf-8").strip()


def load_history(parts: Parts, until: datetime, say: story.Say) -> None:
    """The plant model and some weeks of history that end where the live data begins."""
    since = until - timedelta(weeks=WEEKS)
    model = history.write_model(FOLDER / "model", since, until)
    parts.finish("load", program("cloud_api", "load", str(model)))
    say("plant model loaded")
    file = FOLDER / "history.csv"
    rows = history.write(file, since, until)
    parts.finish("backfill", program("cloud_api", "backfill", "--site", SITE, str(file)))
    say(f"{rows} samples of {WEEKS} weeks of history loaded")


def write_agent_config(plcs: dict[str, int], broker: str) -> Path:
    """The agent's config with the ports of this run."""
    text = (HERE / "agent.yaml").read_text(encoding="utf-8")
    for name, value in {
        "OPCUA_PORT": str(plcs["opcua"]),
        "MODBUS_PORT": str(plcs["modbus"]),
        "MQTT_URL": broker,
        "BUFFER": str(FOLDER / "buffer"),
    }.items():
        text = text.replace(f"@{name}@", value)
    file = FOLDER / "agent.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
