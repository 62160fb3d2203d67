"""Figures of exposure: areas of the treemap, what the pictures say, and files by the command line."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulated_fleet import rig_of
from tests.test_fleet import TODAY, seen

from ashore import report
from ashore.fleet import devices, grid, shares
from ashore.fleet.devices import Device
from ashore.report import figures

values = st.lists(st.one_of(st.just(0.0), st.floats(0.01, 1e4)), min_size=1, max_size=25)


@given(values, st.floats(10, 900), st.floats(10, 900))
def test_tiles_have_areas_in_proportion_and_fill_the_rectangle(sizes, width, height):
    found = figures.tiles(sizes, 3, 5, width, height)
    assert sorted(tile.place for tile in found) == [n for n, size in enumerate(sizes) if size > 0]
    whole = sum(sizes)
    for tile in found:
        assert tile.width * tile.height == pytest.approx(width * height * sizes[tile.place] / whole, rel=1e-6)
        assert tile.x >= 3 - 1e-6
        assert tile.y >= 5 - 1e-6
        assert tile.x + tile.width <= 3 + width + 1e-6 * width
        assert tile.y + tile.height <= 5 + height + 1e-6 * height


@given(values)
def test_tiles_do_not_overlap(sizes):
    found = figures.tiles(sizes, 0, 0, 100, 60)
    for n, one in enumerate(found):
        for other in found[:n]:
            across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert across < 1e-6 or down < 1e-6


def texts(chart) -> str:
    return json.dumps(chart.to_dict(), ensure_ascii=False)


@pytest.mark.parametrize(("trip", "ramp"), [(True, 0.0), (False, 30.0)])
def test_traces_show_both_bands_and_the_thresholds_near(trip, ramp):
    document = grid.screen("ERCOT", grid.Event(2000, trip, ramp)).as_dict()
    picture = report.traces(document)
    said = texts(picture.chart)
    assert picture.finding.startswith("2,000 MW of load " + ("lost" if trip else "started"))
    assert "Screening, not a study" in said
    assert ("study of lost load" in said) == trip
    lines = [row for row in _rows(picture.chart) if "line" in row]
    assert max(row["hz"] for row in lines) == pytest.approx(max(document["closed_form"]["peak_hz"],
        document["with_limits"]["peak_hz"]) if trip else 60, abs=1e-3)  # fmt: skip


def _rows(chart):
    found = []
    queue = [chart.to_dict()]
    while queue:
        one = queue.pop()
        if isinstance(one, dict):
            found += one.get("data", {}).get("values", []) if isinstance(one.get("data"), dict) else []
            found += [row for rows in one.get("datasets", {}).values() for row in rows]
            queue += list(one.values())
        elif isinstance(one, list):
            queue += one
    return [row for row in found if isinstance(row, dict)]


def test_a_treemap_of_a_fleet_names_its_largest_group():
    rng = random.Random(1)
    found = [replace(seen(rig_of(rng)), path=rng.choice("abc")) for _ in range(50)]
    document = devices.audit(found, TODAY)
    picture = report.common_mode(document)
    first = document["common_mode"][0]
    assert f"{first['maker']}, {first['firmware']}, {first['path']}" in picture.finding
    assert first["path"] in texts(picture.chart)
    nothing = report.common_mode(devices.audit([Device(state="silent")], TODAY))
    assert nothing.finding == "No rig is known by maker and firmware"
    figures.standalone(nothing.chart)


def test_ranges_show_every_series():
    document = shares.measured(shares.read_series(), "US")
    said = texts(report.concentration(document).chart)
    for series in document["series"]:
        assert series["series"] in said


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("", "No share is known"),
        ("brand,s,2025,A,CN,0.5,\n", "Shares: unmarked "),
        ("brand,s,2025,A,CN,0.5,READ\nbrand,s,2025,B,CN,0.3,\n", "Shares: read in the source, unmarked "),
    ],
)
def test_ranges_of_a_file_without_marks_or_rows(ask, tmp_path, rows, told):
    file, figure = tmp_path / "shares.csv", tmp_path / "figure.json"
    file.write_text("geography,series,date,entity,country,share,basis\n" + rows, encoding="utf-8")
    assert ask("concentration", "--shares", file, "--figure", figure)
    assert told in figure.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("grid", "--mw", 2000),
        ("concentration",),
        ("concentration", "rigs-2026", "--on", TODAY),
    ],
)
@pytest.mark.parametrize("kind", ["svg", "json"])
def test_figures_by_the_command_line(ask, run, tmp_path, words, kind):
    file = tmp_path / f"figure.{kind}"
    assert ask(*words, "--figure", file)
    data = file.read_bytes()
    assert data.startswith({"svg": b"<svg", "json": b"{"}[kind])
    assert run(*words, "--figure", tmp_path / "figure.doc")[0] == 1


def test_the_figure_of_an_audit(ask, tmp_path):
    fleet, file = tmp_path / "fleet.csv", tmp_path / "figure.svg"
    devices.write(fleet, [seen(rig_of(random.Random(n))) for n in range(20)])
    ask("fleet", "audit", fleet, "--figure", file)
    assert "<svg" in file.read_text()
    ask("fleet", "audit", fleet)
