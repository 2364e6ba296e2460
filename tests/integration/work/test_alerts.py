"""Webhooks end to end: raised once, signed, tried again, held in quiet hours, never twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from cloud_api.store.pool import connect
from cloud_api.work.alerting import Condition, deliver, keep
from cloud_api.work.deliveries import GIVE_UP_AFTER, Quiet, gathered_until, retry_after, send_one
from cloud_api.work.webhook import AddressRefused, Reach, checked, is_inner, post

NOW = dt.datetime(2026, 3, 4, 12, 30, tzinfo=dt.UTC)
SECRET = "a secret of sixteen or more"


@dataclass
class Receiver:
    """Takes POSTs; answers with the status it is told."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    elsewhere: str = ""
    drip: threading.Event = field(default_factory=threading.Event)
    drip_over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers), body))
            if receiver.drip.is_set():
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while receiver.drip.is_set():
                    self.wfile.write(b".")
                    receiver.drip_over.wait(0.05)
            self.send_response(receiver.status)
            if receiver.elsewhere:
                self.send_header("Location", receiver.elsewhere)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connection(plain_database: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(plain_database, autocommit=True) as connection:
        connection.execute("insert into sites (site) values ('columbus')")
        yield connection


def hook(connection: psycopg.Connection[Any], receiver: Receiver, **about: Any) -> int:
    values = {"digest": "none", "quiet_from": None, "quiet_to": None, **about}
    row = connection.execute(
        "insert into alert_hooks (site, url, secret, kinds, quiet_from, quiet_to, digest) values "
        "('columbus', %(url)s, %(secret)s, '{silent_agent}', %(quiet_from)s, %(quiet_to)s, %(digest)s) "
        "returning hook_id",
        {"url": receiver.url, "secret": SECRET, **values},
    ).fetchone()
    assert row is not None
    return int(row[0])


def stand(connection: psycopg.Connection[Any], *agents: str, now: dt.datetime = NOW) -> int:
    conditions = [Condition("columbus", "silent_agent", agent) for agent in agents]
    with connection.transaction():
        return keep(connection, "columbus", ["silent_agent"], conditions, now)


def sent(connection: psycopg.Connection[Any], now: dt.datetime = NOW) -> int:
    attempts = 0
    while send_one(connection, now, Reach.PRIVATE) is not None:
        attempts += 1
    return attempts


def test_a_condition_is_told_once_while_it_stands(
    connection: psycopg.Connection[Any], receiver: Receiver
) -> None:
    hook(connection, receiver)
    assert stand(connection, "gw-1") == 1
    assert stand(connection, "gw-1", "gw-2") == 1
    assert sent(connection) == 2
    assert stand(connection, "gw-1", "gw-2") == 0
    assert sent(connection) == 0
    told = [event["subject"] for _, body in receiver.got for event in json.loads(body)["events"]]
    assert told == ["gw-1", "gw-2"]


def test_what_is_over_and_back_within_the_hour_is_the_same(
    connection: psycopg.Connection[Any], receiver: Receiver
) -> None:
    hook(connection, receiver)
    stand(connection, "gw-1")
    assert stand(connection, now=NOW + dt.timedelta(minutes=10)) == 0
    assert stand(connection, "gw-1", now=NOW + dt.timedelta(minutes=40)) == 0
    stand(connection, now=NOW + dt.timedelta(minutes=50))
    assert stand(connection, "gw-1", now=NOW + dt.timedelta(hours=3)) == 1


def test_a_receiver_can_prove_who_sent(connection: psycopg.Connection[Any], receiver: Receiver) -> None:
    hook(connection, receiver)
    stand(connection, "gw-1")
    sent(connection)
    ((headers, body),) = receiver.got
    at, mac = (part.partition("=")[2] for part in headers["Plantledger-Signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert mac == expected
    assert int(at) == int(NOW.timestamp())
    assert json.loads(body)["delivery"] == int(headers["Plantledger-Delivery"])


def test_what_fails_is_tried_again_ever_later_and_given_up(
    connection: psycopg.Connection[Any], receiver: Receiver
) -> None:
    hook(connection, receiver)
    receiver.status = 500
    stand(connection, "gw-1")
    now = NOW
    for attempt in range(1, GIVE_UP_AFTER + 1):
        assert sent(connection, now) == 1
        assert sent(connection, now) == 0
        now += retry_after(attempt)
    assert sent(connection, now + dt.timedelta(days=9)) == 0
    assert len({headers["Plantledger-Delivery"] for headers, _ in receiver.got}) == 1
    row = connection.execute(
        "select attempts, answer, gave_up_at is not null from alert_deliveries"
    ).fetchone()
    assert row == (GIVE_UP_AFTER, "500 Internal Server Error", True)


def test_a_receiver_that_comes_back_gets_it(connection: psycopg.Connection[Any], receiver: Receiver) -> None:
    hook(connection, receiver)
    receiver.status = 503
    stand(connection, "gw-1")
    sent(connection)
    receiver.status = 200
    assert sent(connection, NOW + dt.timedelta(minutes=1)) == 1
    assert sent(connection, NOW + dt.timedelta(days=1)) == 0
    assert len(receiver.got) == 2


def test_quiet_hours_hold_it_back(connection: psycopg.Connection[Any], receiver: Receiver) -> None:
    hook(connection, receiver, quiet_from=dt.time(12), quiet_to=dt.time(14))
    stand(connection, "gw-1")
    assert sent(connection) == 1
    assert receiver.got == []
    assert sent(connection, NOW + dt.timedelta(minutes=89)) == 0
    assert sent(connection, NOW + dt.timedelta(minutes=90)) == 1
    assert len(receiver.got) == 1


def test_a_digest_gathers(connection: psycopg.Connection[Any], receiver: Receiver) -> None:
    hook(connection, receiver, digest="hour")
    stand(connection, "gw-1")
    stand(connection, "gw-1", "gw-2", now=NOW + dt.timedelta(minutes=5))
    assert sent(connection, NOW + dt.timedelta(minutes=29)) == 0
    assert sent(connection, NOW + dt.timedelta(minutes=30)) == 1
    ((_, body),) = receiver.got
    assert [event["subject"] for event in json.loads(body)["events"]] == ["gw-1", "gw-2"]


def test_an_event_never_goes_twice_to_a_hook(connection: psycopg.Connection[Any], receiver: Receiver) -> None:
    made = hook(connection, receiver)
    stand(connection, "gw-1")
    row = connection.execute("select event_id from alert_events").fetchone()
    assert row is not None
    deliver(connection, made, row[0], "none", NOW)
    sent(connection)
    told = [event["id"] for _, body in receiver.got for event in json.loads(body)["events"]]
    assert told == [row[0]]


def test_two_that_send_at_once_send_once(plain_database: str, receiver: Receiver) -> None:
    with connect(plain_database, autocommit=True) as connection:
        connection.execute("insert into sites (site) values ('columbus')")
        hook(connection, receiver)
        stand(connection, *(f"gw-{number}" for number in range(10)))

    def work() -> None:
        with connect(plain_database, autocommit=True) as own:
            sent(own)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.got) == 10


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.com/", "https"),
        ("ftp://example.com/", "https"),
        ("https://127.0.0.1/", "private network"),
        ("https://localhost/", "private network"),
        ("https://10.1.2.3/x", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("https://[::ffff:169.254.169.254]/", "private network"),
        ("https://[64:ff9b::10.0.0.1]/", "private network"),
        ("https://[2002:0a00:0001::]/", "private network"),
        ("https://[2002:808:808::1]/", "private network"),
        ("https://[2001:0:808:808::1]/", "private network"),
        ("https://[fec0::1]/", "private network"),
        ("https://[fe80::1]/", "private network"),
        ("https://[fd12:3456::1]/", "private network"),
        ("https://100.64.0.1/", "private network"),
        ("https://0.0.0.0/", "private network"),
        ("https://224.0.0.1/", "private network"),
        ("https://[ff02::1]/", "private network"),
        ("https://2130706433/", "private network"),
        ("https://0x7f.1/", "private network"),
        ("https://user:password@8.8.8.8/", "user name"),
        ("https://no-such-host.invalid/", "not known"),
        ("https://", "https"),
    ],
)
def test_where_a_webhook_may_not_go(url: str, said: str) -> None:
    with pytest.raises(AddressRefused, match=said):
        checked(url, Reach.PUBLIC)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://localhost/", "http://[::1]:9/"])
def test_a_webhook_may_go_to_this_machine_where_nobody_else_reaches_the_server(url: str) -> None:
    checked(url, Reach.LOOPBACK)
    with pytest.raises(AddressRefused):
        checked(url, Reach.PUBLIC)


@pytest.mark.parametrize("url", ["http://8.8.8.8/", "https://10.1.2.3/", "http://169.254.169.254/"])
def test_it_may_not_go_further_then(url: str) -> None:
    with pytest.raises(AddressRefused):
        checked(url, Reach.LOOPBACK)


def test_public_addresses_are_public() -> None:
    for address in ("8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"):
        assert not is_inner(address), address


def test_a_name_is_judged_by_what_it_stands_for_at_each_attempt(
    connection: psycopg.Connection[Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(receiver.url.split(":")[2].partition("/")[0])
    stands_for = ["8.8.8.8"]

    def known(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in stands_for]

    monkeypatch.setattr("cloud_api.work.webhook.socket.getaddrinfo", known)
    url = f"https://hooks.example.com:{port}/"
    assert checked(url, Reach.PUBLIC)[1] == "8.8.8.8"
    stands_for[:] = ["8.8.8.8", "10.0.0.7"]
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.7"):
        checked(url, Reach.PUBLIC)
    hook(connection, Receiver(url=url))
    stand(connection, "gw-1")
    answer = send_one(connection, NOW, Reach.PUBLIC)
    assert answer is not None
    assert not answer.delivered
    assert "private network" in answer.said
    assert receiver.got == []


def test_a_redirect_is_not_followed(connection: psycopg.Connection[Any], receiver: Receiver) -> None:
    hook(connection, receiver)
    receiver.status, receiver.elsewhere = 307, f"{receiver.url}/inner"
    stand(connection, "gw-1")
    assert sent(connection) == 1
    assert len(receiver.got) == 1
    (said,) = connection.execute("select answer from alert_deliveries").fetchone() or ()
    assert said.startswith("307 Temporary Redirect: it points elsewhere")


def test_an_answer_that_drips_holds_nobody_up(receiver: Receiver) -> None:
    receiver.drip.set()
    answer = post(receiver.url, SECRET, 1, 1, b"{}", Reach.PRIVATE, deadline_s=0.3)
    receiver.drip.clear()
    receiver.drip_over.set()
    for thread in [one for one in threading.enumerate() if one.name == "webhook"]:
        thread.join()
    assert (answer.delivered, answer.said) == (False, "no answer within 0 s")


def test_a_receiver_that_is_away_is_asked_once_a_minute_whatever_waits(
    connection: psycopg.Connection[Any], receiver: Receiver
) -> None:
    hook(connection, receiver)
    receiver.status = 503
    stand(connection, *(f"gw-{number}" for number in range(5)))
    assert sent(connection) == 1
    receiver.status = 200
    assert sent(connection, NOW + dt.timedelta(minutes=1)) == 5
    told = [event["subject"] for _, body in receiver.got[1:] for event in json.loads(body)["events"]]
    assert sorted(told) == [f"gw-{number}" for number in range(5)]


def test_a_delivery_that_was_cut_off_comes_again_under_its_number(
    connection: psycopg.Connection[Any], plain_database: str, receiver: Receiver
) -> None:
    """The process ends after the receiver took it and before that is kept: the number tells the repeat."""
    hook(connection, receiver)
    stand(connection, "gw-1")
    with connect(plain_database, autocommit=True) as cut_off, cut_off.transaction(force_rollback=True):
        assert send_one(cut_off, NOW, Reach.PRIVATE) is not None
    assert sent(connection) == 1
    numbers = [headers["Plantledger-Delivery"] for headers, _ in receiver.got]
    assert len(numbers) == 2
    assert len(set(numbers)) == 1


def documented() -> Any:
    """The receiver that the guide shows, ready to be made."""
    guide = Path(__file__).parents[3] / "docs" / "guides" / "webhooks.md"
    (code,) = re.findall(
        r"^```python\n(.*?)^```", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    shown: dict[str, Any] = {}
    exec(compile(code, str(guide), "exec"), shown)
    return shown["Receiver"]


def test_the_documented_receiver_acts_once_on_what_was_cut_off(
    connection: psycopg.Connection[Any], plain_database: str, receiver: Receiver, tmp_path: Path
) -> None:
    hook(connection, receiver)
    stand(connection, "gw-1", "gw-2")
    with connect(plain_database, autocommit=True) as cut_off, cut_off.transaction(force_rollback=True):
        assert send_one(cut_off, NOW, Reach.PRIVATE) is not None
    sent(connection, NOW + dt.timedelta(minutes=1))
    assert len(receiver.got) == 3
    assert receiver.got[0][1] in [body for _, body in receiver.got[1:]], "the same, to the byte"
    done: list[str] = []
    made = documented()(SECRET, str(tmp_path / "known.db"))
    now = NOW.timestamp()
    for headers, body in receiver.got:
        assert made.take(headers, body, lambda event: done.append(event["subject"]), now) == 204
    assert sorted(done) == ["gw-1", "gw-2"]


def test_the_documented_receiver_refuses_what_is_not_signed(
    connection: psycopg.Connection[Any], receiver: Receiver, tmp_path: Path
) -> None:
    hook(connection, receiver)
    stand(connection, "gw-1")
    sent(connection)
    ((headers, body),) = receiver.got
    made = documented()(SECRET, str(tmp_path / "known.db"))
    done: list[Any] = []
    now = NOW.timestamp()
    assert made.take(headers, body.replace(b"gw-1", b"gw-2"), done.append, now) == 401
    assert made.take(headers, body, done.append, now + 3600) == 401
    assert made.take({}, body, done.append, now) == 400
    assert made.take({"Plantledger-Signature": "t=1,v1=\xe9"}, body, done.append, now) == 401
    assert documented()("another secret of mine", str(tmp_path / "other.db")).take(
        headers, body, done.append, now
    ) == 401  # fmt: skip
    assert done == []

    def fails(event: object) -> None:
        raise OSError(str(event))

    with pytest.raises(OSError, match="gw-1"):
        made.take(headers, body, fails, now)
    assert made.take(headers, body, done.append, now) == 204
    assert [event["subject"] for event in done] == ["gw-1"]


def test_quiet_hours_across_midnight_by_the_clock_of_the_site() -> None:
    zone = ZoneInfo("America/New_York")
    quiet = Quiet(dt.time(22), dt.time(6))
    night = dt.datetime(2026, 3, 4, 4, 0, tzinfo=dt.UTC)
    assert quiet.over_at(night, zone) == dt.datetime(2026, 3, 4, 11, 0, tzinfo=dt.UTC)
    morning = dt.datetime(2026, 3, 4, 10, 0, tzinfo=dt.UTC)
    assert quiet.over_at(morning, zone) == dt.datetime(2026, 3, 4, 11, 0, tzinfo=dt.UTC)
    assert quiet.over_at(NOW, zone) == NOW


def test_a_daily_digest_goes_out_in_the_morning() -> None:
    assert gathered_until("day", NOW) == dt.datetime(2026, 3, 5, 7, 0, tzinfo=dt.UTC)
    zone = ZoneInfo("America/New_York")
    saturday = dt.datetime(2026, 3, 7, 12, 30, tzinfo=dt.UTC)
    assert gathered_until("day", saturday, zone) == dt.datetime(2026, 3, 8, 11, 0, tzinfo=dt.UTC)
    assert gathered_until("day", NOW - dt.timedelta(hours=2), zone) == dt.datetime(
        2026, 3, 4, 12, tzinfo=dt.UTC
    )
