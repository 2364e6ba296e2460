"""What the demo tells of itself, asked of the service's own API like anyone would."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from deploy.demo.parts import DemoError, Part

Say = Callable[[str], None]
MACHINES = {"the OPC UA server": "press-1", "the Modbus PLC": "packer-1"}
"""A machine of each PLC."""


def ready(url: str) -> bool:
    """Whether the service is ready to serve."""
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait_for_live_samples(
    url: str, site: str, since: datetime, within_s: float, agent: Part
) -> dict[str, int]:
    """Samples of each PLC that came in since; waits for both. Raises DemoError if the agent ends."""
    deadline = time.monotonic() + within_s
    while True:
        counts = {
            source: len(
                ask(url, "samples", site=site, machine=machine, **{"from": since.isoformat()})["rows"]
            )
            for source, machine in MACHINES.items()
        }
        if all(counts.values()) or time.monotonic() > deadline:
            return counts
        if not agent.runs():
            raise DemoError(f"the agent ended: {agent.log}:\n{agent.last_words()}")
        time.sleep(0.5)


def wait_until_computed(url: str, site: str, within_s: float) -> None:
    """Wait until no machine-hour of the past is pending. Raises DemoError when time runs out."""
    deadline = time.monotonic() + within_s
    while (pending := ask(url, "confidence", site=site)["pending_hours"]) > len(MACHINES) * 2:
        if time.monotonic() > deadline:
            raise DemoError(f"{pending} machine-hours still pending after {within_s:.0f} s: see cloud.log")
        time.sleep(0.5)


def tell(url: str, site: str, since: datetime, until: datetime, live_since: datetime) -> str:
    """The story: what it cost and why, how far to trust it, and how the live path is doing."""
    settled = until - timedelta(minutes=1)  # what is on its way would differ by question
    window = {"from": since.isoformat(), "to": settled.isoformat(), "site": site}
    costs = ask(url, "costs", by="cause", **window)
    variances = ask(url, "variances", by="resource,cause", **window)
    bridge = ask(url, "bridge", base="standard", measure="total_cost", **window)
    assumptions = ask(url, "assumptions", site=site, status="broken")
    forecast = ask(url, "forecast", site=site)
    confidence = ask(url, "confidence", **window)
    agents = ask(url, "agents", site=site)
    return "\n".join(
        [
            "",
            *_causes(costs, since, until),
            "",
            *_variances(variances, costs["currency"]),
            "",
            *_bridge(bridge),
            "",
            *_broken(assumptions, forecast),
            "",
            *_trust(confidence),
            "",
            *_live(agents, until - live_since),
        ]
    )


def ask(url: str, question: str, **parameters: str) -> dict[str, Any]:
    """An answer of the API. Raises DemoError with what it says of a problem."""
    try:
        answer = httpx.get(f"{url}/v1/{question}", params=parameters, timeout=60)
    except httpx.HTTPError as error:
        raise DemoError(f"the service does not answer: {url}/v1/{question}: {error}") from error
    if answer.status_code != 200:
        raise DemoError(f"the service refused: {answer.url}: {answer.text}")
    found: dict[str, Any] = answer.json()
    return found


def _causes(costs: dict[str, Any], since: datetime, until: datetime) -> list[str]:
    rows = sorted(costs["rows"], key=lambda row: -row["amount"])
    total = costs["total"] or 1
    lines = [f"What it cost, {since:%d %b} to {until:%d %b %Y}: {costs['total']:,.2f} {costs['currency']}"]
    for row in rows[:8]:
        share = row["amount"] / total
        lines.append(
            f"  {row['cause']:<14} {row['amount']:>14,.2f}  {share:>6.1%}  {'#' * round(share * 50)}"
        )
    return lines


def _variances(variances: dict[str, Any], currency: str) -> list[str]:
    rows = sorted(variances["rows"], key=lambda row: -row["variance"])[:5]
    lines = [f"Furthest above standard ({currency}; actual less allowance for the good units made)"]
    lines += [
        f"  {row['resource']:<10} {row['cause']:<14} {row['variance']:>+14,.2f}"
        f"  (actual {row['actual']:,.2f}, allowed {row['allowance']:,.2f})"
        for row in rows
    ]
    return lines


def _bridge(bridge: dict[str, Any]) -> list[str]:
    """Standard to actual, the largest steps by name, and what they say in sentences."""
    largest = sorted(bridge["bars"], key=lambda bar: -abs(bar["amount"]))
    shown, rest = largest[:6], largest[6:]
    lines = [f"The bridge from standard to actual ({bridge['currency']})"]
    lines.append(f"  {'standard':<22} {bridge['start']:>14,.2f}")
    lines += [f"  {bar['factor']:<22} {bar['amount']:>+14,.2f}  {bar['owner']}" for bar in shown]
    lines.append(f"  {f'{len(rest)} smaller bars':<22} {sum(bar['amount'] for bar in rest):>+14,.2f}")
    lines.append(f"  {'actual':<22} {bridge['end']:>14,.2f}")
    return [*lines, *textwrap.wrap(bridge["statement"], 100, initial_indent="  ", subsequent_indent="  ")]


def _broken(assumptions: dict[str, Any], forecast: dict[str, Any]) -> list[str]:
    """The dearest broken assumption whose level moved lately, else the dearest; where the period ends."""
    rows, currency = assumptions["rows"], assumptions["currency"]
    lines = [f"Assumptions that no longer hold: {len(rows)} broken"]
    moved = [row for row in rows if row["moved"]] or rows
    if moved:
        row = moved[0]
        where = " on ".join(part for part in (row["product"], row["machine"]) if part)
        lines.append(
            f"  {row['assumption']} of {where or row['item']}: {row['observed']:g} {row['unit']}, assumed "
            f"{row['assumed']:g}, since {row['moved'] or row['since']}: {row['cost_per_day']:+,.2f} "
            f"{currency} a day, {row['projected']:+,.0f} by period end"
        )
        if row["proposed"]:
            better = row["proposed"]
            lines.append(f"  better: {better['value']:g}, from {better['observations']} observations since")
    lines.append(
        f"{forecast['period']} ends at {forecast['projected']:,.0f} {currency} "
        f"({forecast['p10']:,.0f} to {forecast['p90']:,.0f}), {forecast['actual_to_date']:,.0f} spent so far"
    )
    return lines


def _trust(confidence: dict[str, Any]) -> list[str]:
    trust = confidence.get("confidence", confidence)
    return [
        f"Confidence {trust['grade']}: {trust['coverage'] or 0:.1%} of scheduled time covered, "
        f"{trust['unexplained_share'] or 0:.1%} of cost unexplained"
    ]


def _live(agents: dict[str, Any], lived: timedelta) -> list[str]:
    lines = [f"Live path, {lived.total_seconds():.0f} s old"]
    for agent in agents["rows"]:
        sources = ", ".join(f"{s['name']} {s['live']}/{s['configured']} signals" for s in agent["sources"])
        lag = agent["lag_s"]
        lines.append(
            f"  {agent['id']}: {'online' if agent['online'] else 'OFFLINE'}, "
            f"lag {lag if lag is not None else 0:.1f} s, buffer {agent['buffer_depth']} batches, {sources}"
        )
    return lines
