"""Formulas drawn when the site is built: a reader needs no script, no special font and no other host.

Each is an SVG in units of the text around it and in its colour, with its TeX source for those who listen.
"""

import re
from html import escape
from xml.etree.ElementTree import tostring

import ziamath
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

SIZE = 24.0  # units of the drawing for one em
ziamath.config.svg2 = False  # plain paths: names that `use` refers to would have to be unique on a page
ziamath.config.precision = 1


def drawing(tex: str, inline: bool) -> str:
    """SVG of a formula, standing on the baseline of its line; ValueError for TeX that cannot be read."""
    try:
        svg = ziamath.Latex(tex, size=SIZE, inline=inline, color="currentColor").svgxml()
    except Exception as error:
        raise ValueError(f"expected TeX that can be drawn, got '{tex}' ({error!r})") from error
    _, top, width, height = (float(number) for number in svg.attrib["viewBox"].split())
    svg.set("width", f"{width / SIZE:.3f}em")
    svg.set("height", f"{height / SIZE:.3f}em")
    svg.set("style", f"vertical-align:{-(top + height) / SIZE:.3f}em")
    svg.set("role", "img")
    svg.set("aria-label", tex)
    return tostring(svg, encoding="unicode").replace('fill="black"', 'fill="currentColor"')  # lines above letters


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """A formula in a line of text."""
    self.body.append(f'<span class="maths">{drawing(node.astext(), inline=True)}</span>')
    raise nodes.SkipNode


def displayed(self: HTML5Translator, node: nodes.math_block) -> None:
    """A formula of its own: its parts side by side where there is room, else below each other."""
    number = get_node_equation_number(self, node) if node["number"] else ""
    label = f'<span class="number">({escape(number)})</span>' if number else ""
    drawn = "".join(f"<span>{drawing(part, inline=False)}</span>" for part in parts(node.astext()))
    self.body.append(f'<div class="maths display">{drawn}{label}</div>')
    raise nodes.SkipNode


def parts(tex: str) -> list[str]:
    """TeX divided at every wide space that is not within braces."""
    found = [""]
    for piece in re.split(r"(\\qquad)", tex):
        open_braces = len(re.findall(r"(?<!\\)\{", found[-1])) - len(re.findall(r"(?<!\\)\}", found[-1]))
        if piece == r"\qquad" and open_braces == 0:
            found.append("")
        else:
            found[-1] += piece
    return [part.strip() for part in found if part.strip()]


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this the way in which formulas are written to HTML."""
    app.add_html_math_renderer("drawn", (inline, None), (displayed, None))
    app.config.html_math_renderer = "drawn"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
