"""Who speaks for an agent id, as tables of what is heard and when."""

from __future__ import annotations

import pytest

from cloud_api.ingest.sequence import (
    HANDOVER_US,
    SILENCE_US,
    Run,
    Standing,
    Verdict,
    acknowledgement,
    backlog_verdict,
    choose,
    end,
    hear,
    missing,
    overlaps,
    settle,
)

S = 1_000_000
A, A2, A3 = (b"A", b"a1"), (b"A", b"a2"), (b"A", b"a3")
B = (b"B", b"b1")
NAMES = {"A": A, "A2": A2, "A3": A3, "B": B}


def story(text: str) -> tuple[list[str], Standing]:
    """Lines `SECOND WHO WHAT`; what: speaks, hello=N, bye, will=N, settle, chosen. Tells the verdicts."""
    standing, verdicts = Standing(), []
    for line in text.strip().splitlines():
        second, who, what = line.split()
        now_us, run = int(second) * S, NAMES[who]
        word, _, number = what.partition("=")
        if word in ("speaks", "hello"):
            connected = int(number) if word == "hello" else None
            standing, verdict = hear(settle(standing, now_us), run, now_us, connected=connected)
            verdicts.append(str(verdict))
        elif word in ("bye", "will"):
            standing = end(standing, run, int(number or 0), will=word == "will")
        elif word == "settle":
            standing = settle(standing, now_us)
        else:
            standing = choose(standing, run)
    return verdicts, standing


TABLE = [
    pytest.param("0 A speaks\n5 A speaks", "holds holds", A, False, id="one run"),
    pytest.param("0 A speaks\n1 A bye\n2 A2 hello=1", "holds holds", A2, False, id="restart with goodbye"),
    pytest.param(
        "0 A hello=1\n1 A will=1\n2 A2 hello=1", "holds holds", A2, False, id="restart after a will"
    ),
    pytest.param(
        "0 A speaks\n2 A2 hello=1\n9 A2 speaks\n16 A2 speaks",
        "holds waits waits holds",
        A2,
        False,
        id="restart after kill -9 waits for the silence of the old run",
    ),
    pytest.param(
        "0 A hello=1\n5 A hello=3\n6 A will=1\n7 A2 hello=1",
        "holds holds waits",
        A,
        False,
        id="the late will of an old connection changes nothing",
    ),
    pytest.param(
        "0 A speaks\n1 A bye\n2 A2 hello=1\n3 A speaks\n4 A2 speaks",
        "holds holds holds holds",
        A2,
        False,
        id="a straggler after a goodbye is stored and is no sign of life",
    ),
    pytest.param(
        "0 A speaks\n20 A2 speaks\n21 A speaks\n22 A2 speaks",
        "holds holds apart holds",
        A2,
        True,
        id="a run that lost the id and speaks again is a copy",
    ),
    pytest.param(
        "0 A speaks\n5 A2 speaks\n10 A speaks\n19 A speaks\n20 A2 speaks\n25 A speaks\n26 A2 speaks",
        "holds waits holds holds waits holds apart",
        A,
        True,
        id="two copies of one installation speak at once",
    ),
    pytest.param("0 A speaks\n60 B speaks", "holds apart", A, True, id="another installation, holder alive"),
    pytest.param(
        "0 A speaks\n301 B speaks", "holds holds", B, False, id="another installation, holder silent"
    ),
    pytest.param("0 A speaks\n1 A bye\n2 B speaks", "holds holds", B, False, id="exchanged with goodbye"),
    pytest.param(
        "0 A hello=1\n1 A will=1\n2 B speaks", "holds apart", A, True, id="a will alone is no exchange"
    ),
    pytest.param(
        "0 A speaks\n60 B speaks\n120 B speaks\n301 B speaks",
        "holds apart apart holds",
        B,
        False,
        id="the rival takes over once the holder is silent",
    ),
    pytest.param(
        "0 A speaks\n60 B speaks\n100 A speaks\n359 A speaks\n361 A settle",
        "holds apart holds holds",
        A,
        False,
        id="the conflict ends when the rival is silent",
    ),
    pytest.param(
        "0 A speaks\n60 B speaks\n61 B chosen\n62 B speaks\n63 A speaks",
        "holds apart holds apart",
        B,
        True,
        id="a person chooses the rival",
    ),
]


@pytest.mark.parametrize(("text", "verdicts", "holder", "conflict"), TABLE)
def test_who_speaks(text: str, verdicts: str, holder: Run, conflict: bool) -> None:
    told, standing = story(text)
    assert " ".join(told) == verdicts
    assert standing.holder == holder
    assert (standing.conflict_since_us is not None) == conflict


def test_the_waits_are_as_documented() -> None:
    assert HANDOVER_US == 15 * S
    assert SILENCE_US == 300 * S


def test_backlog_that_a_run_apart_sends_is_stored_and_what_it_wrote_is_not() -> None:
    _, standing = story("0 A speaks\n60 B speaks")
    assert standing.apart(B)
    assert backlog_verdict(standing, Verdict.APART, b"older stream") is Verdict.HOLDS
    assert backlog_verdict(standing, Verdict.HOLDS, B[1]) is Verdict.APART
    assert backlog_verdict(standing, Verdict.WAITS, b"older stream") is Verdict.WAITS


def test_what_two_runs_told_of_overlaps() -> None:
    _, standing = story("0 A speaks\n100 A speaks\n90 B speaks\n500 B speaks")
    assert overlaps(standing, B, 95 * S, 96 * S)
    assert overlaps(standing, B, 100 * S, 200 * S)
    assert not overlaps(standing, B, 101 * S, 200 * S)


def test_a_holder_of_which_nothing_is_known_any_more_holds_nothing() -> None:
    standing, verdict = hear(Standing(holder=A), B, 0)
    assert verdict is Verdict.HOLDS
    assert standing.holder == B


@pytest.mark.parametrize(
    ("received", "through", "also"),
    [
        ([], 0, []),
        ([(1, 5)], 5, []),
        ([(2, 5)], 0, [(2, 5)]),
        ([(7, 9), (1, 3), (4, 4)], 4, [(7, 9)]),
        ([(1, 1), (3, 3), (5, 6)], 1, [(3, 3), (5, 6)]),
    ],
)
def test_acknowledgement(received: list[tuple[int, int]], through: int, also: list[tuple[int, int]]) -> None:
    assert acknowledgement(received) == (through, also)


@pytest.mark.parametrize(
    ("announced", "received", "lacking"),
    [
        ([(1, 9)], [(1, 9)], []),
        ([(1, 9)], [], [(1, 9)]),
        ([(5, 9)], [(1, 6)], [(7, 9)]),
        ([(1, 9)], [(3, 4), (6, 6)], [(1, 2), (5, 5), (7, 9)]),
        ([(1, 2), (8, 9)], [(2, 8)], [(1, 1), (9, 9)]),
        ([(4, 5)], [(1, 2), (7, 9)], [(4, 5)]),
    ],
)
def test_what_the_disk_holds_and_the_database_lacks(
    announced: list[tuple[int, int]], received: list[tuple[int, int]], lacking: list[tuple[int, int]]
) -> None:
    assert missing(announced, received) == lacking
