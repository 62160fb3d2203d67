"""What a plan's model costs when the rules of some names charge other rates, in every node and month of the plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ashore.errors import Fault, suggest
from ashore.plans.calendar import Floats
from ashore.plans.futures import Futures
from ashore.plans.law import read_law
from ashore.plans.money import Charges, charges
from ashore.plans.objective import aimed
from ashore.plans.posed import Posed
from ashore.rules import Change
from ashore.rules.model import PPM

Rates = tuple[float, ...]


def unknown(futures: Futures, names: Iterable[str]) -> list[Fault]:
    """Names that no rule with a rate and without a quota goes by in any node."""
    known = {
        rule.provision: rule
        for node in futures.nodes
        for rule in node.book.rules
        if rule.kind != "free" and not rule.ban
    }.values()
    faults = []
    for name in names:
        mine = [rule for rule in known if rule.goes_by(name)]
        if any(rule.quota for rule in mine):
            what = f"'{name}' has a quota, which decides with the rate what may be entered."
            faults.append(Fault("--breakeven", what, "Name a rule without a quota."))
        if not mine:
            words = {
                word for rule in known for word in (rule.provision, rule.heading, rule.group, rule.authority) if word
            }
            remedy = suggest(name, words, "`ashore rules` lists every rule and heading.")
            faults.append(Fault("--breakeven", f"No rule with a rate goes by '{name}'.", remedy))
    return faults


def rates_now(posed: Posed, name: str) -> Rates:
    """The rates that the rules of a name have in the months of the plan, lowest first; column rates are left out."""
    first, last = posed.calendar.dates[0], posed.calendar.dates[-1]
    found = {
        rule.rate_ppm / PPM
        for node in posed.futures.nodes
        for rule in node.book.rules
        if rule.goes_by(name) and rule.rate_ppm is not None and rule.start <= last and rule.until > first
    }
    return tuple(sorted(found))


class Costs:
    """Charges of the plan's model when rules have other rates; read once where duty is linear in them."""

    def __init__(self, posed: Posed, rules: tuple[str, ...], most: float) -> None:
        self.posed, self.rules = posed, rules
        self.known: dict[Rates, Charges] = {}
        nothing = (0.0,) * len(rules)
        corners = [tuple(most if k == j else 0.0 for j in range(len(rules))) for k in range(len(rules))]
        self.base = self._expected(nothing)
        self.slopes = [(self._expected(corner) - self.base) / most for corner in corners]
        self.linear = all(
            np.allclose(self._expected(rates), self._line(rates), rtol=1e-9, atol=1e-9)
            for rates in (tuple(share * most for _ in rules) for share in (0.15, 0.5, 0.85, 1.0))
        )

    def at(self, rates: Rates) -> Floats:
        """Expected discounted USD per unit of each column."""
        return self._line(rates) if self.linear else self._expected(rates)

    def _line(self, rates: Rates) -> Floats:
        return self.base + sum(rate * slope for rate, slope in zip(rates, self.slopes, strict=True))

    def _expected(self, rates: Rates) -> Floats:
        found: Floats = self.charges(rates).expected(self.posed.calendar, self.posed.arrays.columns)
        return found

    def charges(self, rates: Rates) -> Charges:
        if rates not in self.known:
            posed, since = self.posed, self.posed.calendar.dates[0]
            changes = [
                Change(rule=rule, rate_ppm=round(rate * PPM)) for rule, rate in zip(self.rules, rates, strict=True)
            ]
            books = {id(node.book): node.book for node in posed.futures.nodes}
            other = {key: book.under(changes, since=since) for key, book in books.items()}
            nodes = tuple(replace(node, book=other[id(node.book)]) for node in posed.futures.nodes)
            law = read_law(posed.network, replace(posed.futures, nodes=nodes), posed.calendar, posed.reach)
            costs, aim = charges(posed.model, law), posed.aim
            self.known[rates] = aimed(posed.model, costs, posed.objective, aim.risk, aim.tail).costs
        return self.known[rates]
