"""The grid screen: published figures, closed form, integration and scipy, directions, refusals, the verb."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ashore.errors import FaultyInput
from ashore.fleet import grid
from ashore.fleet.given import GridGiven
from ashore.fleet.grid import closed, shipped, swing
from ashore.fleet.grid.model import Event, Governor, System
from ashore.fleet.grid.screen import response_meeting

TEXAS = System(200, 1057, 50, 1, 0.3, 8)
LOSS = Event(2000)

systems = st.builds(
    System,
    energy_gws=st.floats(60, 2500),
    response_mw_per_100mhz=st.floats(300, 3000),
    base_gw=st.floats(10, 100),
    damping_pu=st.floats(0, 1.5),
    reheat_fraction=st.floats(0.05, 1),
    reheat_s=st.floats(1, 20),
).filter(lambda system: system.governing > 0)
events = st.builds(Event, st.floats(10, 5000), st.booleans(), st.one_of(st.just(0.0), st.floats(0.004, 20)))


# Published figures


def test_the_closed_form_gives_the_published_excursion():
    answer = closed.respond(TEXAS, LOSS)
    assert answer.peak_hz == pytest.approx(60.3676, abs=5e-5)
    assert answer.peak_s == pytest.approx(3.23, abs=5e-3)
    assert answer.rest_hz == pytest.approx(60.1892, abs=5e-5)
    assert answer.rocof_hz_s == pytest.approx(0.3)


def test_a_dead_band_of_17_mhz_gives_the_published_excursion():
    dead = (Governor("all", 1, 0.3, 8, deadband_mhz=17),)
    assert swing.run(TEXAS, LOSS, dead).answer.peak_hz == pytest.approx(60.382, abs=5e-4)


@pytest.mark.parametrize(("ramp", "hz"), [(0, 59.632), (10, 59.717), (30, 59.780), (120, 59.803)])
def test_a_start_over_a_ramp_gives_the_published_dip(ramp, hz):
    assert closed.respond(TEXAS, Event(2000, False, ramp)).peak_hz == pytest.approx(hz, abs=5e-4)


def test_the_bands_of_the_whole_networks_stand_beside():
    form = grid.screen("ERCOT", LOSS).as_dict()["structural"]
    peaks = {row["run"]: row["peak_hz"] for row in form["runs"]}
    assert {60.3676, 60.382, 60.4402, 60.4568, 60.532, 60.5868, 60.1915} <= set(peaks.values())
    assert form["low_hz"] == pytest.approx(60.1915, abs=1e-4)
    assert form["high_hz"] == pytest.approx(60.5868, abs=1e-4)


def test_the_distance_to_the_published_limit():
    (row,) = grid.screen("ercot", LOSS).as_dict()["published"]
    assert (row["mw"], row["hz"], row["mw_left"]) == (2600, 60.4, 600)
    low, high = (row[f"response_meeting_{end}_mw_per_100mhz"] for end in ("low", "high"))
    assert 983 < low < high < 1506
    for system, response in ((replace(TEXAS, energy_gws=300), low), (replace(TEXAS, energy_gws=110), high)):
        met = closed.respond(replace(system, response_mw_per_100mhz=response), Event(2600))
        assert met.peak_hz == pytest.approx(60.4, abs=1e-6)


def test_no_response_meets_what_inertia_alone_forbids():
    assert response_meeting(TEXAS, Event(2600), 70.0) is None
    assert response_meeting(TEXAS, Event(2600), 60.0001) is None


# Two and three methods agree


@settings(max_examples=15)
@given(systems, events)
def test_closed_form_and_integration_agree_to_a_microhertz(system, event):
    assume(system.stiffness < 20 * system.inertia)
    exact, run = closed.respond(system, event), swing.run(system, event, swing.plain(system), 60)
    if exact.peak_s is not None and exact.peak_s < 50 + event.ramp_s:
        assert run.answer.peak_hz == pytest.approx(exact.peak_hz, abs=1e-6)
    for t, hz in run.trace[::50]:
        reached = system.frequency_hz + event.sign * closed.modes(system, event.mw).after(t, event.ramp_s)
        assert hz == pytest.approx(reached, abs=1e-6)


@settings(max_examples=6)
@given(
    systems,
    events,
    st.lists(
        st.tuples(st.floats(0.1, 1), st.floats(0, 1), st.floats(1, 15), st.sampled_from([0.0, 0.2, 0.6]),
                  st.floats(0, 50), st.one_of(st.none(), st.floats(10, 2000))),
        min_size=1, max_size=3,
    ),
)  # fmt: skip
def test_integration_with_limits_agrees_with_scipy(system, event, drawn):
    assume(system.stiffness < 20 * system.inertia)
    total = sum(share for share, *_ in drawn)
    classes = [Governor(str(n), one[0] / total, *one[1:]) for n, one in enumerate(drawn)]

    def rates(t, state):
        power, changes = 0.0, [0.0]
        for place, one in enumerate(classes):
            dead, cap = one.deadband_mhz / 1000, np.inf if one.cap_mw is None else one.cap_mw
            beyond = np.sign(state[0]) * max(0.0, abs(state[0]) - dead)
            wanted = float(np.clip(system.governing * one.share * beyond, -cap, cap))
            valve = state[1 + 2 * place] if one.valve_s else wanted
            changes += [(wanted - valve) / one.valve_s if one.valve_s else 0.0]
            changes += [(valve - state[2 + 2 * place]) / one.reheat_s]
            power += one.reheat_fraction * valve + (1 - one.reheat_fraction) * state[2 + 2 * place]
        lost = event.mw * min(1.0, t / event.ramp_s if event.ramp_s else 1.0)
        changes[0] = (lost - system.damping * state[0] - power) / system.inertia
        return changes

    run = swing.run(system, event, classes, 15)
    times = [t for t, _ in run.trace][::20]
    found = solve_ivp(rates, (0, times[-1]), [0.0] * (1 + 2 * len(classes)), t_eval=times, rtol=1e-9, atol=1e-9,
                      max_step=0.05)  # fmt: skip
    for (_, hz), y in zip(run.trace[::20], found.y[0], strict=True):
        assert hz == pytest.approx(60 + event.sign * y, abs=2e-4 * max(1, abs(y)))


@settings(max_examples=10)
@given(systems, events)
def test_classes_that_are_alike_are_one_class(system, event):
    assume(system.stiffness < 20 * system.inertia)
    whole = swing.run(system, event, [Governor("all", 1, 0.3, 8, 0.3, 17)], 10).answer
    parts = [Governor(str(n), share, 0.3, 8, 0.3, 17) for n, share in enumerate((0.5, 0.3, 0.2))]
    assert swing.run(system, event, parts, 10).answer.peak_hz == pytest.approx(whole.peak_hz, abs=1e-9)


# Directions


@given(systems, events, st.floats(1.01, 3))
def test_more_inertia_or_response_means_less_excursion_and_load_counts_in_proportion(system, event, more):
    event = replace(event, ramp_s=0.0)  # a ramp as long as a swing can make more inertia swing a little more

    def excursion(one, what=event):
        return abs(closed.respond(one, what).peak_hz - one.frequency_hz)

    here = excursion(system)
    assert excursion(replace(system, energy_gws=more * system.energy_gws)) <= here * (1 + 1e-6)
    stiffer = replace(system, response_mw_per_100mhz=more * system.response_mw_per_100mhz)
    assert excursion(stiffer) <= here * (1 + 1e-6)
    assert excursion(system, replace(event, mw=more * event.mw)) == pytest.approx(more * here)
    other = replace(event, trip=not event.trip)
    assert excursion(system, other) == pytest.approx(here)


@settings(max_examples=10)
@given(systems, st.floats(100, 4000))
def test_limits_never_help(system, mw):
    assume(system.stiffness < 20 * system.inertia)
    free = swing.run(system, Event(mw), swing.plain(system), 15).answer.peak_hz
    for change in ({"deadband_mhz": 20}, {"cap_mw": 0.3 * mw}):
        (one,) = swing.plain(system)
        assert swing.run(system, Event(mw), [replace(one, **change)], 15).answer.peak_hz >= free - 1e-9


def test_governors_that_cannot_move_leave_only_the_load_to_answer():
    still = [Governor("none", 1, 0.3, 8, cap_mw=0)]
    run = swing.run(TEXAS, Event(100), still, 120)
    assert run.answer.rest_hz == pytest.approx(60 + 100 / TEXAS.damping, abs=1e-4)
    assert run.answer.peak_s is None


@given(systems, events)
def test_it_stays_where_it_is_said_to_have_settled(system, event):
    answer = closed.respond(system, event)
    assume(answer.settled_s is not None)
    found = closed.modes(system, event.mw)
    near = closed.BAND * abs(answer.peak_hz - system.frequency_hz)
    for after in range(200):
        t = answer.settled_s + after * 0.31
        assert abs(found.after(t, event.ramp_s) - found.rest) <= near * (1 + 1e-3)


# The screen


@pytest.mark.parametrize("name", ["ERCOT", "Eastern", "Western", "Quebec"])
@pytest.mark.parametrize("trip", [True, False])
def test_the_load_to_a_threshold_brings_the_peak_there(name, trip):
    found = grid.screen(name, Event(700, trip))
    for row in found.as_dict()["thresholds"]:
        assert (row["hz"] > 60) == trip
        for end, system in (("weak", found.setting.weak), ("strong", found.setting.strong)):
            assert closed.respond(system, Event(row[f"mw_{end}"], trip)).peak_hz == pytest.approx(row["hz"])
        limited = swing.run(found.setting.mid, Event(row["mw_with_limits"], trip), found.setting.governors, 20)
        assert limited.answer.peak_hz == pytest.approx(row["hz"], abs=2e-3 * abs(row["hz"] - 60))


def test_what_is_stated_has_no_band_and_is_not_assumed():
    document = grid.screen("ERCOT", LOSS, GridGiven(energy_gws=200, response_mw_per_100mhz=1057)).as_dict()
    assert document["band"]["weak"] == document["band"]["strong"] == document["band"]["mid"]
    assert not [line for line in document["assumptions"] if line.startswith(("stored energy", "response"))]
    assert len(document["assumptions"]) == 5


def test_what_moves_the_peak_is_said_widest_first_and_holds_the_middle():
    found = grid.screen("ERCOT", LOSS)
    document = found.as_dict()
    rows = document["sensitivity"]
    names = {"energy_gws", "response_mw_per_100mhz", "base_gw", "damping_pu", "reheat_fraction", "reheat_s"}
    assert {row["name"] for row in rows} == names
    spans = [abs(row["peak_high_hz"] - row["peak_low_hz"]) for row in rows]
    assert spans == sorted(spans, reverse=True)
    for row in rows:
        low, high = sorted((row["peak_low_hz"], row["peak_high_hz"]))
        assert low <= document["closed_form"]["peak_hz"] <= high
        at_low = closed.respond(replace(found.setting.mid, **{row["name"]: row["low"]}), LOSS)
        assert row["peak_low_hz"] == at_low.peak_hz
    stated = grid.screen("ERCOT", LOSS, GridGiven(energy_gws=200)).as_dict()["sensitivity"]
    assert {row["name"] for row in stated} == names - {"energy_gws"}


def test_every_shipped_figure_has_its_place_in_its_range_and_a_source():
    for area in shipped.interconnections().values():
        for figure in area.figures.values():
            assert figure.low <= figure.value <= figure.high
            assert figure.source
            assert figure.basis in {"READ-secondary", "MEMORY", "ESTIMATE", "DERIVED"}


def test_an_incident_is_set_beside_the_model():
    (row,) = grid.screen("Eastern", Event(1000)).as_dict()["published"]
    assert row["hz"] < row["model_strong_hz"] < row["model_mid_hz"] < row["model_weak_hz"] < 60.2


def test_a_file_of_governors_takes_the_place_of_the_one_class(tmp_path):
    file = tmp_path / "governors.csv"
    file.write_text(
        "class,share,reheat_fraction,reheat_s,valve_s,deadband_mhz,cap_mw\n"
        "steam,0.7,0.3,8,0.2,34,\ngas,0.3,1,1,0.5,17,400\n"
    )
    found = grid.screen("ERCOT", LOSS, None, file)
    assert [one.name for one in found.setting.governors] == ["steam", "gas"]
    assert found.limited.answer.peak_hz > found.exact.peak_hz


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class,share,reheat_fraction,reheat_s\na,0.5,0.3,8\n", "add up to 0.5"),
        ("class,share,reheat_fraction,reheat_s\na,1,0.3,8\na,1,0.3,8\n", "that of row 2"),
        ("class,share,reheat_fraction,reheat_s,valve_s\na,1,0.3,8,0.001\n", "too short"),
        ("class,share\na,1\n", "column 'reheat_s' is missing"),
        ("", "empty"),
    ],
)
def test_faults_of_a_file_of_governors(tmp_path, text, said):
    file = tmp_path / "governors.csv"
    file.write_text(text)
    with pytest.raises(FaultyInput, match=said):
        grid.screen("ERCOT", LOSS, None, file)


# The verb


def test_the_verb_takes_every_input_and_gives_units_in_its_names(ask):
    words = (
        "--interconnection",
        "ERCOT",
        "--mw",
        2000,
        "--trip",
        "--energy-gws",
        200,
        "--response-mw-per-100mhz",
        1057,
    )
    more = ("--base-gw", 50, "--damping-pu", 1, "--reheat-fraction", 0.3, "--reheat-s", 8, "--deadband-mhz", 17)
    document = ask("grid", *words, *more)
    assert document["closed_form"]["peak_hz"] == pytest.approx(60.3676, abs=5e-5)
    assert abs(document["difference_hz"]) < 1e-6
    assert document["with_limits"]["peak_hz"] == pytest.approx(60.382, abs=5e-4)
    assert document["status"] == "screening, not a study"
    assert document["why"]
    assert document["assumptions"] == []


def test_the_text_says_what_it_is_and_names_the_bands(run):
    code, out, _ = run("grid", "--mw", 2000)
    assert code == 0
    for words in ("screening, not a study", "60.3676", "60.1915 to 60.5868", "2,600", "read second-hand", "60.5868"):
        assert words in out
    code, out, _ = run("grid", "--mw", 500, "--start", "--ramp", 30, "--cap-mw", 400)
    assert code == 0
    assert "500 MW of load started over 30 s" in out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--mw", "0"], 1),
        (["--mw", "nan"], 1),
        (["--mw", "2000", "--ramp", "-1"], 1),
        (["--mw", "2000", "--energy-gws", "0.1"], 1),
        (["--mw", "2000", "--response-mw-per-100mhz", "50"], 1),
        (["--mw", "60000"], 1),
        (["--mw", "2000", "--valve-s", "0.001"], 1),
        (["--mw", "2000", "--governors", "no-such.csv"], 1),
        (["--mw", "2000", "--interconnection", "Atlantis"], 1),
        (["--mw", "2000", "--trip", "--start"], 2),
        ([], 2),
    ],
)
def test_what_cannot_be_screened_is_refused(run, words, code):
    got, _, err = run("grid", *words)
    assert got == code
    assert err
    assert "Traceback" not in err


def test_all_faults_are_said_at_once(run):
    _, _, err = run("grid", "--mw", "-1", "--ramp", "-1", "--damping-pu", "99")
    assert all(option in err for option in ("--mw", "--ramp", "--damping-pu"))
