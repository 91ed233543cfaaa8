"""What the generated pages share: a directive without content whose Markdown is written when the site is built."""

from collections.abc import Callable, Sequence
from inspect import signature

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def writes(text_of: Callable[..., str]) -> type[SphinxDirective]:
    """A directive that puts what `text_of` returns, Markdown with headings, in its own place."""

    class Written(SphinxDirective):
        required_arguments = len(signature(text_of).parameters)
        has_content = False

        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes(text_of(*self.arguments), allow_section_headings=True)

    return Written


def definitions(entries: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A list of definitions: each a term, and the paragraphs that say what it is."""
    return "\n\n".join(
        "\n".join([term, *(f"{':' if i == 0 else ' '} {paragraph}\n" for i, paragraph in enumerate(paragraphs))])
        for term, paragraphs in entries
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
