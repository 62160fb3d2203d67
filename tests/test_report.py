from __future__ import annotations

import itertools
import json
import math
import re
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import tiny_network
from tests.small_book import FILES, write_book

from ashore import costs, duties, network, plans, report, rules
from ashore.dates import month_date
from ashore.errors import FaultyInput
from ashore.report import figures, headlines, views, words
from ashore.report.figures import bars, flow, ladder, theme
from ashore.report.findings import Answer
from ashore.rules import RuleBook, listing

START = date(2025, 10, 1)
LINES = FILES["schedule/lines.csv"] + "8543.90.68,boards,BOARD,No.,00,,,,s,\n8542.39.00,chips,CHIP,No.,10,,,,s,\n"
RATES = FILES["schedule/rates.csv"] + ("8543.90.68,,,0.0,0.35,,s,READ,high,\n8542.39.00,,,0,0.35,,s,READ,high,\n")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder = tmp_path_factory.mktemp("book")
    return rules.load(write_book(folder, schedule__lines_csv=LINES, schedule__rates_csv=RATES))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> network.Network:
    folder = tiny_network(
        tmp_path_factory.mktemp("net") / "tiny",
        demand="market,product,month,units,price_usd,lost_usd\nDallas,rig,,2000,3500,5000\n",
    )
    (folder / "futures").mkdir()
    (folder / "futures" / "rise.toml").write_text(
        'name = "A rise"\n[[node]]\nid = "now"\nfrom = 2025-10-01\n'
        '[[node]]\nid = "same"\nparent = "now"\nfrom = 2026-02-01\nchance = 0.25\n'
        '[[node]]\nid = "half"\nparent = "now"\nfrom = 2026-02-01\nchance = 0.75\n'
        '[[node.change]]\nheading = "half"\nauthority = "Guess"\norigins = "*"\nproducts = ["8543.70.98"]\n'
        'kind = "add"\nrate = 0.5\n',
        encoding="utf-8",
    )
    return network.load(folder)


@pytest.fixture(scope="module")
def answer(net: network.Network, book: RuleBook) -> Answer:
    return report.answer(net, book, START, 18)


@pytest.fixture(scope="module")
def page(answer: Answer) -> str:
    return report.page(answer)


def said(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    assert not err
    assert "\x1b" not in out, "a pipe gets no colour"
    assert not [line for line in out.splitlines() if line.endswith(" ")]
    return out


def flat(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------------------------------------------- the door
def test_the_door_imports_nothing_heavy() -> None:
    code = (
        "import sys, ashore.report as r; r.text_of_duty; "
        "print([m for m in ('polars', 'numpy', 'altair', 'vl_convert', 'highspy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_door_is_there() -> None:
    for name in report.__all__:
        assert getattr(report, name) is not None
    assert callable(report.page)
    assert callable(report.answer)
    with pytest.raises(AttributeError):
        _ = report.nothing


# ------------------------------------------------------------------------------------------------------- words
@pytest.mark.parametrize(
    ("rate", "text"), [(0.126, "12.6 %"), (0.1, "10.0 %"), (0.003464, "0.3464 %"), (0.0, "0.0 %"), (1.726, "172.6 %")]
)
def test_percent(rate: float, text: str) -> None:
    assert words.percent(rate) == text
    assert words.percent(None) == "–"


@pytest.mark.parametrize(
    ("basis", "confidence", "text"),
    [
        ("READ", "high", ""),
        ("ESTIMATE", "low", "estimate, low confidence"),
        ("", "medium", "unmarked, medium confidence"),
    ],
)
def test_how_far_a_figure_is_known(basis: str, confidence: str, text: str) -> None:
    assert words.mark({"basis": basis, "confidence": confidence}) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "entity", "1 entity"),
        (2, "unnamed entity", "2 unnamed entities"),
        (2, "day", "2 days"),
        (0, "branch", "0 branches"),
        (1200, "route", "1,200 routes"),
    ],
)
def test_plural(number: int, noun: str, text: str) -> None:
    assert words.plural(number, noun) == text


@given(st.lists(st.integers(0, 60), unique=True))
def test_spans_cover_the_months_and_nothing_else(months: list[int]) -> None:
    covered = [month for first, last in words.spans(months) for month in range(first, last + 1)]
    assert covered == sorted(months)


def test_headings_of_one_stem_stand_together() -> None:
    assert words.headings(["9990.05.20", "9990.05.21", "9990.05.21", "8543.70.98"]) == "9990.05.20 .21 8543.70.98"


def test_months_end_where_the_month_does() -> None:
    assert month_date(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert month_date(date(2026, 11, 22), 14) == date(2028, 1, 22)


# -------------------------------------------------------------------------------------------------------- text
def test_the_text_of_a_duty_has_every_amount(book: RuleBook, capfd: pytest.CaptureFixture[str]) -> None:
    entry, _ = duties.read_entry(book, "8543.70.98", "MY", "2025-10-01", "2970", "ocean")
    assert entry is not None
    document = duties.assess(book, entry).as_dict()
    report.text_of_duty(document)
    text = said(capfd)
    amounts = [document["duty_usd"], document["total_usd"], document["low_usd"], document["high_usd"]]
    amounts += [line["duty_usd"] for line in document["lines"]] + [fee["usd"] for fee in document["fees"]]
    for amount in amounts:
        assert f"{amount:,.2f}" in text
    for line in (*document["lines"], *document["defeated"]):
        assert line["heading"] in text
    for claim in document["needs"]:
        assert f"--claim {claim}=" in text
    assert "21.6 %" in text
    assert "Conditional" in text


def test_a_disputed_origin_shows_what_more_it_would_owe(book: RuleBook, capfd: pytest.CaptureFixture[str]) -> None:
    faults: list[Any] = []
    entry, _ = duties.read_entry(book, "8543.70.98", "MY", "2025-10-01", "2970")
    assert entry is not None
    doubted = duties.entry.read_origins(book, "MY:0.7,CU:0.3", faults)
    document = duties.dispute(book, entry, doubted).as_dict()
    report.text_of_duty(document)
    text = said(capfd)
    assert f"{document['expected_usd']:,.2f}" in text
    assert f"+{document['origins'][1]['more_usd']:,.2f}" in text


def test_what_cannot_be_told_is_not_shown_as_nothing(book: RuleBook, capfd: pytest.CaptureFixture[str]) -> None:
    entry, _ = duties.read_entry(book, "2710.19.30", "MY", "2025-10-01", "2970")
    assert entry is not None
    report.text_of_duty(duties.assess(book, entry).as_dict())
    text = said(capfd)
    assert text.splitlines()[2].startswith("Unresolved: ")
    assert "0.00" not in text.replace("2,970.00", "")


def test_the_text_of_the_rules(book: RuleBook, capfd: pytest.CaptureFixture[str]) -> None:
    document = listing.listed(book, START, None, None)
    report.text_of_rules(document)
    text = said(capfd)
    for rule in document["rules"]:
        assert rule["heading"] in text
        assert rule["from"] in text
    assert "all except MX" in flat(text)
    assert re.search(r"9990\.82\.09: read second-hand, medium confidence", text), "marks are told"


def test_the_text_of_a_difference_shows_whom_it_moves(book: RuleBook, capfd: pytest.CaptureFixture[str]) -> None:
    days = date(2025, 1, 1), START
    document = listing.difference(book, *days, "85437098", None)
    document["origins"] = duties.changed_totals(book, "85437098", *days, None)
    report.text_of_difference(document)
    text = flat(said(capfd))
    assert "2.6 % 21.6 % +19.0 MY" in text
    assert "2.6 % 15.0 % +12.4 DE FR KR" in text


def test_rules_that_differ_in_heading_only_share_a_row(capfd: pytest.CaptureFixture[str]) -> None:
    rule = {
        "rule": "many", "title": "Many", "kind": "add", "rate": 0.1, "from": "2026-01-01", "until": None,
        "products": "*", "needs": [], "basis": "READ", "confidence": "high", "note": "", "origins_except": [],
    }  # fmt: skip
    document = {
        "on": None,
        "hts": None,
        "origin": None,
        "notes": [],
        "rules": [rule | {"heading": f"9990.01.{n}", "origins": [code]} for n, code in ((10, "CN"), (11, "MY"))],
    }
    report.text_of_rules(document)
    assert "9990.01.10 .11 Many 10.0 % 2026-01-01 – CN MY all" in flat(said(capfd))


def test_the_small_documents(book: RuleBook, net: network.Network, capfd: pytest.CaptureFixture[str]) -> None:
    report.text_of_census(listing.census(book))
    text = said(capfd)
    assert f"{len(book.rules)} rules, no fault" in text
    futures = plans.read_futures(Path(str(net.folder)) / "futures" / "rise.toml", book, net)
    report.text_of_network({"folder": "mine", "faults": [], **net.census(), "futures": futures.as_dict()})
    text = flat(said(capfd))
    assert "mine is sound: no fault" in text
    assert "A rise, 3 nodes" in text
    assert "half now 2026-02-01 75.0 % 1 change" in text
    report.text_of_cases({"cases": [{"case": "one", "title": "A [case] in brackets"}]})
    assert "A [case] in brackets" in said(capfd)
    report.text_of_copy({"folder": "here", "files": ["a.csv"]})
    assert "a.csv" in said(capfd)
    money = {"value_usd": 10.0, "duty_usd": 1234.5, "low_usd": 1.0, "high_usd": 2.0}
    counts = {"lines": 6, "resolved": 3, "conditional": 2, "unresolved": 1, "rejected": 0, "rejects": None}
    report.text_of_summary({"source": "a", "out": "b", "reasons": [], **counts, **money})
    text = said(capfd)
    assert "1,234.50 USD" in text
    assert "unknown, not zero" in text


def test_the_text_of_landed_costs(net: network.Network, book: RuleBook, capfd: pytest.CaptureFixture[str]) -> None:
    document = costs.land(net, book, START).as_dict()
    report.text_of_landed(document)
    text = said(capfd)
    for route in document["routes"]:
        for amount in (route["usd_unit"], *route["parts"].values()):
            assert f"{amount:,.2f}" in text
    assert "Texas *" in text
    assert "not open yet" in text
    assert "1 figure marked as estimate" in text
    report.text_of_landed(document, 1)
    text = said(capfd)
    assert f"1 of {len(document['routes'])} routes shown" in text
    assert f"{document['routes'][1]['usd_unit']:,.2f}" not in text


def test_the_text_of_a_plan(net: network.Network, book: RuleBook, capfd: pytest.CaptureFixture[str]) -> None:
    futures = plans.read_futures(Path(str(net.folder)) / "futures" / "rise.toml", book, net)
    plan = plans.solve(net, book, START, 18, futures, risk=0.5)
    document = plan.as_dict() | plans.options(plan).as_dict()
    report.text_of_plan(document)
    text = said(capfd)
    for row in document["open"]:
        assert row["plant"] in text
        assert row["date"][:7] in text
    for row in document["duty"]:
        assert f"{row['usd']:,.0f}" in text
    for node in document["node_costs"]:
        assert node["node"] in text
    assert f"{document['evpi_usd']:,.0f}" in text
    assert "weight of 50.0 % on the tail" in flat(text)
    made = sum(row["units"] for row in document["make"] if row["product"] == "rig" and row["plant"] == "Penang")
    assert made > 0
    assert "Penang" in text


def test_the_answer_on_one_screen(answer: Answer, capfd: pytest.CaptureFixture[str]) -> None:
    report.text_of_answer(answer.as_dict() | {"page": "report.html"})
    text = said(capfd)
    assert len(text.splitlines()) <= 60
    cheapest = answer.ranking[0]["rows"][0]
    assert f"{cheapest['usd_unit']:,.2f}" in text
    for step in answer.steps:
        shown = "–" if step["rate"] is None else words.percent(round(step["rate"], 3))
        assert re.search(rf"{step['company']} +{step['makes']} +{re.escape(shown)}", text)
    assert "report.html" in text
    assert "is held to the end of the plan" in flat(text)


# ---------------------------------------------------------------------------------------------------- findings
def test_the_answer_is_plain_and_knows_its_step(answer: Answer) -> None:
    document = json.loads(json.dumps(answer.as_dict()))
    assert document["market"] == "Dallas"
    assert [plan["name"] for plan in document["plans"]] == ["law of 2025-10-01 held", "A rise"]
    [step] = document["steps"]
    assert (step["company"], step["makes"], step["plants"]) == ("Acme", "rigs", ["Texas"])
    assert step["rate"] is not None, step["reason"]
    assert 0 < step["rate"] < 2
    assert step["opens"] == ["Texas"]


def test_a_break_even_that_is_not_there_has_its_reason(net: network.Network, book: RuleBook, tmp_path: Path) -> None:
    small = network.load(tiny_network(tmp_path / "small"))  # a hundred rigs a month never pay a line
    [step] = report.answer(small, book, START, 12).steps
    assert step["rate"] is None
    assert step["reason"]
    assert "never" in headlines.steps({"country": "US", "steps": [step, step | {"rate": 0.2}]})


def test_the_ladder_follows_the_book(answer: Answer, book: RuleBook) -> None:
    panels = {panel["origin"]: panel for panel in answer.ladder["panels"]}
    assert set(panels) == {"MY", "CN", "US"}, "plants' countries and where parts come from"
    for origin in ("MY", "CN"):
        for step in panels[origin]["steps"]:
            day = date.fromisoformat(step["from"])
            assert step["rate"] == duties.total_rate(book, answer.ladder["hts"], origin, day)
    assert [panel["home"] for panel in answer.ladder["panels"]] == [False, False, True]


def test_the_home_panel_is_duty_on_parts_over_the_units_own_value(
    answer: Answer, net: network.Network, book: RuleBook
) -> None:
    home = answer.ladder["panels"][-1]
    routes = [route for route in costs.land(net, book, START, "rig", "Dallas").routes if route.plant == "Texas"]
    best = min(routes, key=lambda route: route.usd_unit)
    value = net.makes["Texas", "rig"].customs_value_usd
    assert home["steps"][-1]["rate"] == pytest.approx(float(best.parts["duty"]) / value)


def test_ranking_has_one_route_a_country_cheapest_first(answer: Answer) -> None:
    [group] = answer.ranking
    totals = [row["usd_unit"] for row in group["rows"]]
    assert totals == sorted(totals)
    assert [row["made_in"] for row in group["rows"] if row["home"]] == ["US"]
    assert group["gap_usd"] == pytest.approx(group["home"]["usd_unit"] - group["abroad"]["usd_unit"])
    assert group["gap_open_usd"] is None, "the only plant at home is not open yet"


def test_production_conserves_flow(answer: Answer) -> None:
    ribbons, stages = answer.production["ribbons"], answer.production["stages"]
    assert [stage["title"] for stage in stages] == ["Chips bought", "Boards made", "Rigs made", "Plugged in"]
    by_stage = [sum(r["units"] for r in ribbons if r["stage"] == stage) for stage in range(3)]
    assert by_stage == pytest.approx([by_stage[0]] * 3, rel=1e-6)
    for stage in (1, 2):
        for place in stages[stage]["places"]:
            inward = sum(r["units"] for r in ribbons if r["stage"] == stage - 1 and r["end"] == place)
            outward = sum(r["units"] for r in ribbons if r["stage"] == stage and r["start"] == place)
            assert inward == pytest.approx(outward, rel=1e-6)
    assert all(0 <= share <= 1 + 1e-9 for row in answer.timeline for share in row["share"])


def test_production_tells_what_is_shipped_in_from_what_is_made_at_the_place(tmp_path: Path) -> None:
    folder = tiny_network(
        tmp_path / "both",
        makes=lambda text: text + "Texas,board,60,,0.2,yes,,\n",
        lanes=lambda text: text + "CN,US,air,3,,4\n",
    )
    when = {"node": "law", "month": 0}
    plan = {
        "months": 1,
        "node_costs": [{"node": "law", "chance": 1.0}],
        "make": [
            {"plant": plant, "product": product, "origin": origin, "units": units, **when}
            for plant, product, origin, units in (
                ("Penang", "board", "MY", 180),
                ("Texas", "board", "US", 120),
                ("Texas", "rig", "US", 40),
                ("Texas", "rig", "MY", 60),
            )
        ],
        "flows": [
            {"from": start, "to": end, "product": product, "origin": origin, "units": units, **when}
            for start, end, product, origin, units in (
                ("CN", "Penang", "chip", "CN", 18_000),
                ("CN", "Texas", "chip", "CN", 12_000),
                ("Penang", "Texas", "board", "MY", 180),
                ("Texas", "Dallas", "rig", "US", 40),
                ("Texas", "Dallas", "rig", "MY", 60),
            )
        ],
    }
    found = views.production(network.load(folder), plan, {"MY": "Malaysia"})
    flows = {(r["stage"], r["start"], r["end"], r["kind"]): r["units"] for r in found["ribbons"]}
    assert flows == {
        (0, "CN", "Penang", "CN"): pytest.approx(60),
        (0, "CN", "Texas", "CN"): pytest.approx(40),
        (1, "Penang", "Texas", "Malaysia"): pytest.approx(60),
        (1, "Texas", "Texas", "US"): pytest.approx(40),
        (2, "Texas", "Dallas", "US"): pytest.approx(40),
        (2, "Texas", "Dallas", "Malaysia"): pytest.approx(60),
    }


def test_the_main_market_is_at_home_where_there_is_one(net: network.Network) -> None:
    assert views.main_market(net, "US") == "Dallas"
    assert views.main_market(net, "CA") == "Dallas", "without a market at home the largest of all"


@pytest.mark.parametrize(
    ("gaps", "told"),
    [
        ((10.0, 30.0), "imports are cheapest"),
        ((-10.0, -30.0), "is cheapest, by 10 to 30"),
        ((-10.0, 30.0), "cheaper for a"),
    ],
)
def test_the_landed_headline_follows_the_gaps(gaps: tuple[float, float], told: str) -> None:
    groups = [
        {"product": name, "gap_usd": gap, "gap_open_usd": gap, "home": {"waits": False}, "rows": []}
        for name, gap in zip("ab", gaps, strict=True)
    ]
    assert told in headlines.landed({"country": "US", "market": "Dallas", "ranking": groups})


# ----------------------------------------------------------------------------------------------------- figures
@given(st.lists(st.integers(0, 100_000), min_size=7, max_size=7))
def test_the_bars_of_a_route_follow_each_other_and_sum_to_its_total(cents: list[int]) -> None:
    parts = {part: usd / 100 for part, usd in zip(bars.PARTS, cents, strict=True)}
    pieces = bars.segments({"label": "x", "parts": parts})
    assert pieces[0]["from"] == 0
    assert all(one["to"] == other["from"] for one, other in itertools.pairwise(pieces))
    assert pieces[-1]["to"] == pytest.approx(sum(cents) / 100)


def test_the_bars_drawn_are_those_of_the_routes(answer: Answer) -> None:
    [group] = answer.ranking
    rows = [{**row, "strong": row["home"]} for row in group["rows"]]
    chart = figures.landed_bars([{"title": "rig", "rows": rows}], "t", "u", "m").to_dict()
    layer = next(layer for layer in chart["layer"] if layer["mark"]["type"] == "rect")
    drawn = chart["datasets"][layer["data"]["name"]]
    for row in rows:
        widths = [piece["to"] - piece["from"] for piece in drawn if piece["label"] == row["label"]]
        assert sum(widths) == pytest.approx(row["usd_unit"], abs=0.005)


def test_a_first_year_too_short_for_its_name_has_none() -> None:
    months = [month_date(date(2026, 11, 1), month).isoformat() for month in range(15)]
    assert theme.years(months, 14) == [(0, ""), (28, "2027"), (196, "2028")]
    assert theme.years(months, 15) == [(0, "2026"), (30, "2027"), (210, "2028")]
    assert theme.years(months[:2], 1) == [(0, "2026")]


STAGES = [flow.Stage(f"stage {k}", {name: name for name in "abcd"}) for k in range(3)]
ribbons = st.lists(
    st.builds(
        flow.Ribbon,
        st.integers(0, 1),
        st.sampled_from("abcd"),
        st.sampled_from("abcd"),
        st.floats(0.01, 1e6),
        st.sampled_from(["x", "y"]),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda r: (r.stage, r.start, r.end, r.kind),
)


@given(ribbons)
def test_ribbons_fill_the_places_they_join(flows: list[flow.Ribbon]) -> None:
    boxes, bands = flow.lay_out(STAGES, flows)
    assert len(bands) == len(flows)
    scale = bands[0].thick / bands[0].ribbon.units
    for box in boxes:
        leaving = sorted((b.y0, b.thick) for b in bands if (b.ribbon.stage, b.ribbon.start) == (box.stage, box.place))
        coming = sorted((b.y1, b.thick) for b in bands if (b.ribbon.stage + 1, b.ribbon.end) == (box.stage, box.place))
        assert box.bottom - box.top == pytest.approx(scale * max(box.inward, box.outward), rel=1e-6)
        for side, units in ((leaving, box.outward), (coming, box.inward)):
            assert sum(thick for _, thick in side) == pytest.approx(scale * units, rel=1e-6, abs=1e-9)
            reached = box.top
            for y, thick in side:
                assert y == pytest.approx(reached, abs=1e-6), "ribbons lie on each other without gap or overlap"
                reached = y + thick
    for k in range(3):
        column = sorted((box.top, box.bottom) for box in boxes if box.stage == k)
        assert all(below[0] >= above[1] + flow.GAP - 1e-6 for above, below in itertools.pairwise(column))


def test_a_ribbon_is_as_thick_all_along() -> None:
    _, [band] = flow.lay_out(STAGES, [flow.Ribbon(0, "a", "b", 5.0, "x")])
    points = band.outline()
    assert all(point["bottom"] - point["top"] == pytest.approx(band.thick) for point in points)
    assert (points[0]["top"], points[-1]["top"]) == (band.y0, band.y1)


def panel(*steps: tuple[str, float]) -> dict[str, Any]:
    return {"label": "x", "home": False, "steps": [{"from": day, "rate": rate} for day, rate in steps]}


def test_a_short_peak_is_cut_off_and_told() -> None:
    until = date(2026, 11, 22)
    china = panel(("2018-01-01", 0.026), ("2025-04-05", 0.576), ("2025-04-10", 1.726), ("2025-05-14", 0.576))
    top = ladder.ceiling([china], until)
    assert top == pytest.approx(0.6)
    [(day, rate)] = ladder.peaks(china["steps"], until, top)
    assert rate == 1.726
    assert day == pytest.approx(2025.27, abs=0.01)
    chart = figures.duty_ladder([china], until, "t", "u", "m").to_dict()
    assert "172.6 % ↑" in json.dumps(chart, ensure_ascii=False)
    assert sum(end - start for start, end, _ in ladder.stretches(china["steps"], until)) == pytest.approx(
        ladder.year_of(until) - 2018
    )


def test_the_rate_of_today_is_never_cut_off() -> None:
    assert ladder.ceiling([panel(("2018-01-01", 0.026), ("2026-11-21", 1.5))], date(2026, 11, 22)) == pytest.approx(1.5)


SIGHT = {  # linear RGB as seen: Machado, Oliveira and Fernandes 2009, table 1, severity 1.0
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def lab(code: str, sight: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of a colour as seen."""
    shares = [int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    red, green, blue = (
        min(1.0, max(0.0, sum(k * c for k, c in zip(row, linear, strict=True)))) for row in SIGHT[sight]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def apart(one: str, other: str) -> float:
    """Least distance of two colours over all kinds of sight."""
    return min(math.dist(lab(one, sight), lab(other, sight)) for sight in SIGHT)


def test_colours_are_told_apart_without_red_and_green() -> None:
    assert min(apart(*pair) for pair in itertools.combinations(figures.PALETTE, 2)) > 17
    assert min(apart(*pair) for pair in itertools.pairwise(bars.PARTS.values())) > 17, "parts that touch"


# -------------------------------------------------------------------------------------------------------- page
class _Reader(HTMLParser):
    """Open tags, ids and references of a page."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_page_asks_for_nothing_outside_itself(page: str, read: _Reader) -> None:
    assert not re.search(r"@import|<script|<link|<img|<iframe|javascript:", page)
    for tag, attributes in read.tags:
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "data", "action"):
                assert (value or "").startswith("#"), f"<{tag} {name}={value!r}>"
            assert "url(http" not in (value or "")
    assert not re.search(r"url\((?!#)", page)
    assert "http" not in re.sub(r">[^<]*<", "><", page), "addresses stand in the text only"


def test_the_page_is_in_order(read: _Reader) -> None:
    ids = [attributes["id"] for _, attributes in read.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    names = [tag for tag, _ in read.tags]
    assert names.count("h1") == 1
    assert names.count("main") == 1
    plots = [attributes for _, attributes in read.tags if attributes.get("class") == "plot"]
    assert len(plots) == names.count("figure") == 13
    assert all(plot.get("role") == "img" and plot.get("aria-label") for plot in plots)
    links = [attributes["href"] for tag, attributes in read.tags if tag == "a"]
    assert all((link or "").removeprefix("#") in ids for link in links)


def test_the_page_has_the_numbers_the_marks_and_the_caveats(answer: Answer, read: _Reader) -> None:
    text = flat(" ".join(read.text))
    for group in answer.ranking:
        for row in group["rows"]:
            for amount in (row["usd_unit"], *row["parts"].values()):
                assert f"{amount:,.2f}" in text
    for ribbon in answer.production["ribbons"]:
        assert f"{ribbon['units']:,.1f}" in text
    for line in (*answer.estimates, *answer.notes, *answer.assumptions):
        assert flat(line) in text
    assert any("estimate of the plant's builder" in line for line in answer.estimates)


def test_the_page_explains_the_plan_over_the_branches(answer: Answer, read: _Reader) -> None:
    text, view = flat(" ".join(read.text)), answer.explained
    assert view is not None
    assert view["plan"] == "A rise"
    assert f"About the plan for: {view['plan']}." in text
    for row in view["duty"]:
        assert f"{row['heading']} {row['authority']}" in text
        assert words.usd(sum(row["usd"]), 0) in text
    for row in view["flows"]:
        assert f"{sum(row['units']):,.0f}" in text
    for bridge in view["bridges"]:
        for line in bridge["lines"]:
            assert f"{line['usd']:+,.0f}" in text
    for row in view["options"]["options"]:
        assert f"having {row['plant']} {words.usd(row['value_usd'], 0)}" in text
    assert "knowing the branch at the start" in text


def test_the_page_has_the_break_evens_asked_for(net: network.Network, book: RuleBook) -> None:
    found = report.answer(net, book, START, 12, rules=["half"])
    assert found.explained is not None
    (ladder,) = found.explained["breakeven"]["ladders"]
    page = report.page(found)
    reader = _Reader()
    reader.feed(page)
    text = flat(" ".join(reader.text))
    assert f"half: {'flips near' if ladder['flips'] else 'no flip'}" in text
    for step in ladder["ladder"]:
        assert f"half {', '.join(step['orders']) or 'nothing'} {words.percent(round(step['from'], 6))}" in text


def test_break_evens_are_of_the_first_tree_that_branches(book: RuleBook, tmp_path: Path) -> None:
    folder = tiny_network(tmp_path / "tiny")
    node = '[[node]]\nid = "{}"\nfrom = {}\n{}'
    change = (
        '[[node.change]]\nheading = "{}"\nauthority = "Guess"\norigins = "*"\nproducts = ["8543.70.98"]\nrate = 0.5\n'
    )
    first, below = node.format("now", "2025-10-01", ""), ("2025-12-01", 'parent = "now"\nchance = {}\n')
    chain = first + node.format("later", below[0], below[1].format(1)) + change.format("sure")
    tree = first + "".join(node.format(name, below[0], below[1].format(0.5)) for name in ("same", "rise"))
    (folder / "futures").mkdir()
    (folder / "futures" / "a-chain.toml").write_text(chain, encoding="utf-8")
    (folder / "futures" / "b-tree.toml").write_text(tree + change.format("half"), encoding="utf-8")
    net = network.load(folder)
    found = report.answer(net, book, START, 4, rules=["half"])
    assert found.explained is not None
    assert (found.explained["plan"], found.explained["breakeven"]["ladders"][0]["rule"]) == ("b-tree", "half")
    with pytest.raises(FaultyInput, match="No rule with a rate goes by 'sure'"):
        report.answer(net, book, START, 4, rules=["sure"])
    only = report.answer(net, book, START, 4, folder / "futures" / "a-chain.toml", rules=["baseline"])
    assert only.explained is not None
    assert only.explained["plan"] == "law of 2025-10-01 held"


def test_makers_that_cannot_be_read_are_told_as_such(book: RuleBook, tmp_path: Path) -> None:
    folder = tiny_network(tmp_path / "tiny")
    (folder / "market.toml").write_text("nationality = ", encoding="utf-8")
    with pytest.raises(FaultyInput, match=r"market\.toml"):
        report.answer(network.load(folder), book, START, 4)


def test_the_page_tells_what_a_second_origin_does(answer: Answer, page: str) -> None:
    found = answer.as_dict()["concentration"]
    assert "What does a second origin do" in page or "what does a second origin do" in page
    for row in found["second_origin"]:
        assert f"{row['landed_usd_per_ths']:,.2f}" in page


def test_names_inside_one_drawing_do_not_meet_those_of_another(answer: Answer) -> None:
    chart = report.figures.break_evens([{"label": "a", "rate": 0.1, "reason": ""}], [], "t", "u", "m")
    drawing = figures.svg(chart, "mine")
    assert all(name.startswith("mine-") for name in re.findall(r'\bid="([^"]+)"', drawing))
    assert "xmlns" not in drawing
    assert "var(--ink" in drawing


def test_a_network_without_duty_or_candidates_still_has_a_page(book: RuleBook, tmp_path: Path) -> None:
    folder = tiny_network(
        tmp_path / "abroad",
        plants=lambda text: "\n".join(line for line in text.splitlines() if "Texas" not in line) + "\n",
        makes=lambda text: "\n".join(line for line in text.splitlines() if "Texas" not in line) + "\n",
        lanes="from,to,mode,usd_per_kg,usd_per_unit,days\nCN,MY,air,3,,4\nPenang,Dallas,air,7,2,5\n",
        markets="market,country,power_usd_kwh\nDallas,CA,0.05\n",
    )
    found = report.answer(network.load(folder), book, START, 6)
    assert found.steps == []
    html = report.page(found)
    assert "No plant in US is a candidate" in html
