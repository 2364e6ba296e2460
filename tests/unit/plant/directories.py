"""A sound plant directory as texts, and what a reader says of a broken one."""

from __future__ import annotations

from cloud_api.plant.files import PlantModel, read_contents
from cloud_api.plant.places import PlantRefused

SITE = """\
site: tiny
time_zone: Europe/Berlin
currency: EUR
calendar:
  shifts:
    - {name: A, days: [mon, tue], start: "06:00", end: "14:00", breaks: [{start: "10:00", minutes: 20}]}
    - {name: N, days: [mon], start: "22:00", end: "06:00"}
  exceptions:
    - {date: 2026-05-01, closed: true}
labour: [{from: 2026-01-01, standard: 30, actual: 31}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - id: one
    machines:
      - {id: m1, cost_centre: C1, rate: [{from: 2026-01-01, standard: 100, actual: 100}]}
      - {id: m2, rate: [{from: 2026-01-01, standard: 50, actual: 50}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,m1,2026-01-01,36,2,0.01,0,20,500,0.9,0.1
Q,m2,2026-01-01,20,1,0.01,0,20,500,0.9,0.1
"""
FILES = {"site.yaml": SITE, "standards.csv": STANDARDS}


def read(files: dict[str, str | bytes]) -> PlantModel:
    contents = {name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}
    return read_contents(contents, "")


def told(files: dict[str, str | bytes]) -> list[str]:
    """What the reader says is wrong, as printed."""
    try:
        read(files)
    except PlantRefused as refused:
        return refused.lines()
    return []


def with_site(old: str, new: str) -> list[str]:
    assert old in SITE
    return told({**FILES, "site.yaml": SITE.replace(old, new)})


def with_table(name: str, text: str | bytes) -> list[str]:
    return told({**FILES, name: text})
