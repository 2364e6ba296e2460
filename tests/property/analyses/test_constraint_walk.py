"""The walk covers just the time in which some machine is active, whatever is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.interpret.constraints import ACTIVE, active_periods, moments, shares, walk

STATES = ("running", "down", "changeover", "planned_stop", "waiting", "idle", "unknown")


@dataclass(frozen=True)
class Piece:
    machine: str
    state: str
    from_us: int
    to_us: int


def pieces(drawn: dict[str, list[tuple[str, int]]]) -> list[Piece]:
    made = []
    for machine, steps in drawn.items():
        now = 0
        for state, length in steps:
            made.append(Piece(machine, state, now, now + length))
            now += length
    return made


lines = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.tuples(st.sampled_from(STATES), st.integers(1, 9)), max_size=12)
).map(pieces)


@given(lines)
def test_there_is_a_constraint_just_where_a_machine_is_active(line: list[Piece]) -> None:
    found = moments(walk(active_periods(line)))
    covered = {now for moment in found for now in range(moment.from_us, moment.to_us)}
    active = {now for piece in line if piece.state in ACTIVE for now in range(piece.from_us, piece.to_us)}
    assert covered == active
    assert all(before.to_us <= after.from_us for before, after in pairwise(found))


@given(lines)
def test_the_constraint_at_a_moment_is_active_then(line: list[Piece]) -> None:
    for moment in moments(walk(active_periods(line))):
        for machine in moment.machines:
            states = {
                piece.state
                for piece in line
                if piece.machine == machine and piece.from_us < moment.to_us and piece.to_us > moment.from_us
            }
            assert states <= ACTIVE


@given(lines)
def test_sole_time_and_shifting_moments_are_all_the_time(line: list[Piece]) -> None:
    found = moments(walk(active_periods(line)))
    sole = sum(share.sole_us for share in shares(found).values())
    shifting = sum(m.to_us - m.from_us for m in found if len(m.machines) > 1)
    assert sole + shifting == sum(moment.to_us - moment.from_us for moment in found)


@given(lines)
def test_no_period_on_the_walk_lies_within_a_longer_one(line: list[Piece]) -> None:
    chosen = walk(active_periods(line))
    assert not any(
        a.from_us <= b.from_us and b.to_us <= a.to_us and b.length_us < a.length_us
        for a in chosen
        for b in chosen
    )
