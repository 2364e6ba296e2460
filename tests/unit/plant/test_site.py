"""site.yaml: each mistake at its line and column, with its mend; all of them at once."""

from __future__ import annotations

import pytest

from tests.unit.plant.directories import FILES, SITE, read, told, with_site

MISTAKES = [
    (
        "site: tiny",
        "site: tiny plant",
        "site.yaml:1:7: 'tiny plant' cannot be part of an MQTT topic: use up to 63 letters, digits, ",
    ),
    ("site: tiny\n", "", "site.yaml:1:1: site.yaml has no 'site': add it, like site: columbus"),
    (
        "time_zone: Europe/Berlin",
        "time_zone: Europe/Berln",
        "site.yaml:2:12: 'Europe/Berln' is not a time zone: did you mean 'Europe/Berlin'?",
    ),
    (
        "currency: EUR",
        "curency: EUR",
        "site.yaml:3:1: 'curency' is not a field of site.yaml: did you mean 'currency'?",
    ),
    (
        "EUR",
        "euros",
        "site.yaml:3:11: 'euros' is not a currency code: write its three capital letters, like EUR",
    ),
    (
        "[mon, tue]",
        "[mon, tus]",
        "site.yaml:6:29: days: 'tus' is not one of the words used here: did you mean 'tue'?",
    ),
    ('"06:00", end: "14:00"', '"6:00", end: "14:00"', "site.yaml:6:42: start: '6:00' is not a time of day: "),
    (
        '"10:00", minutes: 20',
        '"15:00", minutes: 20',
        "site.yaml:6:82: the break at 15:00 lies outside its shift 06:00-14:00: ",
    ),
    ('start: "22:00"', 'start: "13:59"', "site.yaml:7:7: shift N overlaps shift A of line 6: "),
    (
        "2026-05-01, closed",
        "2026-05-32, closed",
        "site.yaml:9:14: date: '2026-05-32' is no day of the calendar: ",
    ),
    (
        "closed: true",
        "closed: maybe",
        "site.yaml:9:34: closed: 'maybe' is neither true nor false: write true or false",
    ),
    (
        "standard: 30",
        "standard: -30",
        "site.yaml:10:39: standard: -30 is out of range: write a number of at least 0",
    ),
    ("standard: 30", "standard: 3O", "site.yaml:10:39: standard: '3O' is not a number: "),
    (
        "actual: 31}",
        "actual: 31, shift: B}",
        "site.yaml:10:62: 'B' is not a shift of the calendar: known are A, N",
    ),
    (
        "cost_centre: C1",
        "cost_centre: 0815",
        "site.yaml:15:31: 0815 begins with a zero, so number and text differ: quote",
    ),
    (
        "id: m2",
        "id: m1",
        "site.yaml:16:14: the machine 'm1' stands twice, first in line 15: give each its own id",
    ),
    (
        "id: m2,",
        "id: m2, counters: {good_cont: {fall: reset}},",
        "'good_cont' is not a field of counters: did you mean",
    ),
    (
        "id: m2,",
        "id: m2, counters: {good_count: {fall: reset}, total_count: {fall: reset}},",
        "a machine has good_count or total_count, not both: delete the one it does not have",
    ),
    (
        "id: m2,",
        "id: m2, counters: {energy: {fall: rollover}},",
        "a counter has no 'rollover': add it, like rollover: 10000",
    ),
    (
        "  - id: one",
        "  - id: one\n    id: two",
        "site.yaml:14:5: 'id' stands twice here, first in line 13: keep one of them",
    ),
    ("    machines:", "   machines:", "site.yaml:14:"),
]


@pytest.mark.parametrize(("old", "new", "line"), MISTAKES)
def test_a_mistake_is_told_at_its_place(old: str, new: str, line: str) -> None:
    lines = with_site(old, new)
    assert any(line in each for each in lines), lines


def test_all_mistakes_are_told_at_once_in_the_order_of_their_places() -> None:
    text = (
        SITE.replace("EUR", "euros")
        .replace("[mon, tue]", "[mon, tus]")
        .replace("standard: 50", "standard: x")
    )
    lines = told({**FILES, "site.yaml": text})
    assert [line.split(":")[1] for line in lines] == ["3", "6", "16"]


def test_words_that_other_yaml_reads_as_something_else_stay_words() -> None:
    text = SITE.replace("name: A", "name: off").replace("name: N", "name: no").replace('"22:00"', "22:00")
    model = read({**FILES, "site.yaml": text})
    calendar = next(row for row in model.rows if row.kind == "calendar")
    shifts = calendar.content["shifts"]
    assert isinstance(shifts, list)
    assert [(shift["name"], shift["start"]) for shift in shifts] == [("off", "06:00"), ("no", "22:00")]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    plain = read(FILES)
    other = read({**FILES, "site.yaml": b"\xef\xbb\xbf" + SITE.replace("\n", "\r\n").encode()})
    assert [(row.identity, row.content) for row in plain.rows] == [
        (row.identity, row.content) for row in other.rows
    ]


def test_a_shift_added_by_an_exception_may_not_overlap_the_shift_of_the_day_before() -> None:
    lines = with_site(
        "{date: 2026-05-01, closed: true}",
        '{date: 2026-05-05, shifts: [{name: X, start: "05:00", end: "05:30"}]}',
    )
    assert len(lines) == 1
    assert "shift X overlaps shift N of line 7" in lines[0]


def test_a_closed_day_makes_room_for_its_own_shifts() -> None:
    assert (
        with_site(
            "{date: 2026-05-01, closed: true}",
            '{date: 2026-05-04, closed: true, shifts: [{name: X, start: "07:00", end: "12:00"}]}',
        )
        == []
    )


def test_a_part_that_contains_itself_is_told() -> None:
    assert any("contains itself" in line for line in with_site("site: tiny", "site: &a [*a]"))


def test_an_empty_file_and_a_missing_one_are_told() -> None:
    assert told({**FILES, "site.yaml": ""})[0].startswith("site.yaml:1:1: the file is empty")
    assert told({"standards.csv": FILES["standards.csv"]})[0].startswith("site.yaml:1:1: the file is missing")
    assert told({"site.yaml": SITE})[0].startswith(
        "standards.csv:1: the file is missing: add it, it begins with product,"
    )
