"""Terminal text of the verbs on the law and on files: each takes the JSON document of its verb and prints it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ashore.duties import dotted
from ashore.report import terminal
from ashore.report.words import DASH, count, headings, known, mark, origins, percent, plural, usd

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
STATUS = {
    "resolved": "",
    "conditional": "depends on what is claimed; shown is the assumed case",
    "unresolved": "the rule book cannot tell",
}
KINDS = {"add": "", "floor": "tops the total up to the rate", "replace": "takes the place of column 1", "free": "free"}


def text_of_duty(document: Document) -> None:
    """What one entry line owes, heading by heading, and why."""
    out = terminal.console()
    terminal.heading(
        out,
        f"{document['hts']} of {document['origin']}, entered {document['on']}, value {usd(document['value_usd'])} USD",
    )
    terminal.blank(out)
    if document["status"] == "unresolved":
        out.print(f"Unresolved: {document['problem'] or STATUS['unresolved']}.", style=terminal.WARN)
    else:
        _owed(out, document)
    if "origins" in document:
        _disputed(out, document)
    _defeated(out, document["defeated"])
    _questions(out, document["questions"])
    sources = [f"{line['heading']}: {_cited(line)}" for line in document["lines"] if _cited(line)]
    terminal.notes(out, "Sources", sources)
    terminal.notes(out, "Notes", document["notes"])


def _owed(out: Console, document: Document) -> None:
    rows = [
        (
            line["heading"],
            " ".join(
                part for part in (line["title"], _in_brackets(KINDS[line["kind"]]), _in_brackets(mark(line))) if part
            ),
            percent(line["rate"]),
            usd(line["base_usd"]),
            usd(line["duty_usd"]),
        )
        for line in document["lines"]
    ]
    columns = (("heading", "L"), ("duty", "l"), ("rate", "r"), ("on USD", "r"), ("USD", "r"))
    terminal.table(out, columns, rows, ("", "duty owed", percent(document["rate"]), "", usd(document["duty_usd"])))
    if document["status"] == "conditional":
        out.print(
            f"Conditional: between {usd(document['low_usd'])} and {usd(document['high_usd'])} USD; "
            f"{STATUS['conditional']}.",
            style=terminal.WARN,
        )
    terminal.blank(out)
    fees = [
        (fee["fee"], f"{fee['title']} ({fee['why']})", percent(fee["rate"]), usd(fee["usd"]))
        for fee in document["fees"]
    ]
    total = ("total", "value, duty and fees", "", usd(document["total_usd"]))
    terminal.table(out, (("fee", "L"), ("", "l"), ("rate", "r"), ("USD", "r")), fees, total)


def _disputed(out: Console, document: Document) -> None:
    """What is owed if the goods turn out to be of another origin than claimed."""
    terminal.blank(out)
    terminal.heading(out, "If the origin is not what is claimed")
    rows = []
    for place, origin in enumerate(document["origins"]):
        more = "claimed" if place == 0 else f"{origin['more_usd']:+,.2f}"
        said = "" if origin["status"] == "resolved" else origin["status"]
        cells = (origin["origin"], percent(origin["chance"]), percent(origin["rate"]), usd(origin["duty_usd"]), more)
        rows.append((*cells, usd(origin["low_usd"]), usd(origin["high_usd"]), said))
    columns = [("origin", "L"), ("chance", "r"), ("rate", "r"), ("duty USD", "r"), ("more", "r")]
    terminal.table(out, [*columns, ("at least", "r"), ("at most", "r"), ("", "L")], rows)
    out.print(
        f"Expected duty {usd(document['expected_usd'])} USD; exposure, the most that could be owed beyond the duty "
        f"as claimed, {usd(document['exposure_usd'])} USD."
    )


def _defeated(out: Console, defeated: Iterable[Document]) -> None:
    lines = [f"{line['heading']} ({line['rule']}) gives way to {line['by']}: {line['why']}" for line in defeated]
    terminal.notes(out, "Not owed", lines)


def _questions(out: Console, questions: Iterable[Document]) -> None:
    lines = []
    for question in questions:
        assumed = question["assumed"]
        said = "nothing assumed" if assumed is None else f"assumed {_value(assumed)}"
        lines.append(f"--claim {question['claim']}=…  {question['question']} ({question['kind']}; {said})")
    terminal.notes(out, "Would change the answer", lines)


def text_of_summary(document: Document) -> None:
    """What a bulk run did."""
    out = terminal.console()
    terminal.heading(out, f"{plural(document['lines'], 'line')} of {document['source']} rated into {document['out']}")
    terminal.blank(out)
    rows = [(name, f"{document[name]:,}", STATUS[name]) for name in ("resolved", "conditional", "unresolved")]
    if document["rejected"]:
        rows.append(("rejected", f"{document['rejected']:,}", f"no entry could be made of them: {document['rejects']}"))
    total = sum(document[name] for name in ("resolved", "conditional", "unresolved", "rejected"))
    terminal.table(out, (("status", "L"), ("lines", "r"), ("", "l")), rows, ("all", f"{total:,}", ""))
    terminal.blank(out)
    terminal.pairs(
        out,
        [
            ("customs value", f"{usd(document['value_usd'])} USD"),
            ("duty", f"{usd(document['duty_usd'])} USD"),
            ("at least", f"{usd(document['low_usd'])} USD"),
            ("at most", f"{usd(document['high_usd'])} USD"),
        ],
    )
    if document["unresolved"]:
        terminal.notes(out, "Notes", ["duties leave out the unresolved lines: their duty is unknown, not zero"])


def text_of_rules(document: Document) -> None:
    """The rules that pass a filter."""
    out = terminal.console()
    rules = document["rules"]
    what = [
        f"in force on {document['on']}" if document["on"] else "",
        f"bearing on {dotted(document['hts'])}" if document["hts"] else "",
        f"of {document['origin']}" if document["origin"] else "",
    ]
    terminal.heading(out, " ".join([plural(len(rules), "rule"), *(part for part in what if part)]))
    terminal.blank(out)
    _rule_table(out, rules)
    _marked(out, rules)
    terminal.notes(out, "Notes", document["notes"])


def text_of_difference(document: Document) -> None:
    """What started, ended or changed its rate between two days, and for whom the total moved."""
    out = terminal.console()
    bearing = f" on {dotted(document['hts'])}" if document["hts"] else ""
    whose = f" of {document['origin']}" if document["origin"] else ""
    terminal.heading(out, f"From {document['before']} to {document['after']}{bearing}{whose}")
    if "origins" in document:
        terminal.blank(out)
        terminal.heading(out, f"Total on {document['hts']}, by origin")
        rows = [
            (
                percent(group["rate_before"]),
                percent(group["rate_after"]),
                _points(group["rate_before"], group["rate_after"]),
                " ".join(group["origins"]),
            )
            for group in document["origins"]
        ]
        columns = ((document["before"], "r"), (document["after"], "r"), ("points", "r"), ("origins", "l"))
        if rows:
            terminal.table(out, columns, rows)
        else:
            out.print("No origin's total moved.")
    for name, title in (("started", "Started"), ("ended", "Ended"), ("changed", "Changed")):
        if document[name]:
            terminal.blank(out)
            terminal.heading(out, f"{title}: {plural(len(document[name]), 'rule')}")
            _rule_table(out, document[name])
    if not any(document[name] for name in ("started", "ended", "changed")):
        out.print("No rule started, ended or changed its rate.")
    _marked(out, [*document["started"], *document["ended"], *document["changed"]])


def _rule_table(out: Console, rules: Iterable[Document]) -> None:
    """Rules that differ in nothing but heading and origin share a row."""
    groups: dict[tuple[Any, ...], list[Document]] = {}
    for rule in rules:
        goods = rule["products"] if rule["products"] == "*" else plural(rule["products"], "line")
        key = (rule["rule"], rule["title"], rule["kind"], rule["rate"], rule.get("rate_before"), rule["from"])
        limits = (rule["until"], rule.get("ban"), rule.get("quota_units_month"))
        groups.setdefault((*key, *limits, goods, tuple(rule["needs"]), mark(rule)), []).append(rule)
    rows = []
    for same in groups.values():
        rule = same[0]
        rate = "free" if rule["kind"] == "free" else "schedule" if rule["rate"] is None else percent(rule["rate"])
        rate = "ban" if rule.get("ban") else rate
        if "rate_before" in rule:
            rate = f"{percent(rule['rate_before'])} > {rate}"
        title = rule["title"] + ("" if rule["kind"] in ("add", "free") else f" ({KINDS[rule['kind']]})")
        if rule.get("quota_units_month") is not None:
            title += f" (beyond {count(rule['quota_units_month'])} units a month)"
        rows.append(
            (
                headings(rule["heading"] for rule in same),
                title + (" *" if mark(rule) else ""),
                rate,
                rule["from"],
                rule["until"] or DASH,
                " ".join(dict.fromkeys(origins(rule) for rule in same)),
                "all" if rule["products"] == "*" else plural(rule["products"], "line"),
                " ".join(rule["needs"]),
            )
        )
    columns = (
        ("heading", "l" if any(len(row[0]) > 12 for row in rows) else "L"),
        ("rule", "l"),
        ("rate", "r"),
        ("from", "L"),
        ("until", "L"),
        ("origins", "l"),
        ("goods", "L"),
        ("needs", "l"),
    )
    terminal.table(out, columns, rows)


def _marked(out: Console, rules: Iterable[Document]) -> None:
    found: dict[str, list[str]] = {}
    for rule in rules:
        if mark(rule):
            found.setdefault(mark(rule) + _after(rule["note"]), []).append(rule["heading"])
    lines = [f"{headings(numbers)}: {said}" for said, numbers in found.items()]
    terminal.notes(out, "* not read in the source itself", lines)


def text_of_census(document: Document) -> None:
    """What a rule book holds and how far it is verified."""
    out = terminal.console()
    terminal.heading(out, f"The rule book is sound: {plural(document['rules'], 'rule')}, no fault")
    terminal.blank(out)
    basis = ", ".join(f"{number:,} {known(name)}" for name, number in document["basis"].items())
    rows = [
        ("tariff of", document["country"]),
        ("vouched for", f"{document['from']} up to, not including, {document['until']}"),
        ("last observed", f"{document['observed_until']}; later days are carried forward"),
        ("holds", f"{plural(document['provisions'], 'provision')}, {plural(document['headings'], 'heading')}, "
                  f"{plural(document['lines'], 'tariff line')}, {plural(document['boundaries'], 'day')} of change"),
        ("basis of rules", basis),
    ]  # fmt: skip
    if document["book"]:
        rows.append(("folder", document["book"]))
    terminal.pairs(out, rows)
    terminal.notes(out, "Open points of the law", document["doubts"])
    terminal.notes(out, "Notes", [document["note"]] if document["note"] else [])


def text_of_network(document: Document) -> None:
    """A checked network folder, counted, and the futures tree checked with it."""
    out = terminal.console()
    terminal.heading(out, f"{document['folder']} is sound: no fault")
    terminal.blank(out)
    known = ("folder", "faults", "futures", "estimates", "notes")
    terminal.pairs(out, [(_spaced(name), _value(value)) for name, value in document.items() if name not in known])
    if "futures" in document:
        _futures(out, document["futures"])
    estimates = document.get("estimates", [])
    if isinstance(estimates, int):
        terminal.notes(out, "Notes", [f"{plural(estimates, 'figure')} marked as estimate"] if estimates else [])
    else:
        terminal.notes(out, f"Estimates and figures from memory ({len(estimates)})", estimates)
    terminal.notes(out, "Notes", document.get("notes", []))


def _futures(out: Console, futures: Document) -> None:
    nodes = futures.get("nodes", [])
    terminal.blank(out)
    terminal.heading(out, f"Futures: {futures.get('name') or 'unnamed'}, {plural(len(nodes), 'node')}")
    rows = []
    for node in nodes:
        changes = node.get("changes", ())
        number = changes if isinstance(changes, int) else len(changes)
        rows.append(
            (
                str(node.get("node", node.get("id", ""))),
                str(node.get("parent") or DASH),
                str(node.get("from", "")),
                percent(float(node["chance"])) if node.get("chance") is not None else DASH,
                plural(number, "change"),
            )
        )
    columns = (("node", "l"), ("parent", "l"), ("from", "L"), ("chance, given its parent", "r"), ("", "L"))
    terminal.table(out, columns, rows)
    terminal.notes(out, "Notes on the futures", futures.get("notes", []))


def text_of_cases(document: Document) -> None:
    """The cases that ship with the package."""
    out = terminal.console()
    terminal.table(out, (("case", "L"), ("", "l")), [(case["case"], case["title"]) for case in document["cases"]])
    out.print("Copy one to edit it: ashore case copy NAME [FOLDER]", style=terminal.QUIET)


def text_of_copy(document: Document) -> None:
    """What was copied, and what to do next."""
    out = terminal.console()
    terminal.heading(out, f"{document['folder']}: {plural(len(document['files']), 'file')} copied")
    for name in document["files"]:
        out.print(f"  {name}")
    out.print(f"Edit them, then: ashore check {document['folder']}", style=terminal.QUIET)


def _cited(line: Document) -> str:
    return line["source"] + _after(line["note"]) if line["source"] or line["note"] else ""


def _after(note: str | None) -> str:
    return f"; {note}" if note else ""


def _in_brackets(text: str) -> str:
    return f"({text})" if text else ""


def _points(before: float | None, after: float | None) -> str:
    return DASH if before is None or after is None else f"{100 * (after - before):+.1f}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _value(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,}"
        case dict():
            return ", ".join(f"{_value(item)} {name}" for name, item in value.items())
        case list() | tuple():
            return ", ".join(_value(item) for item in value)
    return str(value)
