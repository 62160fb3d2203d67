"""Games of few players with few choices each: which choices are best replies to each other.

Payoffs are an array of shape (choices of the first, …, choices of the last player, players): what each player gets if
the players choose as the leading places say. An equilibrium in pure strategies is a place at which no player gains more
than its ``slack`` by another choice of its own. There may be none, one or several.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ashore.markets.demand import Floats

Place = tuple[int, ...]


def regret(payoff: Floats) -> Floats:
    """What each player could gain by another choice while the others stay: never below 0, shaped as ``payoff``."""
    players = payoff.shape[-1]
    found = np.empty_like(payoff)
    for player in range(players):
        own = payoff[..., player]
        found[..., player] = own.max(axis=player, keepdims=True) - own
    return found


def equilibria(payoff: Floats, slack: Floats) -> list[Place]:
    """Every place at which no player gains more than its slack, (players,), by another choice; in order."""
    moved = (regret(payoff) > slack).any(axis=-1)
    return [tuple(int(k) for k in place) for place in np.argwhere(~moved)]


def replies(payoff: Floats, start: Place, slack: Floats) -> tuple[list[Place], int]:
    """Where best replies lead: at every step the player that gains most moves to its best choice.

    Returns the places passed, and the place in that list to which the last of them leads back: the last place itself if
    nobody wants to move any more, an earlier one if the players go round.
    """
    path: list[Place] = [start]
    for there in _steps(payoff, start, slack):
        if there in path:
            return path, path.index(there)
        path.append(there)
    return path, len(path) - 1


def _steps(payoff: Floats, start: Place, slack: Floats) -> Iterator[Place]:
    gains, here = regret(payoff), start
    while True:
        wanted = np.where(gains[here] > slack, gains[here], 0.0)
        if not wanted.any():
            return
        player = int(wanted.argmax())
        others = np.moveaxis(payoff[..., player], player, -1)[here[:player] + here[player + 1 :]]
        here = (*here[:player], int(others.argmax()), *here[player + 1 :])
        yield here


def dominant(payoff: Floats, player: int, slack: float) -> int | None:
    """The choice that is best for a player whatever the others do, if there is one."""
    own = np.moveaxis(payoff[..., player], player, 0)
    best = (own >= own.max(axis=0) - slack).reshape(len(own), -1).all(axis=1)
    return int(best.argmax()) if best.any() else None
