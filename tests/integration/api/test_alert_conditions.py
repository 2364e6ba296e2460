"""What stands now is looked at in a served plant, as the service does it, and raised once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cloud_api.store.pool import connect
from cloud_api.work.alerting import Alerting, slow, soon
from tests.integration.api.serving import told
from tests.integration.api.shop import write_history, write_plant

NOW = dt.datetime(2026, 3, 4, 20, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=20)


def test_conditions_of_a_plant_are_raised_once(plain_database: str, tmp_path: Path) -> None:
    told(plain_database, "tiny", write_plant(tmp_path), [write_history(tmp_path)])
    with connect(plain_database, autocommit=True) as connection:
        alerting = Alerting(plain_database, now=lambda: LATER)
        assert alerting.look(connection, soon) == 0, "nobody asked to be told"
        connection.execute(
            "insert into alert_hooks (site, url, secret, kinds, digest) values "
            "('tiny', 'https://alerts.example.com/', 'sixteen letters!', '{low_coverage}', 'day')"
        )
        first = {of: alerting.look(connection, of) for of in (soon, slow)}
        again = [alerting.look(connection, of) for of in (soon, slow)]
        raised = connection.execute(
            "select kind, subject from alert_events where cleared_at is null"
        ).fetchall()
        waiting = connection.execute("select count(*) from alert_delivery_events").fetchone()
    assert again == [0, 0]
    assert ("low_coverage", "tiny") in raised
    assert len(raised) == sum(first.values())
    assert waiting == (1,)
