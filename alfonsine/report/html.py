"""Small pieces of HTML. Every text from a file passes through `escape`, here or where it is used."""

from collections.abc import Iterable, Sequence
from html import escape

from alfonsine.report.parse import Measured
from alfonsine.report.rounding import short, with_error


def datum(value: float | None, shown: str) -> str:
    """A number as shown, with all its digits for machines beside it."""
    return escape(shown) if value is None else f'<data value="{value!r}">{escape(shown)}</data>'


def plain_number(value: float | None, digits: int = 2) -> str:
    """A number to some significant digits, or a dash."""
    return datum(value, short(value, digits))


def measured_number(found: Measured | None) -> str:
    """A number rounded to its error, or to two digits where it has none; a dash where there is no number."""
    if found is None:
        return plain_number(None)
    if found.error is not None and found.error > 0:
        return datum(found.estimate, with_error(found.estimate, found.error))
    return plain_number(found.estimate)


def count(value: float | None) -> str:
    """A whole number with thin spaces between thousands."""
    return datum(value, "\N{EM DASH}" if value is None else f"{value:,.0f}".replace(",", "\N{THIN SPACE}"))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], style: str = "") -> str:
    """A table whose first column names the row; cells are HTML. Style `stack` makes rows cards on a phone."""
    header = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(
            f'<td data-label="{label}"{"" if cell else EMPTY}>{cell}</td>'
            for label, cell in zip(head[1:], rest, strict=True)
        )
        + "</tr>"
        for first, *rest in rows
    )
    return f'<table class="{style}"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>'


EMPTY = ' class="empty"'


def section(identifier: str, title: str, *parts: str) -> str:
    """A section with its heading."""
    return f'<section id="{identifier}"><h2>{title}</h2>{"".join(parts)}</section>'


def paragraph(words: str, style: str = "") -> str:
    """Plain words as a paragraph, escaped; nothing for no words."""
    return f'<p class="{style}">{escape(words)}</p>' if words else ""


def figure(svg: str, caption: str = "", style: str = "") -> str:
    """A figure with an optional caption; both are HTML."""
    caption = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure class="{style}">{svg}{caption}</figure>'


def folded(summary: str, content: str, style: str = "") -> str:
    """Content that opens on request; style `screen` keeps it out of print."""
    return f'<details class="{style}">' + f"<summary>{summary}</summary>{content}</details>"
