"""What stands now is looked at in a served plant, as the service does it, and raised once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cloud_api.answers.agents import agents
from cloud_api.answers.places import Atlas
from cloud_api.answers.question import Question
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


def test_an_agent_that_is_not_heard_of_is_not_online(plain_database: str) -> None:
    with connect(plain_database, autocommit=True) as connection:
        connection.execute("insert into sites (site) values ('tiny')")
        connection.execute(
            "insert into agents (agent, site, online, heard_at) "
            "values ('gw', 'tiny', true, %s), ('new', 'tiny', true, null)",
            [NOW],
        )
        whole = Question(sites=Atlas().places(connection).sites)
        for seconds, online in ((50, True), (70, False)):
            rows = agents(connection, whole, True, NOW + dt.timedelta(seconds=seconds)).rows
            assert [(row.id, row.online) for row in rows] == [("gw", online), ("new", False)]
        connection.execute(
            "insert into alert_hooks (site, url, secret, kinds, digest) values "
            "('tiny', 'https://alerts.example.com/', 'sixteen letters!', '{silent_agent}', 'day')"
        )
        assert Alerting(plain_database, now=lambda: LATER).look(connection, soon) == 1
        raised = connection.execute("select detail ->> 'since' from alert_events").fetchall()
    assert raised == [("2026-03-04T20:00:00Z",)]
