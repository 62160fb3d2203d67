"""The plan stated a second time, from the description of the tables alone, and solved by trying every policy.

A *policy* is a life for each plant of which anything can be decided: on each branch of the tree, month by month,
whether it is ordered, expanded, laid up, restarted or closed; what is decided before two branches part is decided on
both. For one policy the rest is a linear programme: each branch has its own
copy of every quantity, and copies are equal (one equation each) in the months in which the branches are still the
same. There is no stock among the unknowns: what is held is what has come so far less what has gone so far, so goods
pay for holding from the month they come to the end of the plan, and are paid back from the month they leave. It is
solved by ``scipy.optimize.linprog``. A policy is left untried only where linear-programming duality proves that
it cannot be better than one that was tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product as combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack
from tests.restated import HOME, Law, Life, Lives, Reading, Tree, capacity_of, cost_of, has_a_choice

if TYPE_CHECKING:
    from tests.random_networks import Case

SHORT = 1e-6  # units; less is no shortfall
EXACT = 1e-7  # share of the cost within which a bound counts as reached


class Flow(NamedTuple):
    """A quantity decided in every month of every branch. ``usd``: cost of one unit in the month it is decided."""

    kind: str  # buy, ship, make, use or lose
    product: str
    origin: str
    start: str  # country bought in, or plant
    place: str  # where it arrives, is made, used or missing
    usd: float = 0.0
    lag: int = 0
    mode: str = ""
    value: float = 0.0  # customs value
    into: tuple[str, str] = ("", "")  # product and origin a part is used for
    made_here: bool = False  # whether a part used was made in the same plant


@dataclass(frozen=True)
class Best:
    """usd: least objective, None if no policy can serve what must be served. lives: by plant. tried: policies."""

    usd: float | None
    lives: dict[str, Life]
    tried: int
    policies: int


class BruteForce:
    """Every policy of a case, and the linear programme that one of them leaves."""

    def __init__(self, case: Case) -> None:
        self.case, self.tree, self.t = case, Tree(case), case.tables
        self.net = Reading(case)
        self.good = {(row["plant"], row["product"]): row["yield"] or 1.0 for row in case.tables["makes"]}
        self.branches = self.tree.branches
        self.wanted = {b: [self._wanted(b, t) for t in self.tree.months] for b in self.branches}
        self.flows = list(self._flows())
        self.of_kind: dict[str, list[int]] = {}
        for k, flow in enumerate(self.flows):
            self.of_kind.setdefault(flow.kind, []).append(k)
        self.shape = (len(self.flows), len(self.branches), case.months)
        size = int(np.prod(self.shape))
        self.column = np.arange(size).reshape(self.shape)
        self.size = size
        self.upper = np.full(self.shape, np.inf)
        self.usd = np.zeros(self.shape)  # cost of one unit on the branch, discounted
        self.fixed = np.zeros(len(self.branches))  # what a branch costs whatever is done
        self.factor = (1 + case.settings["discount_year"]) ** (-np.arange(case.months) / 12)
        hold = case.settings["hold_usd_month"] * self.factor
        self.to_the_end = np.cumsum(hold[::-1])[::-1]
        self.at_most: list[tuple[Any, Any, float]] = []  # columns, coefficients, right-hand side
        self.equal: list[tuple[Any, Any, float]] = []
        self.room: dict[int, tuple[int, int, int]] = {}  # row: candidate, branch, month
        self.ready: dict[int, tuple[int, int, int]] = {}
        self.decided = [row for row in self.t["plants"] if has_a_choice(row)]
        for step in (
            self._prices,
            self._keep,
            self._deliver,
            self._need,
            self._capacity,
            self._ready,
            self._limits,
            self._same,
        ):
            step()
        self._matrices()
        self.choices = [list(Lives(self.tree, row)) for row in self.decided]
        sizes = [len(ways) for ways in self.choices]
        self.least = np.full(sizes, -np.inf)  # proven lower bound of each policy
        self.usd_of = np.full(sizes, np.inf)  # its objective, once it is tried
        self.tried = np.zeros(sizes, dtype=bool)

    # -- what is wanted -----------------------------------------------------------------------------------------------
    def _wanted(self, branch: str, month: int) -> dict[tuple[str, str], tuple[float, float | None]]:
        """Units and cost of losing one, by market and product; the node's own rows take the place of the network's."""
        found: dict[tuple[str, str], tuple[float, float | None]] = {}
        for row in self.t["demand"]:
            if row["month"] in (None, month):
                found[row["market"], row["product"]] = (row["units"], row["lost_usd"])
        for row in self.case.wanted:
            if row["node"] == self.tree.holder(branch, month) and row["month"] in (None, month):
                key = (row["market"], row["product"])
                found[key] = (row["units"], found.get(key, (0.0, None))[1])
        return found

    # -- the unknowns -------------------------------------------------------------------------------------------------
    def _flows(self) -> Iterator[Flow]:
        net, insured = self.net, self.case.settings["insurance_share"]
        sought = sorted({key for b in self.branches for month in self.wanted[b] for key in month})
        users = {(row["plant"], part) for row in self.t["makes"] for part in net.parts.get(row["product"], {})}
        places = sorted({*sought, *users})
        for market, item in sought:
            yield Flow("lose", item, "", "", market)
        for supply in self.t["supplies"]:
            for place, item in places:
                if item != supply["product"]:
                    continue
                price, start = supply["price_usd"], supply["origin"]
                ways = net.lanes(start, place)
                if not ways and start == net.country[place]:  # at home: at no cost
                    yield Flow("buy", item, start, start, place, price, 0, "local", price)
                for mode, freight, lag in ways:
                    usd = price + freight(item) + insured * price
                    yield Flow("buy", item, start, start, place, usd, lag, mode, price)
        for row in self.t["makes"]:
            plant, item, value = row["plant"], row["product"], net.value_of(row)
            for origin in net.origins_made(row):
                yield Flow("make", item, origin, plant, plant, row["cost_usd"] / self.good[plant, item])
                for place, other in places:
                    if other == item and place != plant:
                        for mode, freight, lag in net.lanes(plant, place):
                            usd = freight(item) + insured * value
                            yield Flow("ship", item, origin, plant, place, usd, lag, mode, value)
                for part in net.parts.get(item, {}):
                    for own in net.origins[part]:
                        if part == net.handed_on(row) and own != origin:
                            continue
                        yield Flow("use", part, own, plant, plant, into=(item, origin))
                        yield Flow("use", part, own, plant, plant, into=(item, origin), made_here=True)

    def _where(self, kind: str, **wanted: Any) -> list[int]:
        """The flows of a kind with these properties."""
        pairs = [(Flow._fields.index(key), x) for key, x in wanted.items()]
        return [k for k in self.of_kind.get(kind, ()) if all(self.flows[k][place] == x for place, x in pairs)]

    # -- what it costs ------------------------------------------------------------------------------------------------
    def _prices(self) -> None:
        """Each unit pays in its month; entries pay duty and fees in the month and branch they arrive in."""
        net = self.net
        law = Law({row["product"]: row for row in self.t["products"]})
        for row in self.t["plants"]:
            if not has_a_choice(row):
                self.fixed += row["fixed_usd_month"] * self.factor.sum()
        rates: dict[Any, float] = {}
        for k, flow in enumerate(self.flows):
            moved = flow.kind in ("buy", "ship")
            enters = moved and net.country[flow.place] == HOME != net.country[flow.start]
            for b, branch in enumerate(self.branches):
                for t in self.tree.months:
                    there = t + flow.lag
                    if there >= self.case.months:
                        self.upper[k, b, t] = 0.0
                        continue
                    self.usd[k, b, t] += flow.usd * self.factor[t]
                    if flow.kind == "lose":
                        units, lost = self.wanted[branch][t].get((flow.place, flow.product), (0.0, None))
                        self.upper[k, b, t] = 0.0 if lost is None else units
                        self.usd[k, b, t] += (lost or 0.0) * self.factor[t]
                    if enters:
                        key = (flow.product, flow.origin, self.tree.holder(branch, there), there)
                        if key not in rates:
                            rates[key] = law.rate(
                                flow.product, flow.origin, self.tree.days[there], self._changes(key[2])
                            )
                        share = rates[key] + 0.003464 + (0.00125 if flow.mode == "ocean" else 0.0)
                        self.usd[k, b, t] += share * flow.value * self.factor[there]

    def _changes(self, node: str) -> list[dict[str, Any]]:
        return [
            {"from": self.tree.nodes[name]["from"], **change}
            for name in self.tree.path(node)
            for change in self.tree.nodes[name].get("changes", ())
        ]

    # -- what binds ---------------------------------------------------------------------------------------------------
    def _never_negative(self, come: Sequence[int], go: Sequence[int], needed: np.ndarray | None = None) -> None:
        """What has gone by the end of each month is at most what has come; holding is charged on the difference.

        needed (branches, months): units that go in any case.
        """
        for k in come:
            lag = self.flows[k].lag
            length = self.case.months - lag
            self.usd[k, :, :length] += self.to_the_end[lag:]
        for k in go:
            self.usd[k] -= self.to_the_end
        for b in range(len(self.branches)):
            for t in self.tree.months:
                index = [self.column[k, b, : t + 1 - self.flows[k].lag] for k in come if t >= self.flows[k].lag]
                coefficient = [np.full(len(part), -1.0) for part in index]
                index += [self.column[k, b, : t + 1] for k in go]
                coefficient += [np.ones(t + 1) for _ in go]
                sides = 0.0 if needed is None else -float(needed[b, : t + 1].sum())
                if index:
                    self.at_most.append((np.concatenate(index), np.concatenate(coefficient), sides))
                elif sides < 0:
                    self.at_most.append((np.zeros(0, dtype=int), np.zeros(0), sides))

    def _keep(self) -> None:
        """Goods leave a plant, or are used in it, only once they are made there; used also once they have arrived."""
        for made_here in (True, False):
            for place, item, origin in self._stores(made_here):
                same = {"product": item, "origin": origin}
                go = self._where(kind="use", place=place, made_here=made_here, **same)
                if made_here:
                    come = self._where(kind="make", place=place, **same)
                    go += self._where(kind="ship", start=place, **same)
                else:
                    come = [k for kind in ("buy", "ship") for k in self._where(kind=kind, place=place, **same)]
                self._never_negative(come, go)

    def _stores(self, made_here: bool) -> list[tuple[str, str, str]]:
        """Plant, product and origin of what is made in a plant, or of what arrives for use in it."""
        flows = [
            f for f in self.flows if (f.kind == "use" and f.made_here == made_here) or (made_here and f.kind == "make")
        ]
        return sorted({(f.place, f.product, f.origin) for f in flows})

    def _deliver(self) -> None:
        """What has come to a market by each month, or is lost, covers what was wanted by then."""
        for k, flow in enumerate(self.flows):
            if flow.kind != "lose":
                continue
            key = (flow.place, flow.product)
            units = np.array([[month.get(key, (0.0, None))[0] for month in self.wanted[b]] for b in self.branches])
            come = [
                j for kind in ("buy", "ship") for j in self._where(kind=kind, place=flow.place, product=flow.product)
            ]
            self._never_negative([*come, k], [], units)
            self.fixed -= units @ self.to_the_end

    def _need(self) -> None:
        """Each good unit made uses up quantity / yield of each of its parts in the month it is made."""
        for k in self._where(kind="make"):
            flow = self.flows[k]
            for part, quantity in self.net.parts.get(flow.product, {}).items():
                into = (flow.product, flow.origin)
                used = self._where(kind="use", place=flow.place, product=part, into=into)
                for column in np.ndindex(self.shape[1:]):
                    index = np.array([self.column[(k, *column)], *(self.column[(j, *column)] for j in used)])
                    need = quantity / self.good[flow.place, flow.product]
                    self.equal.append((index, np.array([-need, *[1.0] * len(used)]), 0.0))

    def _capacity(self) -> None:
        """What a plant makes in a month, times capacity / yield that each unit takes, is at most what it then has."""
        use = {(row["plant"], row["product"]): row["capacity_use"] for row in self.t["makes"]}
        number = {row["plant"]: k for k, row in enumerate(self.decided)}
        for row in self.t["plants"]:
            made = self._where(kind="make", place=row["plant"])
            taken = [use[row["plant"], self.flows[k].product] for k in made]
            weights = np.array([1.0 if x is None else x for x in taken])
            weights /= [self.good[row["plant"], self.flows[k].product] for k in made]
            for b, t in np.ndindex(self.shape[1:]):
                if row["plant"] in number:
                    self.room[len(self.at_most)] = (number[row["plant"]], b, t)
                side = 0.0 if row["plant"] in number else row["capacity_month"]
                self.at_most.append((self.column[made, b, t], weights, side))

    def _ready(self) -> None:
        """What takes no capacity is still made only where a plant is ready: x ≤ all that could be of use, if it is."""
        number = {row["plant"]: k for k, row in enumerate(self.decided)}
        for row in self.t["makes"]:
            if row["capacity_use"] == 0 and row["plant"] in number:
                made = self._where(kind="make", place=row["plant"], product=row["product"])
                for b, t in np.ndindex(self.shape[1:]):
                    self.ready[len(self.at_most)] = (number[row["plant"]], b, t)
                    self.at_most.append(
                        (self.column[made, b, t], np.full(len(made), 1 / self._of_use(row["product"])), 0.0)
                    )

    def _of_use(self, product: str) -> float:
        """The most units of a product that can be of use, in demand or as parts."""
        totals = [sum(units for month in months for (_, item), (units, _) in month.items() if item == product)
                  for months in self.wanted.values()]  # fmt: skip
        above = [(row["product"], row["quantity"]) for row in self.t["parts"] if row["part"] == product]
        worst = min(self.good.values())
        return max(1.0, max(totals) + sum(quantity / worst * self._of_use(item) for item, quantity in above))

    def _limits(self) -> None:
        """What is bought of a supply in a month, wherever it goes, is at most its limit."""
        for row in self.t["supplies"]:
            if row["limit_month"] is not None:
                bought = self._where(kind="buy", product=row["product"], origin=row["origin"])
                for b, t in np.ndindex(self.shape[1:]):
                    self.at_most.append((self.column[bought, b, t], np.ones(len(bought)), row["limit_month"]))

    def _same(self) -> None:
        """In a month that branches have in common they do the same."""
        for t in self.tree.months:
            first: dict[str, int] = {}
            for b, branch in enumerate(self.branches):
                other = first.setdefault(self.tree.holder(branch, t), b)
                if other != b:
                    for k in range(len(self.flows)):
                        pair = self.column[k, [other, b], t]
                        self.equal.append((pair, np.array([1.0, -1.0]), 0.0))

    # -- the linear programme -----------------------------------------------------------------------------------------
    def _matrices(self) -> None:
        """Columns: the quantities, then the cost T of each branch, its excess z over η, and η.

        T[b] = Σ usd·x + fixed + what the policy costs on b;  z[b] ≥ T[b] − η;
        least (1 − w)·Σ p·T + w·(η + Σ p·z / (1 − α)).
        """
        count, size = len(self.branches), self.size
        chance = np.array([self.tree.chance[b] for b in self.branches])
        weight, level = self.case.risk, self.case.tail
        self.objective = np.concatenate(
            [np.zeros(size), (1 - weight) * chance, weight * chance / (1 - level), [weight]]
        )
        total, over, eta = size + np.arange(count), size + count + np.arange(count), size + 2 * count
        most = list(self.at_most)
        self.excess = [len(most) + b for b in range(count)]
        for b in range(count):
            most.append((np.array([total[b], over[b], eta]), np.array([1.0, -1.0, -1.0]), 0.0))
        even = list(self.equal)
        self.spent = len(even) + np.arange(count)
        for b in range(count):
            index = np.append(self.column[:, b, :].ravel(), total[b])
            even.append((index, np.append(-self.usd[:, b, :].ravel(), 1.0), self.fixed[b]))
        width = eta + 1
        self.rows_most, self.most = _sparse([row[:2] for row in most], width), np.array([row[2] for row in most])
        self.rows_even, self.even = _sparse([row[:2] for row in even], width), np.array([row[2] for row in even])
        upper = np.concatenate([self.upper.ravel(), np.full(2 * count + 1, np.inf)])
        lower = np.concatenate([np.zeros(size), np.full(count, -np.inf), np.zeros(count), [-np.inf]])
        self.bounds = np.column_stack([lower, upper])
        both = [*((row, 0, *of) for row, of in self.room.items()), *((row, 1, *of) for row, of in self.ready.items())]
        self.told = np.array(both, dtype=int).reshape(-1, 5)  # row, room or readiness, plant, branch, month

    @cached_property
    def tables(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each plant, room and readiness (lives, 2, branches, months) and discounted cost (lives, branches)."""
        found = []
        for row, ways in zip(self.decided, self.choices, strict=True):
            room, usd = np.zeros((len(ways), 2, *self.shape[1:])), np.zeros((len(ways), len(self.branches)))
            for (w, way), (b, branch) in combinations(enumerate(ways), enumerate(self.branches)):
                for t, month in enumerate(way[branch]):
                    room[w, :, b, t] = capacity_of(row, month), month.state == "on"
                    usd[w, b] += cost_of(row, month) * self.factor[t]
            found.append((room, usd))
        return found

    def _sides(self, policy: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        most, even = self.most.copy(), self.even.copy()
        for row, what, k, b, t in self.told:
            most[row] = self.tables[k][0][policy[k], what, b, t]
        for (_, usd), way in zip(self.tables, policy, strict=True):
            even[self.spent] += usd[way]
        return most, even

    def operate(self, policy: Sequence[int]) -> tuple[float | None, list[np.ndarray]]:
        """Least objective under one policy, None if it cannot serve; and how it changes with every other.

        The second is, for each plant and each of its lives, the change of a lower bound of the objective (or,
        where nothing serves, of the units that go short) if it has that life: the duals of the linear programme.
        """
        most, even = self._sides(policy)
        result = linprog(self.objective, self.rows_most, most, self.rows_even, even, self.bounds, method="highs")
        if result.status == 0:
            return float(result.fun), self._slopes(policy, result.ineqlin.marginals, result.eqlin.marginals)
        assert result.status == 2, result.message
        return None, self._short(policy, most)

    def _short(self, policy: Sequence[int], most: np.ndarray) -> list[np.ndarray]:
        """The same for a policy that cannot serve: the first list is led by the units that go short."""
        rows = len(self.most)
        needy = np.flatnonzero(self.most < 0)  # cumulated demand
        loose = csr_array((-np.ones(len(needy)), (needy, np.arange(len(needy)))), shape=(rows, len(needy)))
        width = self.rows_most.shape[1]
        free = csr_array((self.rows_even.shape[0], len(needy)))
        objective = np.concatenate([np.zeros(width), np.ones(len(needy))])
        bounds = np.vstack([self.bounds, np.column_stack([np.zeros(len(needy)), np.full(len(needy), np.inf)])])
        even = self._sides(policy)[1]
        result = linprog(
            objective,
            hstack([self.rows_most, loose]),
            most,
            hstack([self.rows_even, free]),
            even,
            bounds,
            method="highs",
        )
        assert result.status == 0, result.message
        assert result.fun > 1e-7, "nothing goes short, yet there is no plan"
        self.shortage = float(result.fun)
        return self._slopes(policy, result.ineqlin.marginals, result.eqlin.marginals)

    def _slopes(self, policy: Sequence[int], most: np.ndarray, even: np.ndarray) -> list[np.ndarray]:
        value = np.zeros((len(self.decided), 2, *self.shape[1:]))
        row, what, plant, branch, month = self.told.T
        np.add.at(value, (plant, what, branch, month), most[row])
        found = []
        for k, (room, usd) in enumerate(self.tables):
            total = np.tensordot(room, value[k], axes=3) + usd @ even[self.spent]
            found.append(total - total[policy[k]])
        return found

    def search(self, without: str | None = None, prune: bool = True) -> Best:
        """The best policy. ``without``: a candidate that is never ordered. ``prune``: False tries every policy.

        The policy with the lowest bound is tried next; every trial raises the bounds of all others by duality.
        """
        barred = np.zeros(self.least.shape, dtype=bool)
        for k, row in enumerate(self.decided):
            if row["plant"] == without:
                ordered = [any(month.ordered for life in way.values() for month in life) for way in self.choices[k]]
                np.moveaxis(barred, k, 0)[ordered] = True
        while True:
            usd = np.where(barred, np.inf, self.usd_of)
            best = np.unravel_index(int(np.argmin(usd)), usd.shape)
            open_still = np.where(barred | self.tried, np.inf, self.least if prune else -np.inf)
            here = np.unravel_index(int(np.argmin(open_still)), usd.shape)
            enough = usd[best] - EXACT * abs(usd[best]) if np.isfinite(usd[best]) else np.inf
            if not open_still[here] < enough:
                break
            self._try(here)
        tried, policies = int(self.tried.sum()), self.tried.size
        if not np.isfinite(usd[best]):
            return Best(None, {}, tried, policies)
        found = {row["plant"]: self.choices[k][best[k]] for k, row in enumerate(self.decided)}
        return Best(float(usd[best]), found, tried, policies)

    def _try(self, policy: Any) -> None:
        found, slopes = self.operate(policy)
        self.tried[policy] = True
        change = sum(np.ix_(*slopes), start=np.zeros(()))
        if found is None:
            self.least[self.shortage + change > SHORT] = np.inf
        else:
            self.usd_of[policy] = found
            self.least = np.maximum(self.least, found + change)

    def under(self, decided: dict[str, Life]) -> float | None:
        """The objective of one policy, given by plant and branch."""
        pairs = zip(self.choices, self.decided, strict=True)
        return self.operate([ways.index(decided[row["plant"]]) for ways, row in pairs])[0]


def _sparse(rows: Sequence[tuple[Any, Any]], width: int) -> csr_array:
    indices = np.concatenate([np.asarray(index, dtype=int) for index, _ in rows])
    values = np.concatenate([np.asarray(value, dtype=float) for _, value in rows])
    starts = np.concatenate([[0], np.cumsum([len(index) for index, _ in rows])])
    return csr_array((values, indices, starts), shape=(len(rows), width))
