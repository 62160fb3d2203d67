"""Terminal text of the verbs on costs: landed routes and plans. Each takes the JSON document of its verb."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ashore.report import headlines, terminal, text_explained
from ashore.report.words import (
    DASH,
    count,
    dated,
    decided,
    millions,
    percent,
    plural,
    split_assumptions,
    takes_effect,
    topic_of,
    usd,
)

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
MOST = 60  # routes shown when the user names no number
FEW = 3  # of each product and market, where there are more
NARROW = 115  # columns below which related parts are added up
PARTS = (("make",), ("bought",), ("freight",), ("insurance",), ("duty",), ("fees",), ("carrying",))
_REGRET = ("cost_usd", "best_usd", "regret_usd")
TOGETHER = (("make", "bought"), ("freight", "insurance"), ("duty",), ("fees", "carrying"))
NAMES = {
    ("insurance",): "insur.",
    ("carrying",): "carry",
    ("make", "bought"): "goods",
    ("freight", "insurance"): "transit",
    ("fees", "carrying"): "other",
}


def text_of_landed(document: Document, top: int | None = None) -> None:
    """Routes by market and product, cheapest first, part by part; ``top`` routes of each, or what fits."""
    out = terminal.console()
    routes = document["routes"]
    few = top if top is not None else FEW if len(routes) > MOST else len(routes)
    terminal.heading(out, f"Landed cost on {document['on']}, USD a unit; duty of {document['country']}")
    shown = []
    for (market, product), group in groupby(routes, key=lambda route: (route["market"], route["product"])):
        rows = list(group)
        terminal.blank(out)
        more = f", cheapest {few} of {len(rows)} routes" if len(rows) > few else f", {plural(len(rows), 'route')}"
        terminal.heading(out, f"{product} ({rows[0]['maker']}) into {market}{more}")
        shown += rows[:few]
        route_table(out, rows[:few])
    if any(not route["open"] for route in shown):
        out.print("* not open yet", style=terminal.QUIET)
    _missing(out, document)
    _assumed(out, shown)
    if len(shown) < len(routes):
        line = (
            f"{len(shown)} of {plural(len(routes), 'route')} shown; --top N, --product, --market or --json for others"
        )
        terminal.notes(out, "Shown", [line])


def route_table(out: Console, routes: Sequence[Document]) -> None:
    """Routes with their parts; with less room related parts are added up."""
    wide = out.width >= NARROW
    groups = PARTS if wide else TOGETHER
    columns = [("made at", "l"), ("origin", "L"), ("by", "L")] + [("days", "r")] * wide
    columns += [("USD/unit", "r"), ("USD/TH", "r")]
    columns += [(NAMES.get(group, group[0]), "r") for group in groups]
    rows = []
    for route in routes:
        plant = (route["plant"] or "bought in") + ("" if route["open"] else " *")
        days = f"{route['days']:g}"
        cells = [plant, route["origin"]] + ([route["mode"], days] if wide else [f"{route['mode']} {days} d"])
        cells += [usd(route["usd_unit"]), DASH if route["usd_ths"] is None else usd(route["usd_ths"])]
        rows.append(cells + [usd(sum(route["parts"][name] for name in group)) for group in groups])
    terminal.table(out, columns, rows)


def _missing(out: Console, document: Document) -> None:
    lines = [f"{fault['where']}: {fault['what']} {fault['remedy']}" for fault in document["unresolved"]]
    terminal.notes(out, "Left out: duty the rule book cannot tell", lines, terminal.WARN)
    lines = [f"{fault['what']} {fault['remedy']}" for fault in document["unreached"]]
    terminal.notes(out, "Not served", lines, terminal.WARN)


def _assumed(out: Console, routes: Iterable[Document]) -> None:
    said = [line for route in routes for line in route["assumptions"]]
    estimates, others = split_assumptions(said)
    terminal.notes(out, "Rests on", [*others, *estimates_in_brief(estimates)])


def estimates_in_brief(estimates: Sequence[str]) -> list[str]:
    """One line for all figures marked as estimates: how many, and what they are about."""
    if not estimates:
        return []
    about: dict[str, int] = defaultdict(int)
    for line in estimates:
        about[topic_of(line)] += 1
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(about.items(), key=lambda pair: -pair[1]))
    return [f"{plural(len(estimates), 'figure')} marked as estimate or from memory ({kinds}); --json names each"]


WORDS = {"max_share": "at most", "min_share": "at least", "max_units": "at most", "min_content": "at least"}


def text_of_plan(document: Document) -> None:
    """The plan: money, what opens, what is made where, what is lost, and how good it is proven to be."""
    out = terminal.console()
    months = document["months"]
    terminal.heading(out, f"Plan of {plural(months, 'month')} from {document['start']}: {_proof(document)}")
    terminal.blank(out)
    margin = document["objective"] == "margin"
    rows = [
        ("cost", f"{millions(document['cost_usd'])} USD, expected and discounted"),
        ("of it duty", f"{millions(document['duty_usd'])} USD"),
        ("revenue", f"{millions(document['revenue_usd'])} USD{'' if margin else ' (not in the objective)'}"),
        *_aimed(document),
        (
            "solver",
            f"{document['seconds']['build']:.1f} s to build, {document['seconds']['solve']:.1f} s to solve; "
            f"{document['columns']:,} columns, {document['rows']:,} rows, {_method(document)}",
        ),
    ]
    terminal.pairs(out, rows)
    nodes = document["node_costs"]
    chances = {node["node"]: node["chance"] for node in nodes}
    _decided(out, document, many=len(nodes) > 1)
    _made(out, document, chances)
    _lost(out, document, chances)
    _quotas(out, document, chances)
    _limits(out, document)
    _headings(out, document)
    if len(nodes) > 1:
        _nodes(out, nodes)
    if document["objective"] == "regret":
        _regrets(out, document["branches"])
    if "frontier" in document:
        _frontier(out, document)
    if "options" in document:
        _options(out, document)
    text_explained.explained(out, document)
    notes = [note for note in document["notes"] if "see estimates" not in note]
    notes += [*document.get("options_notes", []), *document.get("frontier_notes", [])]
    terminal.notes(out, "Notes", [*notes, *estimates_in_brief(document["estimates"])])


def _aimed(document: Document) -> list[tuple[str, str]]:
    """What was minimised, or for margin maximised, and how far it could at best be bettered."""
    objective, bound = millions(document["objective_usd"]), millions(document["bound_usd"])
    kind, gap = document["objective"], f"gap {document['gap']:.1e}"
    if kind == "worst":
        return [("objective", f"{objective} USD, cost of the dearest future; bound {bound}, {gap}")]
    if kind == "regret":
        return [("objective", f"{objective} USD, the largest regret of a future; bound {bound}, {gap}")]
    rows, sign = [], -1 if kind == "margin" else 1
    if kind == "margin":
        rows.append(("margin", f"{millions(document['margin_usd'])} USD, revenue less cost"))
    if document["risk"] > 0:
        share, which = percent(1 - document["tail"]), "worst" if kind == "margin" else "dearest"
        rows.append(("tail", f"{millions(sign * document['tail_usd'])} USD, mean of the {which} {share} of futures"))
        weighed = millions(sign * document["objective_usd"])
        rows.append(("objective", f"{weighed} USD, with a weight of {percent(document['risk'])} on the tail"))
    return [*rows, ("bound", f"{millions(sign * document['bound_usd'])} USD; {gap}")]


def _regrets(out: Console, branches: Sequence[Document]) -> None:
    terminal.blank(out)
    terminal.heading(out, "Regret")
    rows = [
        (branch["node"], percent(branch["chance"]), *(millions(branch[name]) for name in _REGRET))
        for branch in branches
        if branch["regret_usd"] is not None
    ]
    columns = (("future", "l"), ("chance", "r"), ("USD", "r"), ("best plan for it alone", "r"), ("regret", "r"))
    terminal.table(out, columns, rows)


def _frontier(out: Console, document: Document) -> None:
    """The curve of mean against tail as a table."""
    from ashore.report.curve import changes, finding_of

    rows = document["frontier"]
    terminal.blank(out)
    terminal.heading(out, finding_of(rows))
    cells = [
        (
            f"{row['weight']:.3g}",
            millions(row["mean_usd"]),
            millions(row["tail_usd"]),
            f"{row['gap']:.0e}" if row["status"] != "optimal" else "",
            label or DASH,
        )
        for row, label in zip(rows, changes(rows), strict=True)
    ]
    tail = f"tail ({percent(1 - document['tail'])})"
    columns = (("weight", "r"), ("mean", "r"), (tail, "r"), ("gap", "r"), ("opens, and what changes", "l"))
    terminal.table(out, columns, cells)


def _method(document: Document) -> str:
    return "taken apart into branches (Benders)" if document["method"] == "benders" else "in one piece"


def _proof(document: Document) -> str:
    if document["status"] == "optimal":
        return f"optimal to within {document['gap']:.1e}" if document["gap"] > 1e-12 else "optimal"
    return f"{document['status'].replace('_', ' ')}, at most {percent(document['gap'])} above the best there is"


def _decided(out: Console, document: Document, many: bool) -> None:
    """What is decided on plants, where and when; openings alone need no word for what they are."""
    terminal.blank(out)
    steps = document["steps"]
    if not steps:
        terminal.heading(out, "Nothing opens: the plants open today serve the demand at least cost")
        return
    plain = all(row["step"] == "open" for row in steps)
    terminal.heading(out, "Opens" if plain else "Decides on plants")
    rows = []
    for row in steps:
        ready = takes_effect(document["start"], document["months"], row)
        cells = (row["plant"], *(() if plain else (decided(row),)), row["date"][:7], ready)
        rows.append((*cells, row["node"], percent(row["chance"])) if many else cells)
    columns = (("plant", "L"), *(() if plain else (("", "L"),)), ("decided", "L"), ("ready", "L"))
    terminal.table(out, (*columns, ("in node", "l"), ("chance", "r")) if many else columns, rows)


def _made(out: Console, document: Document, chances: Mapping[str, float]) -> None:
    total: dict[tuple[str, str, str], float] = defaultdict(float)
    peak: dict[tuple[str, str, str], float] = defaultdict(float)
    first: dict[tuple[str, str, str], int] = {}
    for row in document["make"]:
        key = (row["plant"], row["product"], row["origin"])
        total[key] += row["units"] * chances[row["node"]]
        peak[key] = max(peak[key], row["units"])
        first[key] = min(first.get(key, row["month"]), row["month"])
    terminal.blank(out)
    terminal.heading(out, "Makes, units a month")
    rows = [
        (
            *key,
            count(round(units / document["months"], 2)),
            count(round(peak[key], 2)),
            dated(document["start"], first[key]),
        )
        for key, units in sorted(total.items(), key=lambda item: (item[0][1], -item[1]))
    ]
    columns = (("plant", "L"), ("product", "L"), ("origin", "L"), ("mean", "r"), ("most", "r"), ("from", "L"))
    terminal.table(out, columns, rows)


def _lost(out: Console, document: Document, chances: Mapping[str, float]) -> None:
    lost: dict[tuple[str, str], float] = defaultdict(float)
    for row in document["lost"]:
        lost[row["market"], row["product"]] += row["units"] * chances[row["node"]]
    lines = [f"{count(round(units, 2))} {product} in {market}" for (market, product), units in lost.items()]
    terminal.notes(out, "Demand not served (expected units)", lines, terminal.WARN)


def _quotas(out: Console, document: Document, chances: Mapping[str, float]) -> None:
    """Each quota and ban that goods met, in expected units over the plan; month by month in the JSON."""
    total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in document.get("quotas", ()):
        for k, name in enumerate(("used", "over", "turned_away")):
            total[row["quota"]][k] += row[name] * chances[row["node"]]
    if not total:
        return
    terminal.blank(out)
    terminal.heading(out, "Quotas and bans, expected units")
    rows = [(name, *(count(round(units, 2)) for units in amounts)) for name, amounts in total.items()]
    columns = (("", "L"), ("entered within", "r"), ("entered beyond", "r"), ("turned away", "r"))
    terminal.table(out, columns, rows)


def _limits(out: Console, document: Document) -> None:
    """Each limit, in the branch in which it is used most; branch by branch in the JSON."""
    nearest: dict[tuple[str, str], Document] = {}
    for row in document.get("limits", ()):
        key = (row["limit"], row["of"])
        kept = nearest.setdefault(key, row)
        if row["used"] is None or (kept["used"] is not None and _room(row) >= _room(kept)):
            continue
        nearest[key] = row
    if not nearest:
        return
    terminal.blank(out)
    terminal.heading(out, "Limits, each in the branch that leaves it least room")
    rows = []
    for row in nearest.values():
        shown = count if row["kind"] == "max_units" else percent
        used = DASH if row["used"] is None else shown(round(row["used"], 4))
        months = f"{row['from_month']} to {row['until_month'] - 1}"
        rows.append((row["limit"], row["of"], used, WORDS[row["kind"]], shown(row["allowed"]), months, row["node"]))
    columns = (
        ("limit", "l"),
        ("of", "L"),
        ("used", "r"),
        ("", "L"),
        ("allowed", "r"),
        ("months", "L"),
        ("in node", "l"),
    )
    terminal.table(out, columns, rows)


def _room(row: Document) -> float:
    room: float = row["allowed"] - row["used"]
    return -room if row["kind"].startswith("min") else room


def _headings(out: Console, document: Document) -> None:
    if not document["duty"]:
        return
    terminal.blank(out)
    terminal.heading(out, "Duty, expected and discounted")
    rows = [(row["heading"], row["authority"], usd(row["usd"], 0)) for row in document["duty"]]
    total = ("", "all", usd(document["duty_usd"], 0))
    terminal.table(out, (("heading", "L"), ("authority", "l"), ("USD", "r")), rows, total)


def _nodes(out: Console, nodes: Sequence[Document]) -> None:
    terminal.blank(out)
    terminal.heading(out, "Futures")
    rows = [
        (
            node["node"],
            node["parent"] or DASH,
            percent(node["chance"]),
            millions(node["cost_usd"]),
            millions(node["path_usd"]),
        )
        for node in nodes
    ]
    columns = (("node", "l"), ("after", "l"), ("chance", "r"), ("USD in it", "r"), ("USD to its end", "r"))
    terminal.table(out, columns, rows)


def _options(out: Console, document: Document) -> None:
    terminal.blank(out)
    terminal.heading(out, "Worth")
    vss = document["vss_usd"]
    rows = [("knowing the branch at the start", usd(document["evpi_usd"], 0))]
    rows.append(("planning for the tree instead of its mean", "no plan without it" if vss is None else usd(vss, 0)))
    for option in document["options"]:
        value = option["value_usd"]
        rows.append((f"having {option['plant']}", "no plan without it" if value is None else usd(value, 0)))
    terminal.table(out, (("", "l"), ("USD", "r")), rows)


def text_of_answer(document: Document) -> None:
    """The answer on one screen: routes, plans, break-evens, today's duty, and what all of it rests on."""
    out = terminal.console()
    months = plural(document["months"], "month")
    terminal.heading(out, f"{document['network']}: costs of {document['start']}, plans of {months} from then on")
    terminal.blank(out)
    terminal.heading(out, headlines.landed(document))
    _ranked(out, document)
    for place, plan in enumerate(document["plans"]):
        terminal.blank(out)
        terminal.heading(out, f"{plan['name'][0].upper()}{plan['name'][1:]}: {headlines.opened(plan)}")
        _planned(out, document, plan, each=place == 0)
    if document["steps"]:
        terminal.blank(out)
        terminal.heading(out, headlines.steps(document))
        _stepped(out, document["steps"])
    if document["worth"]:
        terminal.blank(out)
        terminal.heading(out, headlines.worth(document))
        out.print(f"{headlines.payback(document)} (assumed outlook; see ashore worth)")
    owed = [f"{p['label']} {percent(round(p['steps'][-1]['rate'], 3))}" for p in document["ladder"]["panels"]]
    if owed:
        terminal.blank(out)
        terminal.pairs(out, [(f"duty today on {document['ladder']['product']}", ", ".join(owed))])
    terminal.notes(out, "Rests on", [*headlines.in_brief(document), *estimates_in_brief(document["estimates"])])
    if "page" in document:
        terminal.blank(out)
        out.print(f"Figures, tables, sources and every estimate: {document['page']}")


def _ranked(out: Console, document: Document) -> None:
    """Of each product the cheapest route, and the cheapest at home, from plants open today and abroad."""
    rows = []
    for group in document["ranking"]:
        ready = next((row for row in group["rows"] if row["home"] and not row["waits"]), None)
        shown = [row for row in group["rows"] if row in (group["rows"][0], group["home"], ready, group["abroad"])]
        for place, row in enumerate(shown):
            over = row["usd_unit"] - group["rows"][0]["usd_unit"]
            rows.append(
                (
                    group["product"] if place == 0 else "",
                    row["label"],
                    row["plant"] or DASH,
                    usd(row["usd_unit"]),
                    f"+{usd(over)}" if over else "",
                    usd(row["usd_ths"]),
                    usd(row["parts"]["duty"]),
                )
            )
    columns = [("product", "L"), ("cheapest route of each kind", "l"), ("made at", "l"), ("USD/unit", "r")]
    terminal.table(out, [*columns, ("over", "r"), ("USD/TH", "r"), ("duty in it", "r")], rows)


def _planned(out: Console, document: Document, plan: Document, each: bool) -> None:
    """Money of a plan and what each country makes; ``each``: by plant and origin as well."""
    names, country_of = document["country_names"], document["plant_countries"]
    made: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in plan["made"]:
        country = country_of[row["plant"]]
        origin = "" if row["origin"] == country else f" (origin {row['origin']})"
        made[country][row["plant"] + origin] += row["units_month"]
    countries = sorted(made.items(), key=lambda pair: -sum(pair[1].values()))
    seconds = sum(plan["seconds"].values())
    money = f"{millions(plan['cost_usd'])} USD, of it duty {millions(plan['duty_usd'])}"
    rows = [("cost", f"{money}; {_proof(plan)}; {seconds:.1f} s")]
    if each:
        for country, plants in countries:
            ranked = sorted(plants.items(), key=lambda pair: -pair[1])
            told = ", ".join(f"{plant} {units:,.0f}" for plant, units in ranked if units >= 0.5)
            rows.append((f"made in {country}, a month", f"{sum(plants.values()):,.0f}: {told}"))
    else:
        told = ", ".join(f"{names.get(code, code)} {sum(plants.values()):,.0f}" for code, plants in countries)
        rows.append(("made, a month", told))
    lost = [f"{row['units_month']:,.0f} {row['product']} in {row['market']}" for row in plan["lost"]]
    if lost:
        rows.append(("not served, a month", ", ".join(lost)))
    terminal.pairs(out, rows)


def _stepped(out: Console, steps: Sequence[Document]) -> None:
    rows = [
        (
            step["company"],
            step["makes"],
            DASH if step["rate"] is None else percent(round(step["rate"], 3)),
            step["reason"] if step["rate"] is None else f"opens {', '.join(step['opens'])}",
        )
        for step in steps
    ]
    terminal.table(out, (("company", "L"), ("step", "L"), ("break-even", "r"), ("", "l")), rows)
