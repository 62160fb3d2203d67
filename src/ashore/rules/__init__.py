"""The rule book: dated headings, scopes, origins, exceptions, scenarios."""

from ashore.rules import listing
from ashore.rules.change import Change
from ashore.rules.load import load
from ashore.rules.model import MAKER, Claim, Cover, Doubt, Fee, Line, Requirement, Rule, RuleBook, Scope
from ashore.rules.scenario import read_changes, read_scenario

__all__ = [
    "MAKER",
    "Change",
    "Claim",
    "Cover",
    "Doubt",
    "Fee",
    "Line",
    "Requirement",
    "Rule",
    "RuleBook",
    "Scope",
    "listing",
    "load",
    "read_changes",
    "read_scenario",
]
