"""The CSV files of a plant: encodings, headers, cells; each mistake at its line."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.plant.directories import FILES, STANDARDS, read, told, with_table

HEAD, ROW_P, ROW_Q = STANDARDS.splitlines()

MISTAKES = [
    ("36", "0", "standards.csv:2: ideal_cycle_s: 0 is out of range: write a number above 0"),
    (
        "36",
        '"1,5"',
        "standards.csv:2: ideal_cycle_s: '1,5' has a comma: write 1.5 (decimal point, no separators)",
    ),
    ("36", "1,5", "standards.csv:2: 12 cells where the header has 11: "),
    ("36", "", "standards.csv:2: 'ideal_cycle_s' is empty: fill it, or delete the row"),
    ("36", "1e999", "standards.csv:2: ideal_cycle_s: '1e999' is too long a number: "),
    ("P,m1", "P,m3", "standards.csv:2: machine: 'm3' is not a machine of site.yaml: known are m1, m2"),
    (
        "0.01,0,20,500,0.9",
        "1,0,20,500,0.9",
        "standards.csv:2: scrap_rate: 1 is out of range: write a number below 1",
    ),
    ("500,0.9", "500,1.1", "standards.csv:2: availability: 1.1 is out of range: write a number of at most 1"),
    ("2026-01-01", "01.02.2026", "standards.csv:2: from: '01.02.2026' is not a date: write it as YYYY-MM-DD"),
]


@pytest.mark.parametrize(("old", "new", "line"), MISTAKES)
def test_a_bad_cell_is_told_at_its_line(old: str, new: str, line: str) -> None:
    lines = with_table("standards.csv", "\n".join([HEAD, ROW_P.replace(old, new, 1), ROW_Q]))
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_a_row_that_stands_twice_is_told_with_both_lines() -> None:
    lines = with_table("standards.csv", "\n".join([HEAD, ROW_P, "", ROW_P, ROW_Q]))
    assert lines == ["standards.csv:4: P, m1, 2026-01-01 stands twice, first in line 2: delete one of them"]


def test_a_wrong_header_is_told_and_its_rows_are_still_read() -> None:
    text = STANDARDS.replace("energy_kwh", "energy_kwh,idle_kv", 1).replace("0.9,0.1", "0.9,x,")
    lines = with_table("standards.csv", text)
    assert lines[0] == "standards.csv:1: 'idle_kv' is not a column of standards.csv: did you mean 'idle_kw'?"
    assert [line.split(":")[1] for line in lines[1:]] == ["2", "3"]
    missing = with_table("standards.csv", STANDARDS.replace(",energy_kwh", "", 1).replace(",0.1\n", "\n"))
    assert missing == ["standards.csv:1: the column 'energy_kwh' is missing: add it to the first line"]


@pytest.mark.parametrize(
    "content",
    [
        STANDARDS.encode("utf-16"),
        b"\xef\xbb\xbf" + STANDARDS.encode(),
        STANDARDS.replace(",", ";").replace("\n", "\r\n").encode(),
        STANDARDS.replace(",", "\t").encode(),
        STANDARDS.replace("product,", "Product ,", 1).replace(",", " , ").encode(),
        (STANDARDS + ",,,,,,,,,,\n\n").encode(),
    ],
    ids=["utf-16", "utf-8 mark", "semicolons", "tabs", "blanks", "blank rows"],
)
def test_whatever_program_wrote_it_the_rows_are_the_same(content: bytes) -> None:
    plain = [row for row in read(FILES).rows if row.kind == "standards"]
    found = [row for row in read({**FILES, "standards.csv": content}).rows if row.kind == "standards"]
    assert [(row.key, row.content) for row in found] == [(row.key, row.content) for row in plain]
    assert found[0].effective == date(2026, 1, 1)


def test_words_in_windows_letters_are_read() -> None:
    content = STANDARDS.replace("P,m1", "Träger,m1").encode("cp1252")
    found = read({**FILES, "standards.csv": content})
    assert ("Träger", "m1", "2026-01-01") in {row.key for row in found.rows}


def test_a_quote_that_is_never_closed_is_told_where_it_opens() -> None:
    lines = with_table("standards.csv", STANDARDS.replace("Q,m2", '"Q,m2'))
    assert lines[0].startswith("standards.csv:3: not valid CSV")


def test_the_line_of_a_row_counts_line_breaks_inside_cells() -> None:
    head = "time,machine,product,order,cause,amount,text\n"
    rows = '2026-01-02,m1,,,usage,1,"two\nlines"\n2026-01-02,m9,,,usage,1,\n'
    lines = with_table("charges.csv", head + rows)
    assert lines[0].startswith("charges.csv:4: machine: 'm9' is not a machine")


def test_a_product_without_a_standard_is_a_slip_unless_products_names_it() -> None:
    bill = "product,machine,material,from,quantity\nPP,m1,steel,2026-01-01,1\n"
    assert with_table("bill.csv", bill) == [
        "bill.csv:2: product: 'PP' is not a product of standards.csv or products.csv: did you mean 'P'?"
    ]
    named = "product,from,sales_price\nPP,2026-01-01,3\n"
    assert told({**FILES, "bill.csv": bill, "products.csv": named}) == []


def test_times_are_on_the_clock_of_the_site() -> None:
    head = "time,machine,product,order,cause,amount,text\n"
    skipped = with_table("charges.csv", head + "2026-03-29T02:30:00,m1,,,usage,1,\n")
    assert "was skipped by the clocks of Europe/Berlin" in skipped[0]
    model = read(
        {**FILES, "charges.csv": head + "2026-10-25 02:30,m1,,,usage,1,\n2026-07-01T00:00Z,,,,usage,2,\n"}
    )
    assert [row.content["time"] for row in model.rows if row.kind == "charges"] == [
        "2026-10-25T00:30:00Z",
        "2026-07-01T00:00:00Z",
    ]


def test_an_end_before_its_start_and_a_budget_without_figures_are_told() -> None:
    orders = "order,product,machine,planned_start,planned_end,quantity\nO,P,m1,2026-01-02,2026-01-01,5\n"
    assert "'planned_end' is not after 'planned_start'" in with_table("orders.csv", orders)[0]
    budget = "month,product,machine,good_units,unit_cost\n2026-01,P,m1,100,\n"
    assert "'unit_cost' is empty: fill it, or give a fixed_amount" in with_table("budget.csv", budget)[0]


def test_what_costs_nothing_is_warned_of() -> None:
    bill = "product,machine,material,from,quantity\nP,m1,steel,2026-01-01,1\n"
    messages = [warning.message for warning in read({**FILES, "bill.csv": bill}).warnings]
    assert messages == ["the material 'steel' has no price"]


def test_a_number_is_the_same_row_however_it_is_written() -> None:
    one = read(FILES)
    other = read({**FILES, "standards.csv": STANDARDS.replace(",36,2,", ",36.00,2.0,")})
    assert [row.content for row in one.rows] == [row.content for row in other.rows]
