"""The figures that explain a plan: its tree, flows and duty month by month, what its branches cost apart"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from ashore.dates import month_date
from ashore.report import figures, pictures_flips, views_plan
from ashore.report.picture import Picture
from ashore.report.words import decided, listed, millions, month_name, percent, plural, sources, takes_effect

if TYPE_CHECKING:
    from ashore.plans import Futures, Plan

Document = Mapping[str, Any]
HEADINGS = 7  # shown in their own colour; the rest together
LINES = 6  # of a bridge; the rest together
OTHER = "other"
NUMBER = ",.4~r"  # of an upright axis, as 0.5 or 150,000


def pictures(document: Document, rests_on: str) -> list[Picture]:
    """Every figure that has something to show."""
    view = document["explained"]
    if view is None:
        return []
    flips = view["breakeven"]
    found = [
        tree(view, rests_on) if len(view["nodes"]) > 1 else None,
        flows(view, document, rests_on),
        duty(view, rests_on),
        bridges(view, rests_on),
    ]
    if flips is not None:
        found += [pictures_flips.ladders(flips, rests_on), pictures_flips.plane(flips, rests_on)]
    return [picture for picture in found if picture is not None]


def decisions(plan: Plan, futures: Futures, document: Document) -> Picture:
    """The decisions of a plan on its tree."""
    return tree(views_plan.of_tree(plan, futures.name, futures), sources(document))


def months_of(view: Document) -> list[str]:
    """The first days of the months of a plan, or of what explains one."""
    start = date.fromisoformat(view["start"])
    return [month_date(start, month).isoformat() for month in range(view["months"])]


# -- the tree ---------------------------------------------------------------------------------------------------------
def tree(view: Document, rests_on: str) -> Picture:
    """Nodes, chances, dates, and what is decided in each."""
    nodes = view["nodes"]
    months = months_of(view)
    first = {node["node"]: sum(day < node["from"] for day in months) for node in nodes}
    until = {
        node["node"]: min((first[n["node"]] for n in nodes if n["parent"] == node["node"]), default=len(months))
        for node in nodes
    }
    rows = [
        {
            "node": node["node"],
            "parent": node["parent"],
            "first": first[node["node"]],
            "until": until[node["node"]],
            "label": _node_label(node),
            "decisions": list(_decisions(node, view)),
        }
        for node in _depth_first(nodes)
    ]
    finding = tree_finding(view)
    under = (
        f"{view['plan']}: a line for each node over the months it holds, with its chance; diamonds: decisions on "
        "plants, taken before it is known which branch below comes."
    )
    chart = figures.policy_tree(rows, months, finding, under, rests_on)
    return Picture(
        "tree", chart, finding, f"Tree of {plural(len(nodes), 'node')} with the decisions in each. {finding}."
    )


def tree_finding(view: Document) -> str:
    """How much is decided before the first split, and how much waits."""
    children = Counter(node["parent"] for node in view["nodes"])
    common: set[str | None] = {None}  # nodes that every branch goes through
    now, later = 0, 0
    for node in view["nodes"]:  # parents stand before children
        if node["parent"] in common and children[node["parent"]] == 1:
            common.add(node["node"])
            now += len(node["decisions"])
        else:
            later += len(node["decisions"])
    if not now and not later:
        return "Nothing is decided on plants in any branch"
    said = f"{plural(now, 'decision')} on plants {'is' if now == 1 else 'are'} taken before the first split"
    return said + (f", {later} more in single branches" if later else "; none waits for what comes")


def _node_label(node: Document) -> str:
    chance = percent(round(node["chance"], 4))
    ends = f"; to its end {millions(node['path_usd'])} USD" if node["leaf"] else ""
    return f"{node['node']}, from {node['from'][:7]}, chance {chance}{ends}"


def _decisions(node: Document, view: Document) -> Iterable[tuple[int, str]]:
    """Month and text of what is decided in a node: plants of one month, step and date of effect together."""
    groups: dict[tuple[int, str, str], list[Document]] = {}
    for row in node["decisions"]:
        ready = takes_effect(view["start"], view["months"], row)
        groups.setdefault((row["month"], decided(row), ready), []).append(row)
    by_month: dict[int, list[str]] = {}
    for (month, _, ready), rows in sorted(groups.items()):
        when = "" if ready == "at once" else f" (ready {ready})"
        plants = listed(row["plant"] for row in rows)
        by_month.setdefault(month, []).append(f"{plants} {decided(rows[0], len(rows) > 1)}{when}")
    start = date.fromisoformat(view["start"])
    for month, said in sorted(by_month.items()):
        yield month, f"{month_name(start, month)}: {'; '.join(said)}"


def _depth_first(nodes: list[Document]) -> list[Document]:
    """Nodes in the order in which a reader follows the branches."""
    below: dict[str | None, list[Document]] = defaultdict(list)
    for node in nodes:
        below[node["parent"]].append(node)
    found, stack = [], list(reversed(below[None]))
    while stack:
        node = stack.pop()
        found.append(node)
        stack += reversed(below[node["node"]])
    return found


# -- month by month ---------------------------------------------------------------------------------------------------
def flows(view: Document, document: Document, rests_on: str) -> Picture | None:
    """Units made, shipped and delivered by origin, a panel for each branch and stage."""
    if not view["flows"]:
        return None
    names = document["country_names"]
    total: dict[str, float] = defaultdict(float)
    for row in view["flows"]:
        total[row["origin"]] += sum(row["units"])
    kinds = {origin: names.get(origin, origin) for origin in sorted(total, key=lambda origin: -total[origin])}
    panels = [
        [
            {"title": _panel_title(branch, stage), "series": _series(view["flows"], branch["node"], stage, kinds)}
            for branch in view["branches"]
        ]
        for stage in ("made", "shipped", "delivered")
    ]
    finding = flows_finding(view, document)
    under = (
        "Units of the products in demand a month, by the origin customs would see; shipped: in the month they leave "
        f"for a market, delivered: in the month they arrive.{_of_how_many(view)}"
    )
    chart = figures.month_stacks(
        panels, months_of(view), list(kinds.values()), ("units a month", NUMBER), (finding, under, rests_on)
    )
    return Picture("flows", chart, finding, f"Stacked areas of units by origin, by branch and month. {finding}.")


def flows_finding(view: Document, document: Document) -> str:
    """Share of home-made units in the last year of deliveries, over the branches."""
    home, shares = document["country"], {}
    for branch in view["branches"]:
        own = [row for row in view["flows"] if row["branch"] == branch["node"] and row["stage"] == "delivered"]
        last = {row["origin"]: sum(row["units"][-12:]) for row in own}
        if sum(last.values()):
            shares[branch["node"]] = sum(units for origin, units in last.items() if origin == home) / sum(last.values())
    if not shares:
        return "Nothing is delivered"
    low, high = min(shares, key=lambda name: shares[name]), max(shares, key=lambda name: shares[name])
    said = f"In the last year {100 * shares[low]:.0f} % of the units delivered are of {home} origin"
    return said + (
        f" ({low}) to {100 * shares[high]:.0f} % ({high})"
        if round(100 * shares[low]) != round(100 * shares[high])
        else ""
    )


def duty(view: Document, rests_on: str) -> Picture | None:
    """Duty paid month by month by heading, a panel a branch."""
    if not view["duty"]:
        return None
    kinds = headings_shown(view)
    panels = [_duty_panel(view, branch, kinds) for branch in view["branches"]]
    used = {series["kind"] for panel in panels for series in panel["series"]}
    shown = [kind for kind in dict.fromkeys([*kinds.values(), OTHER]) if kind in used]
    finding = duty_finding(view)
    under = f"Duty owed in each month of arrival by heading, not discounted, million USD.{_of_how_many(view)}"
    rows = [panels[place : place + 2] for place in range(0, len(panels), 2)] if len(panels) > 3 else [panels]
    chart = figures.month_stacks(rows, months_of(view), shown, ("m USD a month", NUMBER), (finding, under, rests_on))
    return Picture("duty-months", chart, finding, f"Stacked areas of duty by heading, by branch and month. {finding}.")


def _duty_panel(view: Document, branch: Document, kinds: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The duty of one branch by heading, in million USD a month."""
    months: dict[str, list[float]] = {}
    for row in view["duty"]:
        if row["branch"] == branch["node"]:
            kind = kinds.get((row["heading"], row["authority"]), OTHER)
            had = months.get(kind, [0.0] * view["months"])
            months[kind] = [one + usd / 1e6 for one, usd in zip(had, row["usd"], strict=True)]
    order = [kind for kind in dict.fromkeys([*kinds.values(), OTHER]) if kind in months]
    total = millions(1e6 * sum(map(sum, months.values())))
    title = f"{branch['node']}, {percent(round(branch['chance'], 4))}: {total} USD"
    return {"title": title, "series": [{"kind": kind, "values": months[kind]} for kind in order]}


def headings_shown(view: Document) -> dict[tuple[str, str], str]:
    """The headings with a colour of their own, dearest first, and their names."""
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in view["duty"]:
        total[row["heading"], row["authority"]] += sum(row["usd"])
    ranked = sorted(total, key=lambda key: -total[key])[:HEADINGS]
    return {(heading, authority): f"{heading} {authority}" for heading, authority in ranked}


def duty_finding(view: Document) -> str:
    paid = {branch["node"]: 0.0 for branch in view["branches"]}
    for row in view["duty"]:
        paid[row["branch"]] += sum(row["usd"])
    low, high = min(paid, key=lambda name: paid[name]), max(paid, key=lambda name: paid[name])
    span = f"Over {plural(view['months'], 'month')} duty comes to {millions(paid[low])} USD"
    return span + (f" ({low}) to {millions(paid[high])} ({high})" if low != high else "")


def _panel_title(branch: Document, stage: str) -> str:
    return f"{stage.capitalize()}: {branch['node']}, {percent(round(branch['chance'], 4))}"


def _series(rows: Iterable[Document], branch: str, stage: str, kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    own = {row["origin"]: row["units"] for row in rows if row["branch"] == branch and row["stage"] == stage}
    return [{"kind": name, "values": own[origin]} for origin, name in kinds.items() if origin in own]


def _of_how_many(view: Document) -> str:
    if not view["left_out"]:
        return ""
    return f" {plural(view['left_out'], 'branch')} more not shown: the cheapest, the dearest and the likeliest are."


# -- costs apart ------------------------------------------------------------------------------------------------------
def bridges(view: Document, rests_on: str) -> Picture | None:
    """What each cost line adds between two totals that differ."""
    apart = [bridge for bridge in view["bridges"] if bridge["lines"]]
    if not apart:
        return None
    rows = [
        {
            "title": f"{bridge['from']} ({millions(bridge['from_usd'])} USD) to {bridge['to']} "
            f"({millions(bridge['to_usd'])} USD)",
            "lines": bridge_lines(bridge),
        }
        for bridge in apart
    ]
    finding = bridge_finding(apart)
    under = "Million USD, discounted: what each cost line adds (orange) or saves (blue), the largest first."
    chart = figures.cost_bridges(rows, finding, under, rests_on)
    return Picture("bridges", chart, finding, f"Bars of the differences of cost lines. {finding}.")


def bridge_lines(bridge: Document) -> list[dict[str, Any]]:
    """The largest lines by name, the rest in one."""
    lines = [{"label": row["line"], "usd": row["usd"]} for row in bridge["lines"]]
    rest = sum(row["usd"] for row in lines[LINES:])
    return (
        lines
        if len(lines) <= LINES + 1
        else [*lines[:LINES], {"label": f"{len(lines) - LINES} smaller lines", "usd": rest}]
    )


def bridge_finding(apart: Sequence[Document]) -> str:
    """The first and the widest difference."""
    wide = max(apart, key=lambda bridge: abs(bridge["to_usd"] - bridge["from_usd"]))
    shown = [apart[0]] + ([wide] if wide is not apart[0] else [])
    said = []
    for bridge in shown:
        usd = bridge["to_usd"] - bridge["from_usd"]
        said.append(
            f"{bridge['to']} costs {millions(abs(usd))} USD {'more' if usd >= 0 else 'less'} than {bridge['from']}"
        )
    text = "; ".join(said)
    return text[:1].upper() + text[1:]
