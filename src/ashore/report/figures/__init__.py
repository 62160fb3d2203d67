"""The figures: each a Vega-Lite specification made with Altair, from plain rows, and the SVG of a specification.

A figure function takes rows (dicts) and returns a chart; nothing is computed in a figure that a table cannot show.
"""

from ashore.report.figures.bars import landed_bars
from ashore.report.figures.bridge import cost_bridges
from ashore.report.figures.curve import frontier_curve
from ashore.report.figures.flow import Ribbon, Stage, flow_map, lay_out
from ashore.report.figures.ladder import duty_ladder
from ashore.report.figures.months import month_stacks
from ashore.report.figures.payoff import payback_fan, tornado, worth_bars
from ashore.report.figures.ranges import ranges
from ashore.report.figures.regions import rule_ladders, rule_map
from ashore.report.figures.spans import spans
from ashore.report.figures.steps import break_evens
from ashore.report.figures.theme import PALETTE, png, standalone, svg
from ashore.report.figures.timeline import plan_timeline
from ashore.report.figures.traces import frequency_traces
from ashore.report.figures.tree import policy_tree
from ashore.report.figures.treemap import Tile, tiles, treemap

__all__ = [
    "PALETTE",
    "Ribbon",
    "Stage",
    "Tile",
    "break_evens",
    "cost_bridges",
    "duty_ladder",
    "flow_map",
    "frequency_traces",
    "frontier_curve",
    "landed_bars",
    "lay_out",
    "month_stacks",
    "payback_fan",
    "plan_timeline",
    "png",
    "policy_tree",
    "ranges",
    "rule_ladders",
    "rule_map",
    "spans",
    "standalone",
    "svg",
    "tiles",
    "tornado",
    "treemap",
    "worth_bars",
]
