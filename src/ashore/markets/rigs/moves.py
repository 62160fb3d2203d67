"""Who moves where: the plants each maker could open, what every combination earns, and which of them stand.

A maker chooses, on the first day and for good, which of its plants that are not open to order. Each period of a dated
path of the law is then a market at rest with the plants that are ready, at the pace of sales the market settles at.
What a maker earns by it:

    payoff = Σ_t discount[t]·(profit[t] − fixed costs of ordered plants that are ready) − what it costs to open them.

Plants that are open already stay so, at costs that are the same whatever is chosen and therefore left out. Nothing is
counted after the last period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations, product
from typing import Any

import numpy as np

from ashore.dates import month_date
from ashore.errors import Fault, FaultyInput, raise_if, suggest
from ashore.markets import game
from ashore.markets.demand import Floats
from ashore.markets.game import Place
from ashore.markets.rigs.answer import duty_usd, profit_usd
from ashore.markets.rigs.balance import Rest, Scene
from ashore.markets.rigs.inputs import Settings
from ashore.markets.rigs.market import Seen, at_rest, look, routes, with_feedback
from ashore.markets.rigs.supply import Ways
from ashore.markets.solved import hhi
from ashore.network import Network, Plant
from ashore.rules import RuleBook

MOST = 5000  # combinations
SLACK = 1e-6  # of a maker's largest payoff: what it must gain to move
Ready = tuple[tuple[str, float], ...]  # plants ordered that are ready, and the share of their capacity that runs


@dataclass(frozen=True)
class Path:
    """When what is earned: months from ``start`` on, in periods of ``step`` months, the last one perhaps shorter."""

    start: date
    months: int
    step: int

    @property
    def periods(self) -> list[range]:
        """The months of each period."""
        return [range(k, min(k + self.step, self.months)) for k in range(0, self.months, self.step)]

    def day(self, period: int) -> date:
        """The first day of a period, whose law holds for all of it."""
        return month_date(self.start, self.periods[period].start)


@dataclass(frozen=True)
class Player:
    """A maker and the sets of plants it can order; the first is none."""

    maker: str
    sets: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class State:
    """A market at rest in one period, over the months that sales are counted for.

    profit_usd: of each maker that has rigs in the market; price_usd_ths: mean delivered price at home.
    """

    profit_usd: Mapping[str, float]
    price_usd_ths: float
    units: float
    hhi: float | None
    duty_usd: float


@dataclass(frozen=True)
class Moves:
    """Payoffs of every combination, and the market in every period of each.

    payoff: (sets of the first player, …, of the last, players) USD. states: periods of each combination.
    """

    settings: Settings
    path: Path
    players: tuple[Player, ...]
    payoff: Floats
    states: Mapping[Place, tuple[State, ...]]
    notes: tuple[str, ...]

    @property
    def slack(self) -> Floats:
        """What a gain must be above to count, (players,) USD."""
        most: Floats = SLACK * np.abs(self.payoff).reshape(-1, len(self.players)).max(axis=0)
        return most

    @property
    def stay(self) -> Place:
        """Nobody moves."""
        return (0,) * len(self.players)

    def equilibria(self) -> list[Place]:
        """Every combination in which no maker gains by another set of its own."""
        return game.equilibria(self.payoff, self.slack)

    def as_dict(self) -> dict[str, Any]:
        """The document of ``ashore clear --moves --json``."""
        found = self.equilibria()
        path, back = game.replies(self.payoff, self.stay, self.slack)
        return {
            "market": self.settings.name,
            "conduct": self.settings.conduct,
            "from": self.path.start.isoformat(),
            "until": month_date(self.path.start, self.path.months).isoformat(),
            "makers": [
                {
                    "maker": player.maker,
                    "sets": [list(names) for names in player.sets],
                    "dominant": self._dominant(number),
                }
                for number, player in enumerate(self.players)
            ],
            "combinations": [self._row(place) for place in np.ndindex(*self.payoff.shape[:-1])],
            "equilibria": [self._row(place) | {"periods": self._periods(place)} for place in found],
            "stay": self._row(self.stay) | {"periods": self._periods(self.stay)},
            "replies": [self._chosen(place) for place in path],
            "replies_return_to": back if back < len(path) - 1 else None,
            "notes": list(self.notes),
        }

    def _dominant(self, number: int) -> list[str] | None:
        best = game.dominant(self.payoff, number, float(self.slack[number]))
        return None if best is None else list(self.players[number].sets[best])

    def _chosen(self, place: Place) -> dict[str, list[str]]:
        return {player.maker: list(player.sets[k]) for player, k in zip(self.players, place, strict=True)}

    def _row(self, place: Place) -> dict[str, Any]:
        gain = self.payoff[place] - self.payoff[self.stay]
        makers = [player.maker for player in self.players]
        return {
            "plants": self._chosen(place),
            "payoff_usd": dict(zip(makers, self.payoff[place].tolist(), strict=True)),
            "gain_usd": dict(zip(makers, gain.tolist(), strict=True)),
        }

    def _periods(self, place: Place) -> list[dict[str, Any]]:
        return [
            {
                "from": self.path.day(number).isoformat(),
                "price_usd_ths": state.price_usd_ths,
                "units": state.units,
                "hhi": state.hhi,
                "duty_usd": state.duty_usd,
            }
            for number, state in enumerate(self.states[place])
        ]


def running(plant: Plant, months: range) -> tuple[float, float]:
    """Share of a plant's capacity that runs on average over some months since it was ordered, and months it is ready.

    Ready after lead_months; then 1, 2, … parts of ramp_months + 1, until all of it runs.
    """
    since = np.array(months) - plant.lead_months
    share = np.clip((since + 1) / (plant.ramp_months + 1), 0.0, 1.0)
    return float(np.where(since >= 0, share, 0.0).mean()), float((since >= 0).sum())


def moves(
    network: Network,
    settings: Settings,
    books: tuple[RuleBook, RuleBook],
    path: Path,
    candidates: Sequence[str] = (),
    done: Callable[[int], None] | None = None,
) -> Moves:
    """Solve every combination of plants over a path of the law.

    The market is calibrated under the first book on the first day; the second one is the path. candidates: plants that
    may be ordered; all that are not open if empty. done: told how many markets are solved.
    Raises FaultyInput for a network that is no market, or whose makers have nothing or too much to choose from.
    """
    now = network.as_open()
    seen, notes = look(now, settings, books[0].country)
    law, held = _held(books[1], path)
    players, left_out = _players(network, seen, candidates)
    at, faults = routes(now, seen, settings, books[0], path.start)
    raise_if(faults)
    scene, before, _ = at_rest(seen, settings, at)
    streets = _Streets(network, seen, settings, law, path, [name for p in players for name in p.sets[-1]], at.gate)
    choices = {
        place: [name for player, k in zip(players, place, strict=True) for name in player.sets[k]]
        for place in product(*(range(len(player.sets)) for player in players))
    }
    wanted = {
        place: [(streets.law[number], _ready(network, names, months)) for number, months in enumerate(path.periods)]
        for place, names in choices.items()
    }
    solved: dict[tuple[int, Ready], State] = {}
    states = list(dict.fromkeys(state for row in wanted.values() for state in row))
    known = dict(zip(at.plants, before.premium, strict=True))
    premium = np.array([known.get(name, 0.0) for name in network.plants])
    rest, guess = replace(before, premium=premium, slopes=None), seen.outlook.hashprice
    for count, (period, ready) in enumerate(states):
        there = replace(scene, ways=streets.ways(period, ready))
        rest, worth, guess = with_feedback(there, rest, seen, settings, guess)
        solved[period, ready] = _state(replace(there, worth=worth), rest, seen)
        if done:
            done(count + 1)
    payoff = np.empty((*(len(player.sets) for player in players), len(players)))
    for place in choices:
        rows = [solved[key] for key in wanted[place]]
        for number, player in enumerate(players):
            payoff[(*place, number)] = _payoff(network, settings, path, player, player.sets[place[number]], rows)
    found = {place: tuple(solved[key] for key in row) for place, row in wanted.items()}
    return Moves(settings, path, players, payoff, found, (*settings.notes, *left_out, *held, *notes))


def _held(book: RuleBook, path: Path) -> tuple[RuleBook, list[str]]:
    """The law of the whole path; that of the last day known is held, and a sentence says so, if it ends before."""
    until = month_date(path.start, path.months)
    if book.until >= until:
        return book, []
    note = f"The rule book vouches for no day from {book.until} on; the law of its last day is held to the end."
    return book.hold(until), [note]


def _players(network: Network, seen: Seen, candidates: Sequence[str]) -> tuple[tuple[Player, ...], list[str]]:
    """The makers with plants to order, and a sentence on plants that nobody can order."""
    closed = [name for name, plant in network.plants.items() if not plant.open]
    faults = []
    for name in candidates:
        if name not in closed:
            what = f"'{name}' is open already." if name in network.plants else f"'{name}' is no plant of this network."
            faults.append(Fault("--candidates", what, suggest(name, closed, "Name a plant that is not open.")))
    raise_if(faults)
    named = [name for name in closed if not candidates or name in candidates]
    makers = list(dict.fromkeys(seen.makers))
    own = {maker: [n for n in named if network.plants[n].company == maker] for maker in makers}
    players = tuple(Player(maker, tuple(_subsets(names))) for maker, names in own.items() if names)
    notes = [
        f"{name} belongs to {network.plants[name].company}, which sells no rig in this market; it stays as it is."
        for name in named
        if network.plants[name].company not in makers
    ]
    if not players:
        what = "No maker of rigs has a plant it could open."
        raise FaultyInput(Fault("plants.csv", what, "Add a plant of the maker with open = no, as plants.csv names it."))
    count = int(np.prod([len(player.sets) for player in players]))
    if count > MOST:
        what = f"{count:,} combinations of plants are too many to solve one by one."
        raise FaultyInput(Fault("--candidates", what, "Name the plants that matter, as --candidates PLANT,PLANT."))
    return players, notes


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every set of names, the smaller ones first; the last holds all."""
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _ready(network: Network, names: Sequence[str], months: range) -> Ready:
    shares = ((name, running(network.plants[name], months)[0]) for name in names)
    return tuple((name, share) for name, share in shares if share > 0)


def _payoff(
    network: Network, settings: Settings, path: Path, player: Player, names: Sequence[str], rows: Sequence[State]
) -> float:
    """What a maker earns over the path by one of its sets, USD of the first day."""
    plants = [network.plants[name] for name in names]
    total = -sum(plant.open_usd for plant in plants)
    for months, state in zip(path.periods, rows, strict=True):
        factor = float(((1.0 + network.settings.discount_year) ** (-np.array(months) / 12.0)).mean())
        fixed = sum(running(plant, months)[1] * plant.fixed_usd_month for plant in plants)
        total += factor * (state.profit_usd[player.maker] * len(months) / settings.months - fixed)
    return total


def _state(scene: Scene, rest: Rest, seen: Seen) -> State:
    home, profit = seen.home > 0, profit_usd(scene, rest)
    sold, price = rest.sold[home], rest.delivered.price[home]
    spent = float((np.where(sold > 0, price, 0.0) * sold).sum())
    return State(
        profit_usd={m: float(profit[[name == m for name in seen.makers]].sum()) for m in dict.fromkeys(seen.makers)},
        price_usd_ths=spent / float(sold.sum()),
        units=float(sold.sum()),
        hhi=hhi(sold.sum(axis=0), seen.makers),
        duty_usd=duty_usd(rest, scene.ways),
    )


class _Streets:
    """Routes under the laws of a path, by the plants that are ready; worked out maker by maker and kept.

    law: of each period the number of the first period whose law bears on rigs alike.
    """

    def __init__(
        self,
        network: Network,
        seen: Seen,
        settings: Settings,
        book: RuleBook,
        path: Path,
        candidates: Sequence[str],
        gate: Floats,
    ) -> None:
        self.network, self.seen, self.settings, self.book, self.path = network, seen, settings, book, path
        self.gate, self.plants = gate, tuple(network.plants)
        self.makers = {maker: _makes_for(network, seen, maker) for maker in dict.fromkeys(seen.makers)}
        self._kept: dict[tuple[int, frozenset[str]], Ways] = {}
        every = frozenset(candidates)
        marks: list[tuple[Any, ...]] = []
        for number in range(len(path.periods)):
            at = self._running(number, every)
            marks.append((at.origin, at.rate.tobytes(), at.extra.tobytes()))
        self.law = [marks.index(mark) for mark in marks]

    def _running(self, period: int, opened: frozenset[str]) -> Ways:
        """Routes on the day of a period with some plants open besides those that are."""
        key = period, opened
        if key not in self._kept:
            network = self.network.as_open(opened)
            found, faults = routes(network, self.seen, self.settings, self.book, self.path.day(period))
            raise_if(faults)
            load = np.zeros((len(found.rate), len(self.plants)))
            load[:, [self.plants.index(name) for name in found.plants]] = found.load
            extra = found.extra + (found.gate - self.gate)[found.rig]
            self._kept[key] = replace(found, load=load, extra=extra, gate=self.gate, plants=self.plants)
        return self._kept[key]

    def ways(self, law: int, ready: Ready) -> Ways:
        """Routes with some plants ready, each maker's those that its own ready plants give."""
        parts = []
        for maker, plants in self.makers.items():
            at = self._running(law, frozenset(name for name, _ in ready if name in plants))
            parts.append((at, np.flatnonzero([self.seen.makers[rig] == maker for rig in at.rig])))
        share = dict(ready)
        capacity = np.array(
            [  # a plant that is not ready has no route, so that its capacity is never looked at
                plant.capacity_month * self.settings.months * (1.0 if plant.open else share.get(name, 1.0))
                for name, plant in self.network.plants.items()
            ]
        )
        return Ways(
            region=np.concatenate([at.region[rows] for at, rows in parts]),
            rig=np.concatenate([at.rig[rows] for at, rows in parts]),
            origin=tuple(at.origin[row] for at, rows in parts for row in rows),
            rate=np.concatenate([at.rate[rows] for at, rows in parts]),
            extra=np.concatenate([at.extra[rows] for at, rows in parts]),
            gate=self.gate,
            load=np.concatenate([at.load[rows] for at, rows in parts]),
            capacity=capacity,
            plants=self.plants,
        )


def _makes_for(network: Network, seen: Seen, maker: str) -> frozenset[str]:
    """Plants that make a maker's rigs or parts of them."""
    products = [rig.name for rig, name in zip(seen.rigs, seen.makers, strict=True) if name == maker]
    for item in products:  # grows as parts are found
        products += [part.part for part in network.parts.get(item, ()) if part.part not in products]
    return frozenset(plant for plant, item in network.makes if item in products)
