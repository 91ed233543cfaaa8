"""Docstrings of this project as pages: aligned lists of fields, and plain notation, are made what Sphinx expects.

    kl       limit on the divergence          becomes a list of definitions; a line that is indented further than the
    shift    limit on the shift                names goes on with the entry before it.

Letters that mean something else to Sphinx (`|l|`, `f_`, `*`) are kept as they stand.
"""

import re
from typing import Any

from sphinx.application import Sphinx

# Names are words, or several with commas; two spaces or more, then what they are.
ENTRY = re.compile(r"^(?P<names>[\w\"':.]+(?:(?:, | to )[\w\"':.]+)*) {2,}(?P<what>\S.*)$")
ROLE_OR_CODE = re.compile(r"(:[\w:]+:`[^`]*`|``[^`]*``|`[^`]*`)")


def entries(lines: list[str]) -> list[tuple[str, str]] | None:
    """Names and texts of a paragraph that is an aligned list; None where it is none."""
    found: list[tuple[str, str]] = []
    for line in lines:
        match = ENTRY.match(line)
        if match:
            found.append((match["names"], match["what"]))
        elif found and line.startswith("    "):
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        else:
            return None
    return found or None


def paragraphs(lines: list[str]) -> list[list[str]]:
    """Lines between empty ones."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [part for part in found if part]


def escaped(text: str) -> str:
    """Plain text as reStructuredText that shows it; names in single quotes of code are code."""
    parts = ROLE_OR_CODE.split(text)
    for i, part in enumerate(parts):
        if i % 2 == 0:
            part = part.replace("\\", "\\\\") if "\\" in part else part
            parts[i] = re.sub(r"([*|])|(?<=\w)(_)(?!\w)", lambda match: "\\" + match[0], part)
        elif part.startswith("`") and not part.startswith("``"):
            parts[i] = f"`{part}`"
    return "".join(parts)


def converted(lines: list[str]) -> list[str]:
    """Lines of a docstring as lines of reStructuredText."""
    found: list[str] = []
    in_directive = False
    for part in paragraphs(lines):
        indented = all(line.startswith(" ") for line in part)
        starts = part[0].startswith(".. ")
        listed = None if starts or indented else entries(part)
        if listed is not None:
            for names, what in listed:
                code = ", ".join(f"``{name}``" for name in names.split(", "))
                found += [code, f"    {escaped(what)}"]
        elif starts or (in_directive and indented):
            found += part
        elif indented:  # what is set off by its indentation is to be shown as it stands
            found += ["::", "", *(f"    {line}" for line in part)]
        elif part[0].startswith(("- ", "| ")):
            found += [line if part[0].startswith("| ") else escaped(line) for line in part]
        elif any(line.startswith(".. math::") for line in part):  # a formula ends the paragraph before it
            at = next(i for i, line in enumerate(part) if line.startswith(".. math::"))
            found += [*(escaped(line) for line in part[:at]), "", *part[at:]]
            starts = True
        else:
            found += [escaped(line) for line in part]
        in_directive = starts or (in_directive and indented)
        found.append("")
    return found


def process(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Sphinx's hook: change the lines in place."""
    lines[:] = converted(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Hear of every docstring."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
