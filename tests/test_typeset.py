"""Text in figures: how long it is, and that none of it leaves its figure, whatever font a reader has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashore import network, report, rules
from ashore.dates import DAY
from ashore.report.figures.typeset import typeset, width


@pytest.mark.parametrize(
    ("text", "size", "bold", "expected"),
    [
        ("", 10, False, 0.0),
        ("Hamburg", 1000, False, 722 + 556 + 833 + 556 + 556 + 333 + 556),
        ("Hamburg", 1000, True, 722 + 556 + 889 + 611 + 611 + 389 + 611),
        ("12.6 %", 11, False, (3 * 556 + 278 + 278 + 889) * 0.011),
        ("É", 1000, False, 667),  # as wide as its letter
        ("中", 1000, False, 1000),
    ],
)
def test_a_line_is_as_long_as_its_letters(text: str, size: float, bold: bool, expected: float) -> None:
    assert width(text, size, bold) == pytest.approx(expected)


def test_every_line_is_told_its_length_and_nothing_else_changes() -> None:
    svg = (
        '<svg><text font-size="10px">a &amp; b</text><text font-size="10px"/><text>no size</text>'
        '<text font-size="20px" font-weight="600"><tspan>ab</tspan><tspan x="0" dy="3">cd</tspan></text></svg>'
    )
    found = typeset(svg)
    length = 0.01 * (556 + 278 + 667 + 278 + 556)
    assert f'<text font-size="10px" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs">a &amp; b</text>' in found
    assert '<tspan textLength="23.3" lengthAdjust="spacingAndGlyphs">ab</tspan>' in found
    assert '<tspan x="0" dy="3" textLength="23.3" lengthAdjust="spacingAndGlyphs">cd</tspan>' in found
    assert re.sub(r' textLength="[\d.]+" lengthAdjust="spacingAndGlyphs"', "", found) == svg


@given(st.text(), st.text())
def test_lengths_add_up(one: str, other: str) -> None:
    assert width(one + " " + other, 12) == pytest.approx(width(one, 12) + width(" ", 12) + width(other, 12))


# -- the figures of the shipped case ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def page() -> str:
    folder = network.cases.find(Path("rigs-2026"))
    book = rules.load()
    return report.page(report.answer(network.load(folder), book, book.until - DAY, 24))


def lines(element: ElementTree.Element, x: float = 0.0) -> Iterator[tuple[str, float, float]]:
    """Each line of text that is not turned: what it says, and its left and right end."""
    transform = element.get("transform", "")
    if "rotate" in transform:
        return
    moved = re.search(r"translate\(([-\d.e]+)", transform)
    x += float(moved[1]) if moved else 0.0
    if element.get("textLength"):
        length = float(element.get("textLength", "0"))
        anchor = element.get("text-anchor", "start")
        left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * length
        yield element.text or "", left, left + length
    else:
        assert element.tag not in ("text", "tspan") or not (element.text or "").strip(), element.text
    for child in element:
        yield from lines(child, x)


@pytest.mark.slow
def test_no_text_leaves_its_figure(page: str) -> None:
    figures = [ElementTree.fromstring(found) for found in re.findall(r"<svg\b.*?</svg>", page, re.DOTALL)]
    assert len(figures) > 8
    outside = []
    for figure in figures:
        end = float(figure.get("width", "0"))
        told = list(lines(figure))
        assert told
        outside += [(text, left, right, end) for text, left, right in told if left < -1 or right > end + 1]
    assert not outside
