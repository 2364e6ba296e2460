"""The simulated plant as nouns: lines, machines, products, shifts, reasons; model/ is its plant model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")
SITE = "columbus"
DAY_START = time(5, 50)
"""Counters start at zero again here, ten minutes before the first shift."""

WINDOWS = (
    (time(6, 0), time(10, 0)),
    (time(10, 20), time(14, 0)),
    (time(14, 0), time(18, 0)),
    (time(18, 20), time(22, 0)),
)
"""Working time of a weekday; breaks lie between."""

SATURDAY = WINDOWS[:2]


@dataclass(frozen=True, slots=True)
class Product:
    """cycle_s and scrap: of the line's machines in their order, as the standard has them."""

    name: str
    cycle_s: tuple[float, float]
    scrap: tuple[float, float]
    lot: int
    changeover_min: float


@dataclass(frozen=True, slots=True)
class Machine:
    """mtbf_min: running minutes between stops. kw: drawn running, standing, changing over."""

    name: str
    crew: int
    mtbf_min: float
    kw: tuple[float, float, float]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Two machines in a row. pace: real cycle over ideal cycle.

    materials: name, units used per piece by the first machine, and how much more it really takes.
    """

    name: str
    machines: tuple[Machine, Machine]
    products: tuple[Product, ...]
    pace: float
    materials: tuple[tuple[str, float, float], ...] = ()
    analog: str | None = None
    order_prefix: str = ""


STAMPING = Line(
    name="stamping",
    machines=(
        Machine("press-1", 2, 130, (38.0, 7.0, 12.0), ("feeder jam", "no coil", "guard open", "lubrication")),
        Machine("press-2", 1, 170, (31.0, 6.0, 9.0), ("slug in die", "part stuck", "guard open")),
    ),
    products=(
        Product("hinge-80", (9.0, 9.0), (0.012, 0.010), 1400, 24),
        Product("hinge-120", (11.0, 11.0), (0.015, 0.014), 1100, 30),
        Product("bracket-40", (7.5, 7.5), (0.010, 0.008), 1600, 20),
    ),
    pace=1.0,
    analog="oil_temp",
    order_prefix="S",
)

PACKING = Line(
    name="packing",
    machines=(
        Machine("packer-1", 2, 110, (9.0, 1.5, 2.0), ("film break", "no cartons", "sensor dirty")),
        Machine("palletiser", 1, 240, (6.5, 1.0, 1.0), ("pallet missing", "gripper fault")),
    ),
    products=(
        Product("kit-home", (12.0, 12.0), (0.004, 0.001), 900, 12),
        Product("kit-pro", (15.0, 15.0), (0.005, 0.001), 700, 14),
    ),
    pace=1.0,
    materials=(("film", 0.85, 1.03), ("carton", 1.0, 1.004)),
)

LINES = {line.name: line for line in (STAMPING, PACKING)}

STATES = ("idle", "running", "down", "changeover", "waiting", "planned_stop")
"""A PLC's state register holds the place of the state in this row."""
