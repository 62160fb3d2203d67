"""How far an answer depends on the model: every demand form and conduct, and what is given moved up and down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ashore.errors import AshoreError, Fault
from ashore.markets.calibrate import FORMS, Form, Observed
from ashore.markets.folder import SETTINGS, Market
from ashore.markets.kernel import CONDUCTS, Conduct
from ashore.markets.model import Model
from ashore.markets.solved import ANSWERS, Answers, Solved, bounds, solved

POOR = 0.25  # a margin or an elasticity missed by more leaves a model out of the range
MARGINS = (0.75, 1.25)  # factors of the margins given
ELASTICITIES = (2 / 3, 8 / 3)  # of the elasticity: around -1.5 from -1 to -4


@dataclass(frozen=True)
class Alternative:
    """The market under another demand form or conduct, calibrated to the same data; ``why`` if there is none."""

    form: Form
    conduct: Conduct
    found: Solved | None
    why: str = ""

    @property
    def answers(self) -> Answers:
        """The headline, None for each figure if there is none."""
        return self.found.answers if self.found else dict.fromkeys(ANSWERS)


@dataclass(frozen=True)
class Influence:
    """What one thing does to the answers: least and greatest of each while all else stays as it is."""

    what: str
    tried: tuple[str, ...]
    ends: dict[str, list[float] | None]

    def as_dict(self) -> dict[str, Any]:
        """A row of the tornado."""
        return {"what": self.what, "tried": list(self.tried), **self.ends}


def alternatives(market: Market, here: Solved) -> Iterator[Alternative]:
    """Each demand form and conduct, calibrated to the same market; an elasticity not given is the one fitted here."""
    seen = _held(market.seen, here.model)
    for form in FORMS:
        for conduct in CONDUCTS:
            if (form, conduct) == (market.form, market.conduct):
                yield Alternative(form, conduct, here)
                continue
            faults: list[Fault] = []
            other = _tried(market, form, conduct, seen, faults)
            yield Alternative(form, conduct, other, "" if other else faults[0].what)


def influences(market: Market, here: Model, others: Sequence[Alternative]) -> list[Influence]:
    """What moves the answers, one thing at a time, the one that moves concentration most first."""
    seen = _held(market.seen, here)
    found = [
        influence("conduct", [(a.conduct, a.answers) for a in others if a.form == market.form and not a.why]),
        influence("demand", [(a.form, a.answers) for a in others if a.conduct == market.conduct and not a.why]),
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
            rows += [(name, other.answers)] if other else []
        found.append(influence(what, rows))
    return widest_first(found)


def influence(what: str, rows: Sequence[tuple[str, Answers]]) -> Influence:
    """What the answers under several names come to."""
    return Influence(what, tuple(name for name, _ in rows), bounds((row for _, row in rows), ANSWERS))


def widest_first(found: Iterable[Influence]) -> list[Influence]:
    """Those that were tried in more than one way, the one that moves concentration most first."""

    def width(of: Influence) -> float:
        ends = of.ends["hhi_change"]
        return ends[1] - ends[0] if ends else 0.0

    return sorted((one for one in found if len(one.tried) > 1), key=width, reverse=True)


def _held(seen: Observed, here: Model) -> Observed:
    """What was seen, with the elasticity fitted here if none was given."""
    if seen.outside and np.isnan(seen.elasticity) and np.isnan(seen.outside_share):
        return replace(seen, elasticity=here.fit.elasticity)
    return seen


def _tried(market: Market, form: Form, conduct: Conduct, seen: Observed, faults: list[Fault]) -> Solved | None:
    """The market under another model or with other data, or None with the reason in ``faults``."""
    try:
        found = solved(market, form, conduct, seen, faults)
    except AshoreError as error:
        faults.extend(error.faults)
        return None
    if found is not None and _poor(found.model):
        faults.append(Fault(SETTINGS, "The best fit is far from the margins or the elasticity.", ""))
        return None
    return found


def _poor(model: Model) -> bool:
    """Whether a fit misses a margin, or the elasticity relative to its size, by more than ``POOR``."""
    errors = np.abs(model.fit.margin - model.seen.margin)
    missed = abs(model.fit.elasticity / model.seen.elasticity - 1.0) if model.seen.elasticity else 0.0
    return bool(np.nanmax(errors, initial=0.0) > POOR or missed > POOR)
