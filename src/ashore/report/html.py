"""An answer as one HTML page that needs nothing but itself: no script, no request, figures as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashore.report import headlines, html_explained, html_tables
from ashore.report.figures import svg
from ashore.report.picture import Picture
from ashore.report.pictures import pictures
from ashore.report.words import millions, plural

if TYPE_CHECKING:
    from ashore.report.findings import Answer

Document = Mapping[str, Any]
STYLE = Path(__file__).parent / "page.css"


def page(answer: Answer) -> str:
    """The whole page as text, for a file of its own."""
    document = answer.as_dict()
    drawn = pictures(document)
    title = f"{document['network']}: landed cost, plan and break-even"
    sections = [
        _section("cost", "What does a unit cost where it is plugged in?", _cost(document, drawn)),
        _section("step", f"When does a step in {document['country_name']} pay?", _step(document, drawn)),
        _section("worth", "What is a rig worth there?", _worth(document, drawn)),
        _section("plan", "Where should it be made, and what opens when?", _plan(document, drawn)),
        _section("why", "Why this plan, and what would change it?", _why(document, drawn)),
        _section("duty", "What does each origin owe, then and now?", _duty(document, drawn)),
        _section(
            "concentration", "How concentrated is it, and what does a second origin do?", _shares(document, drawn)
        ),
        _section("basis", "What does this rest on?", _basis(document)),
    ]
    links = (
        ("cost", "Cost"),
        ("step", "Break-even"),
        ("worth", "Worth"),
        ("plan", "Plan"),
        ("why", "Why"),
        ("duty", "Duty"),
        ("concentration", "Concentration"),
        ("basis", "Basis"),
    )
    nav = "".join(f'<a href="#{name}">{text}</a>' for name, text in links)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>",
            "</head>",
            "<body>",
            "<header>",
            f"<h1>{escape(document['network'])}</h1>",
            f'<p class="quiet">Costs of {document["start"]}, plans of {plural(document["months"], "month")} from then '
            f"on, duty of {escape(document['country_name'])}. All money in USD.</p>",
            _findings(document),
            f'<nav aria-label="Sections">{nav}</nav>',
            "</header>",
            "<main>",
            *sections,
            "</main>",
            f"<footer><p>Written by ashore. {escape(_taken(document['seconds']))}</p></footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _taken(seconds: Mapping[str, float]) -> str:
    each = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    return f"Computed in {sum(seconds.values()):.0f} s ({each})."


def _section(name: str, title: str, inside: Iterable[str]) -> str:
    parts = "\n".join(part for part in inside if part)
    heading = f'<h2 id="{name}-title">{escape(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{heading}\n{parts}\n</section>'


def _findings(document: Document) -> str:
    lines = [escape(line) + "." for line in headlines.all_of(document)]
    return '<ol class="findings">' + "".join(f"<li>{line}</li>" for line in lines) + "</ol>"


def _figure(picture: Picture | None, table: str, summary: str = "The figures in this picture") -> list[str]:
    """A figure with its numbers as a table that opens below it."""
    if picture is None:
        return []
    drawing = svg(picture.chart, picture.name)
    return [
        f'<figure id="figure-{picture.name}">',
        f'<div class="plot" role="img" aria-label="{escape(picture.instead, quote=True)}">{drawing}</div>',
        "</figure>",
        f'<details><summary>{escape(summary)}</summary><div class="wide">{table}</div></details>',
    ]


def _text(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def _cost(document: Document, drawn: Mapping[str, Picture]) -> list[str]:
    told = (
        "Each bar adds up what a unit costs on its way: making it, the parts bought, freight, insurance, duty, the "
        "fees of customs, and the interest on goods under way. Parts come by the cheapest way into each plant; a plant "
        "that is not open yet is costed as if it were, without the cost of opening it."
    )
    return [_text(told), *_figure(drawn.get("landed"), html_tables.landed(document))]


def _step(document: Document, drawn: Mapping[str, Picture]) -> list[str]:
    told = (
        "Found by solving the plan again and again: one duty rate takes the place of the law for every article and "
        "origin that owes anything today, in every month; what is free today stays free. The break-even is the lowest "
        "rate at which the best plan opens the step, its cost of opening and its fixed costs paid."
    )
    if not document["steps"]:
        return [_text(f"{headlines.steps(document)}.")]
    return [_text(told), *_figure(drawn.get("break-evens"), html_tables.steps(document), "Break-evens and reasons")]


def _worth(document: Document, drawn: Mapping[str, Picture]) -> list[str]:
    view = document["worth"]
    if view is None:
        return [_text("Not told: the market has no price of power, or no product has a hash rate and a power.")]
    told = (
        "A rig may run or be switched off, month by month; its worth is that of all these choices together, for a hash "
        "price that wanders around a mean path. A buyer gains where the bar ends before the line."
    )
    return [
        _text(told),
        *_figure(drawn.get("worth"), html_tables.worth(document)),
        *_figure(drawn.get("payback"), html_tables.payback(document)),
        *_figure(drawn.get("moves"), html_tables.moves(document)),
        f"<h3>Assumed of mining</h3>{_list(view['assumptions'], 'small')}",
    ]


def _plan(document: Document, drawn: Mapping[str, Picture]) -> list[str]:
    plans = document["plans"]
    inside = [
        _text(
            "The plan of least expected, discounted cost that serves the demand: what opens, what is made where, and "
            "how it reaches the markets, with duty under the law of the month of arrival."
        ),
        f'<div class="wide">{html_tables.plans(plans)}</div>',
    ]
    inside += [
        f'<h3>Decisions on plants: {escape(plan["name"])}</h3><div class="wide">{html_tables.decisions(plan)}</div>'
        for plan in plans
        if plan["steps"]
    ]
    inside += _figure(drawn.get("production"), html_tables.production(document))
    inside += _figure(drawn.get("timeline"), html_tables.timeline(document))
    lost = [plan for plan in plans if plan["lost"]]
    inside += [f"<h3>Demand not served: {escape(plan['name'])}</h3>{html_tables.lost(plan)}" for plan in lost]
    return inside


def _why(document: Document, drawn: Mapping[str, Picture]) -> list[str]:
    """The plan over the futures: its tree, what its branches make and owe, what costs apart, what would change it."""
    view = document["explained"]
    if view is None:
        return [_text("The plans are too large to be asked about: `ashore plan` tells what it can of each.")]
    flips = view["breakeven"]
    inside = [_text(f"About the plan for: {view['plan']}.")]
    inside += _figure(drawn.get("tree"), html_explained.tree(view))
    inside += _figure(drawn.get("flows"), html_explained.flows(view, document["country_names"]))
    inside += _figure(drawn.get("duty-months"), html_explained.duty(view))
    inside += _figure(drawn.get("bridges"), html_explained.bridges(view))
    inside += [
        "<h3>What foresight and each plant are worth</h3>",
        _text(
            "A plant is worth how much dearer the best plan without it is. All costs compared are proven to within "
            f"{millions(view['within_usd'])} USD."
        ),
        f'<div class="wide">{html_explained.options(view["options"])}</div>',
    ]
    said = html_explained.in_words(view["prices"])
    if said:
        inside += ["<h3>What one more unit is worth</h3>", _list(said)]
        table = html_explained.prices(view["prices"])
        inside.append(f'<details><summary>By node and year</summary><div class="wide">{table}</div></details>')
    if flips is not None:
        inside += _figure(drawn.get("rule-ladders"), html_explained.ladders(flips))
        if flips["map"] is not None:
            inside += _figure(drawn.get("rule-map"), html_explained.plane(flips))
    return inside


def _duty(document: Document, drawn: Mapping[str, Picture]) -> list[str]:
    return [
        *_figure(drawn.get("ladder"), html_tables.ladder(document)),
        f"<h3>The headings owed on {document['start']}</h3>" if document["law"] else "",
        f'<div class="wide">{html_tables.law(document)}</div>' if document["law"] else "",
    ]


def _shares(document: Document, drawn: Mapping[str, Picture]) -> list[str]:
    found = document["concentration"]
    if found is None:
        return [_text("Not told: no demand is served by an open route.")]
    told = (
        "Brand, assembly, chip fab and customs origin are four geographies. HHI is 10,000 where one has everything; "
        "against hashed is the share that would have to move for rigs to come from where they run. Where a second "
        "origin takes a share of every demand, its cheapest open route does."
    )
    return [
        _text(told),
        *_figure(drawn.get("imbalance"), html_tables.geographies(found)),
        f'<h3>With a second origin</h3><div class="wide">{html_tables.second_origin(found)}</div>',
    ]


def _basis(document: Document) -> list[str]:
    inside = []
    said = list(dict.fromkeys([*document["notes"], *document["assumptions"]]))
    if said:
        inside += ["<h3>Law and assumptions</h3>", _list(headlines.in_brief(document))]
        inside.append(f"<details><summary>All {len(said)}, one by one</summary>{_list(said, 'small')}</details>")
    estimates = document["estimates"]
    if estimates:
        inside.append(f"<h3>Figures that are estimates, inferred or from memory ({len(estimates)})</h3>")
        inside.append(_text("Low and high stand in brackets where they were given. Replace them by your own.", "quiet"))
        for topic, lines in html_tables.by_topic(estimates).items():
            inside.append(
                f"<details><summary>{escape(topic)} ({len(lines)})</summary>{_list(lines, 'small')}</details>"
            )
    if document["sources"]:
        number = len(document["sources"])
        inside.append(f"<h3>Sources of the network's figures ({number})</h3>")
        inside.append(f"<details><summary>All sources</summary>{_list(document['sources'], 'small')}</details>")
    return inside


def _list(lines: Iterable[str], kind: str = "") -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="plain {kind}">{items}</ul>'
