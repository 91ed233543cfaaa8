"""From a matplotlib figure to SVG that lives inside the page.

The drawing takes part in the page: its colours become the page's CSS variables (so that a dark page has dark
figures), its identifiers are made unique, and it carries a title for those who cannot see it. Coordinates are
rounded to a hundredth of a point, which halves the size of contours.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Blue, vermilion and olive, told apart by the colour-blind, and dark enough on white.
INK, MUTED, RULE = "#1f2933", "#5f6b76", "#d5d9dd"
EMULATED, CORRECTED, PUBLISHED = "#1f6fad", "#c8500a", "#6b7c3a"
_PIXELS = 96 / 72  # of the page for a point of the drawing
_ENLARGED = 1.2  # at most, on a wide page
_VARIABLE = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    EMULATED: "emulated",
    CORRECTED: "corrected",
    PUBLISHED: "published",
}
_STYLE = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.8,
    "ytick.minor.size": 1.8,
    "lines.linewidth": 1.2,
    "svg.fonttype": "path",
    "path.simplify": True,
}


@contextmanager
def style() -> Iterator[None]:
    """The look of all figures, from matplotlib's defaults: a user's matplotlibrc must not change a report."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def blank(width: float, height: float) -> Figure:
    """An empty figure of the given size in inches, without the global state of pyplot."""
    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """Inline SVG of `figure`; `name` makes its identifiers unique, `alt` describes it in words."""
    buffer = io.StringIO()
    matplotlib.rcParams["svg.hashsalt"] = name  # same records, same page, byte for byte
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r'(?<= d=")[^"]*', lambda path: _round(path[0]), svg)
    svg = re.sub(r"(?:stroke|fill): (#[0-9a-f]{6})", _themed, svg)
    svg = re.sub(r"\n\s*", "\n", svg)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    largest = round(float(box[1]) * _PIXELS * _ENLARGED)
    head = (
        f'<svg role="img" aria-label="{escape(alt)}" viewBox="0 0 {box[1]} {box[2]}" '
        f'style="--largest: {largest}px" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"<title>{escape(alt)}</title>"
    )
    return head + svg[svg.index(">") + 1 :]


def _round(path: str) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", path).replace("\n", " ").strip()


def _themed(found: re.Match[str]) -> str:
    colour = found[1]
    name = _VARIABLE.get(colour)
    return found[0].replace(colour, f"var(--{name}, {colour})") if name else found[0]
