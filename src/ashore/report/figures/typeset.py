"""Every line of text in an SVG told how long it is, so that no other font makes it overrun what stands beside it.

Figures are laid out in Arial (or Liberation Sans, its metric twin). A reader who has neither sees another font, often a
wider one; with ``textLength`` the browser sets it to the length the layout has allowed for.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape

# Advance widths of Helvetica, Arial and Liberation Sans from the space to the tilde, in thousandths of the font size:
# Adobe Font Metrics of the 14 core fonts (1997).
_PLAIN = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584
584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278
278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500
500 334 260 334 584
"""
_BOLD = """
278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 584
584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333
278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556
500 389 280 389 584
"""
_SIGNS = {
    "–": 556, "—": 1000, "…": 1000, "“": 333, "”": 333, "‘": 222, "’": 222, "·": 278, "•": 350, "→": 1000, "←": 1000,
    "−": 584, "×": 584, "÷": 549, "±": 549, "≤": 549, "≥": 549, "µ": 576, "°": 400, "€": 556, "\xa0": 278,
}  # fmt: skip
_BOLD_SIGNS = _SIGNS | {"“": 500, "”": 500, "‘": 278, "’": 278}
_OTHER, _WIDE = 556, 1000  # of a letter that is not in the tables, narrow or as wide as high


def _widths(table: str) -> dict[str, int]:
    return {chr(32 + place): int(width) for place, width in enumerate(table.split())}


PLAIN, BOLD = _SIGNS | _widths(_PLAIN), _BOLD_SIGNS | _widths(_BOLD)

_TEXT = re.compile(r"(<text\b[^>]*[^/>])>(.*?)</text>", re.DOTALL)
_LINE = re.compile(r"(<tspan\b[^>]*)>([^<]+)</tspan>")


def width(text: str, size: float, bold: bool = False) -> float:
    """Length of a line of text, in the unit of ``size``."""
    table, total = BOLD if bold else PLAIN, 0
    for letter in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(letter):
            other = _WIDE if unicodedata.east_asian_width(letter) in {"W", "F"} else _OTHER
            total += table.get(letter, other)
    return total * size / 1000


def typeset(svg: str) -> str:
    """The SVG with the length of every line of text."""

    def told(tag: str, text: str, size: float, bold: bool) -> str:
        length = width(unescape(text), size, bold)
        return f'{tag} textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"' if length else tag

    def set_text(found: re.Match[str]) -> str:
        tag, inside = found[1], found[2]
        size, weight = re.search(r'font-size="([\d.]+)px"', tag), re.search(r'font-weight="(\w+)"', tag)
        if size is None:
            return found[0]
        font = float(size[1]), weight is not None and weight[1] in ("bold", "600", "700")
        if "<" not in inside:
            return f"{told(tag, inside, *font)}>{inside}</text>"
        lines = _LINE.sub(lambda line: f"{told(line[1], line[2], *font)}>{line[2]}</tspan>", inside)
        return f"{tag}>{lines}</text>"

    return _TEXT.sub(set_text, svg)
