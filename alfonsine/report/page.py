"""One self-contained page: no script, no font, no image from elsewhere.

Its order is the order of a reader's questions: is it accurate, what is the answer, how was that established,
does it fit the data, what did it cost, how is it repeated.
"""

from collections.abc import Callable
from html import escape
from importlib import resources
from importlib.metadata import version

from alfonsine.report import accuracy, effort, words
from alfonsine.report.contents import Contents
from alfonsine.report.drawing import style
from alfonsine.report.html import paragraph, section

SECTIONS = (
    accuracy.outcome,
    accuracy.parameters,
    accuracy.posterior,
    accuracy.effort,
    accuracy.emulator,
    effort.data,
    accuracy.certificate,
    effort.cost,
    effort.calls,
    effort.provenance,
    effort.study,
)


def page(contents: Contents) -> str:
    """The report as HTML. The same contents give the same page, byte for byte."""
    with style():
        sections = [_section(write, contents) for write in SECTIONS]
    title, word = escape(contents.title), escape(words.verdict(contents).word)
    css = resources.files("alfonsine.report").joinpath("style.css").read_text(encoding="utf-8")
    first, *others = sections
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{word}: {title}</title>\n<style>\n{css}</style></head>\n<body>\n"
        f'<header><p class="kind">Report of an emulated posterior</p><h1>{title}</h1></header>\n'
        f"<main>\n{first}\n{_damage(contents)}{chr(10).join(filter(None, others))}\n</main>\n"
        f"<footer>Written by alfonsine {escape(version('alfonsine'))} from the records of the run.</footer>\n"
        "</body></html>\n"
    )


def _section(write: Callable[[Contents], str], contents: Contents) -> str:
    """One section; a figure that cannot be drawn must not cost its reader the verdict and the rest."""
    try:
        return write(contents)
    except Exception as error:
        words = f"This part could not be written ({type(error).__name__}: {error})."
        return section(write.__name__, write.__name__.capitalize(), paragraph(words, "missing"))


def _damage(contents: Contents) -> str:
    """Files that are there and cannot be read are worth a word at the top."""
    return "".join(paragraph(note, "missing") for note in contents.notes.values() if "cannot be read" in note)
