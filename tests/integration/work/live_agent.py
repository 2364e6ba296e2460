"""An agent that sends live, as ingest leaves it in the database: samples, scan marks, spans and marks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.store import marks
from cloud_api.store.pool import connect
from cloud_api.store.statements import statement

GOOD, BAD = 0, 2


@dataclass
class LiveAgent:
    """One agent with one source that reads state, product and good_count of machines of a site."""

    url: str
    machines: tuple[str, ...]
    connection: Connection[TupleRow] = field(init=False)
    machine_ids: dict[str, int] = field(init=False)
    series: dict[tuple[str, str], int] = field(init=False)
    source: int = field(init=False)
    scanned: datetime | None = None

    def __post_init__(self) -> None:
        self.connection = connect(self.url, autocommit=True)
        self.machine_ids = dict(
            self.connection.execute("select machine, machine_id from machines").fetchall()
        )
        agent = self._one(
            "insert into agents (site, agent, online) select site, 'gw', true from sites returning agent_id"
        )
        self.source = self._one(
            f"insert into sources (agent_id, source) values ({agent}, 'plc') returning source_id"
        )
        self.series = {
            (machine, role): self._one(
                "insert into series (machine_id, source_id, signal, role) "
                f"values ({self.machine_ids[machine]}, {self.source}, '{role}', '{role}') returning series_id"
            )
            for machine in self.machines
            for role in ("state", "product", "good_count")
        }

    def _one(self, query: str) -> int:
        found = self.connection.execute(query.encode()).fetchone()
        assert found is not None
        return int(found[0])

    def send(
        self, at: datetime, values: dict[str, str | float | None], quality: int = GOOD, scan: bool = True
    ) -> None:
        """Sends values by role for every machine; `scan`: all was scanned well until this instant."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        ids = sorted(self.machine_ids[machine] for machine in self.machines)
        self.connection.execute(statement("samples.ensure_partitions"), {"times": [at]})
        with self.connection.transaction():
            for (_, role), series in self.series.items():
                if role in values:
                    value = values[role]
                    number = value if isinstance(value, float) else None
                    word = value if isinstance(value, str) else None
                    self.connection.execute(
                        "insert into samples (time, series_id, value, text, quality, origin, received_at) "
                        "values (%s, %s, %s, %s, %s, 0, now())",
                        (at, series, number, word, quality),
                    )
            widened = {"machines": ids, "firsts": [at] * len(ids), "lasts": [at] * len(ids)}
            self.connection.execute(
                statement("samples.widen_spans"), {**widened, "marks": [at if scan else None] * len(ids)}
            )
            if scan:
                begin = max(hour, self.scanned or at)
                self.connection.execute(
                    statement("samples.cover"),
                    {"sources": [self.source], "hours": [hour], "firsts": [begin], "lasts": [at]},
                )
                self.scanned = at
            marks.append(self.connection, [(machine, hour) for machine in ids])

    def close(self) -> None:
        self.connection.close()
