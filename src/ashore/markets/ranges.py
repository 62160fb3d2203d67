"""How far an answer depends on the model: every demand form and conduct, and what is given moved up and down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ashore.errors import AshoreError, Fault
from ashore.markets.calibrate import FORMS, Form, Observed
from ashore.markets.demand import Floats
from ashore.markets.folder import SETTINGS, Market
from ashore.markets.kernel import CONDUCTS, Conduct
from ashore.markets.model import Model, Outcome, calibrated
from ashore.markets.routes import taken

POOR = 0.25  # a margin or an elasticity missed by more leaves a model out of the range
ANSWERS = ("price_change", "pass_through", "hhi_change", "buyers_usd", "makers_usd", "duty_usd")
MARGINS = (0.75, 1.25)  # factors of the margins given
ELASTICITIES = (2 / 3, 8 / 3)  # of the elasticity: around -1.5 from -1 to -4

Answers = dict[str, float | None]


@dataclass(frozen=True)
class Alternative:
    """The headline under another demand form or conduct, calibrated to the same market; ``why`` if there is none."""

    form: Form
    conduct: Conduct
    answers: Answers
    why: str = ""


@dataclass(frozen=True)
class Influence:
    """What one thing does to the answers: least and greatest of each while all else stays as it is."""

    what: str
    tried: tuple[str, ...]
    ends: dict[str, list[float] | None]


def hhi(amounts: Floats, labels: Sequence[str]) -> float | None:
    """Sum of squared shares in per cent, goods of one label together; None if nothing is sold."""
    sums: dict[str, float] = {}
    for label, amount in zip(labels, amounts, strict=True):
        sums[label] = sums.get(label, 0.0) + float(amount)
    total = sum(sums.values())
    return sum((100.0 * value / total) ** 2 for value in sums.values()) if total > 0 else None


def hhi_change(before: Floats, after: Floats, labels: Sequence[str]) -> float | None:
    """How far the index moves; None if nothing is sold on either side."""
    first, last = hhi(before, labels), hhi(after, labels)
    return None if first is None or last is None else last - first


def ends(rows: Iterable[Answers]) -> dict[str, list[float] | None]:
    """Least and greatest of each answer; None if no row has it."""
    found: dict[str, list[float] | None] = {}
    known = list(rows)
    for name in ANSWERS:
        values = [value for row in known if (value := row.get(name)) is not None]
        found[name] = [min(values), max(values)] if values else None
    return found


def model_of(market: Market, form: Form, conduct: Conduct, seen: Observed, faults: list[Fault]) -> Model | None:
    """A market's model, with what the routes taken before add to its costs."""
    extra = taken(market.before.routes, seen.price, seen.rate).extra_usd
    return calibrated(form, conduct, seen, SETTINGS, faults, extra)


def both(model: Model, market: Market) -> tuple[Outcome, Outcome, float]:
    """The market before and after, and the change in buyers' surplus."""
    before, after = model.under(market.before), model.under(market.policy)
    return before, after, model.surplus_usd(before, after, market.policy.banned)


def answers(model: Model, before: Outcome, after: Outcome, buyers: float) -> Answers:
    """The headline figures.

    price_change: of the mean price, goods weighted by their value before. pass_through: the change of ln price over the
    change of ln (1 + rate), weighted likewise over the goods whose rate changes; 1 leaves border prices as they are.
    Of a market in which nothing is sold any more these and hhi_change are None.
    """
    value = before.price * before.units
    sold = ~np.isnan(after.price)
    weight = np.where(sold, value, 0.0)
    log = np.log(np.where(sold, after.price, before.price) / before.price)
    moved = np.where(sold, np.log1p(after.rate) - np.log1p(before.rate), 0.0)
    taxed = np.abs(moved) > 1e-12
    owed = float((weight * moved)[taxed].sum())
    makers = [str(number) for number in model.seen.maker]
    return {
        "price_change": float(weight @ np.expm1(log) / weight.sum()) if sold.any() else None,
        "pass_through": float((weight * log)[taxed].sum()) / owed if owed else None,
        "hhi_change": hhi_change(before.units, after.units, makers),
        "buyers_usd": buyers,
        "makers_usd": float(after.profit.sum() - before.profit.sum()),
        "duty_usd": float(after.duty.sum()),
    }


def alternatives(market: Market, here: Model, found: Answers) -> Iterator[Alternative]:
    """Each demand form and conduct, calibrated to the same market; an elasticity not given is the one fitted here."""
    seen = _held(market.seen, here)
    for form in FORMS:
        for conduct in CONDUCTS:
            if (form, conduct) == (market.form, market.conduct):
                yield Alternative(form, conduct, found)
                continue
            faults: list[Fault] = []
            other = _tried(market, form, conduct, seen, faults)
            yield Alternative(form, conduct, other or dict.fromkeys(ANSWERS), "" if other else faults[0].what)


def influences(market: Market, here: Model, others: Sequence[Alternative]) -> list[Influence]:
    """What moves the answers, one thing at a time, the one that moves concentration most first."""
    seen = _held(market.seen, here)
    found = [
        _chosen("conduct", [(a.conduct, a.answers) for a in others if a.form == market.form and not a.why]),
        _chosen("demand", [(a.form, a.answers) for a in others if a.conduct == market.conduct and not a.why]),
    ]
    stays = next(a.answers for a in others if (a.form, a.conduct) == (market.form, market.conduct))
    moved = {
        "margins": [(f"{k:g} times", replace(seen, margin=np.minimum(k * seen.margin, 0.99))) for k in MARGINS],
        "market elasticity": [
            (f"{k * seen.elasticity:.3g}", replace(seen, elasticity=k * seen.elasticity)) for k in ELASTICITIES
        ],
    }
    for what, cases in moved.items():
        rows = [("as given", stays)]
        for name, case in cases:
            other = _tried(market, market.form, market.conduct, case, [])
            rows += [(name, other)] if other else []
        found.append(_chosen(what, rows))
    return sorted((i for i in found if len(i.tried) > 1), key=lambda i: -_width(i.ends["hhi_change"]))


def _chosen(what: str, rows: Sequence[tuple[str, Answers]]) -> Influence:
    return Influence(what, tuple(name for name, _ in rows), ends(row for _, row in rows))


def _width(bounds: list[float] | None) -> float:
    return bounds[1] - bounds[0] if bounds else 0.0


def _held(seen: Observed, here: Model) -> Observed:
    """What was seen, with the elasticity fitted here if none was given."""
    if seen.outside and np.isnan(seen.elasticity) and np.isnan(seen.outside_share):
        return replace(seen, elasticity=here.fit.elasticity)
    return seen


def _tried(market: Market, form: Form, conduct: Conduct, seen: Observed, faults: list[Fault]) -> Answers | None:
    """The answers under another model or with other data, or None with the reason in ``faults``."""
    try:
        model = model_of(market, form, conduct, seen, faults)
        if model is None:
            return None
        if _poor(model):
            faults.append(Fault(SETTINGS, "The best fit is far from the margins or the elasticity.", ""))
            return None
        return answers(model, *both(model, market))
    except AshoreError as error:
        faults.extend(error.faults)
        return None


def _poor(model: Model) -> bool:
    """Whether a fit misses a margin, or the elasticity relative to its size, by more than ``POOR``."""
    errors = np.abs(model.fit.margin - model.seen.margin)
    missed = abs(model.fit.elasticity / model.seen.elasticity - 1.0) if model.seen.elasticity else 0.0
    return bool(np.nanmax(errors, initial=0.0) > POOR or missed > POOR)
