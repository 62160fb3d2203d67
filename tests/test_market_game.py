"""Equilibria of small games: those known by hand, and those a search through every choice finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashore.markets import game

NONE = np.zeros(2)


def bimatrix(first: list[list[float]], second: list[list[float]]) -> np.ndarray:
    return np.stack([np.array(first), np.array(second)], axis=-1)


DILEMMA = bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]])
PENNIES = bimatrix([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
CHICKEN = bimatrix([[0, -1], [1, -5]], [[0, 1], [-1, -5]])
STAG = bimatrix([[4, 0], [3, 2]], [[4, 3], [0, 2]])


@pytest.mark.parametrize(
    ("payoff", "expected"),
    [
        (DILEMMA, [(1, 1)]),  # both are better off at (0, 0), which neither keeps to
        (PENNIES, []),
        (CHICKEN, [(0, 1), (1, 0)]),
        (STAG, [(0, 0), (1, 1)]),
    ],
)
def test_the_games_of_the_textbooks(payoff: np.ndarray, expected: list[tuple[int, ...]]) -> None:
    assert game.equilibria(payoff, NONE) == expected


def test_what_a_player_would_do_whatever_the_other_does() -> None:
    assert [game.dominant(DILEMMA, player, 0.0) for player in (0, 1)] == [1, 1]
    assert [game.dominant(payoff, 0, 0.0) for payoff in (PENNIES, CHICKEN, STAG)] == [None, None, None]


def test_best_replies_end_at_an_equilibrium_or_go_round() -> None:
    assert game.replies(DILEMMA, (0, 0), NONE) == ([(0, 0), (1, 0), (1, 1)], 2)
    assert game.replies(STAG, (0, 0), NONE) == ([(0, 0)], 0)
    path, back = game.replies(PENNIES, (0, 0), NONE)
    assert (path, back) == ([(0, 0), (0, 1), (1, 1), (1, 0)], 0)


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@given(shapes, st.integers(0, 10**6), st.sampled_from([0.0, 0.5]))
def test_equilibria_are_those_a_search_through_every_choice_finds(
    shape: tuple[int, ...], seed: int, slack: float
) -> None:
    """Payoffs are small whole numbers, so that ties happen."""
    payoff = np.random.default_rng(seed).integers(0, 4, (*shape, len(shape))).astype(float)
    expected = []
    for place in itertools.product(*(range(size) for size in shape)):
        stands = True
        for player, size in enumerate(shape):
            for other in range(size):
                moved = (*place[:player], other, *place[player + 1 :])
                stands = stands and payoff[(*moved, player)] <= payoff[(*place, player)] + slack
        if stands:
            expected.append(place)
    assert game.equilibria(payoff, np.full(len(shape), slack)) == expected
    path, back = game.replies(payoff, (0,) * len(shape), np.full(len(shape), slack))
    assert (back == len(path) - 1) == (path[-1] in expected)
