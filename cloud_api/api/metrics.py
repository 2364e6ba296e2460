"""Counts of this process and of the chain, as Prometheus text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from threading import Lock

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.store.statements import statement

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

_DATABASE: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "plantledger_pending_machine_hours",
        "Machine-hours still to be interpreted.",
        ("site",),
        "metrics_pending",
    ),
    ("plantledger_watermark_age_seconds", "Age of the newest data of a site.", ("site",), "metrics_age"),
    ("plantledger_agents", "Agents by state.", ("site", "state"), "metrics_agents"),
    (
        "plantledger_set_aside",
        "Messages set aside and not resolved, by reason.",
        ("reason",),
        "metrics_set_aside",
    ),
    ("plantledger_late_rows_total", "Samples that came behind the watermark.", ("site",), "metrics_late"),
)


class Requests:
    """Counts requests by path and status, and how long they took. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count: Counter[tuple[str, int]] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._seconds: dict[str, float] = {}

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Adds one request. `path` is the route, never what was typed."""
        with self._lock:
            self._count[path, status] += 1
            self._seconds[path] = self._seconds.get(path, 0.0) + seconds
            for bucket in BUCKETS_S:
                if seconds <= bucket:
                    self._within[path, bucket] += 1

    def text(self) -> str:
        """The counts in Prometheus text."""
        with self._lock:
            count, within, seconds = Counter(self._count), Counter(self._within), dict(self._seconds)
        lines = _head("plantledger_http_requests_total", "counter", "Requests by route and status.")
        lines += [
            _line("plantledger_http_requests_total", {"path": path, "status": str(status)}, number)
            for (path, status), number in sorted(count.items())
        ]
        lines += _head("plantledger_http_request_seconds", "histogram", "Time to answer, by route.")
        for path in sorted(seconds):
            total = sum(number for (route, _), number in count.items() if route == path)
            for bucket in BUCKETS_S:
                labels = {"path": path, "le": str(bucket)}
                lines.append(_line("plantledger_http_request_seconds_bucket", labels, within[path, bucket]))
            lines.append(
                _line("plantledger_http_request_seconds_bucket", {"path": path, "le": "+Inf"}, total)
            )
            lines.append(
                _line("plantledger_http_request_seconds_sum", {"path": path}, round(seconds[path], 6))
            )
            lines.append(_line("plantledger_http_request_seconds_count", {"path": path}, total))
        return "\n".join(lines) + "\n"


def chain(connection: Connection[TupleRow]) -> str:
    """What the database tells of the chain, in Prometheus text."""
    lines: list[str] = []
    for name, help_, labels, what in _DATABASE:
        rows = connection.execute(statement(f"api.{what}")).fetchall()
        lines += _head(name, "counter" if name.endswith("_total") else "gauge", help_)
        lines += [_line(name, dict(zip(labels, row, strict=False)), row[len(labels)]) for row in rows]
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, help_: str) -> list[str]:
    return [f"# HELP {name} {help_}", f"# TYPE {name} {kind}"]


def _line(name: str, labels: dict[str, str], value: object) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value}"


def _escaped(text: Iterable[str]) -> str:
    return "".join(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
