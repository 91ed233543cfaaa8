"""The site needs no other host: a page that would fetch anything from elsewhere is an error of the build."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

FETCHED = re.compile(r'<(?:script|link|img|iframe|source|object)\b[^>]*\b(?:src|href|data)="((?:https?:)?//[^"]*)"')
STYLED = re.compile(r'(?:@import\s+|url\()["\']?((?:https?:)?//[^"\')]*)')


def outside(text: str) -> list[str]:
    """Addresses on other hosts that a browser would ask for by itself; links that a reader may follow are none."""
    return FETCHED.findall(text) + STYLED.findall(text)


def check(app: Sphinx, error: Exception | None) -> None:
    """Warn of every file that would fetch something."""
    if error is not None or app.builder.format != "html":
        return
    for path in sorted(Path(app.outdir).rglob("*")):
        if path.suffix in (".html", ".css"):
            for address in outside(path.read_text(encoding="utf-8")):
                logging.getLogger(__name__).warning("%s: expected content of its own, got %s", path.name, address)


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at what was written."""
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
