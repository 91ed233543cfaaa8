"""Plain YAML: a text in, plain values and the line of every key out.

Only plain values are built (`SafeLoader`); nothing in the text can be executed. Two things differ from plain PyYAML: a
key given twice is an error instead of a silent loss, and `1e-10` is a number, as in Cobaya.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from alfonsine.errors import InputError

Location = tuple[str | int, ...]
MOST = 200_000  # values in a study; a few nested anchors stand for thousands of millions

SAID = {  # by PyYAML, of slips that are common
    "mapping values are not allowed here": "a second colon, or a key deeper than the line above allows",
    "could not find expected ':'": "a line that is neither a key with a colon nor part of a value",
    "expected <block end>, but found '<block mapping start>'": "a line indented more than the one it belongs beside",
    "expected <block end>, but found '-'": "a list entry at the place of a key",
    "expected <block end>, but found '<scalar>'": "text after the end of a value",
    "found unexpected end of stream": "the end of the file inside quotes",
}


class _Loader(yaml.SafeLoader):
    """SafeLoader that reads 1e-10 as a number (YAML 1.1 insists on 1.0e-10)."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d[\d_]*\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def parse(path: Path, file: str, what: str) -> tuple[Any, dict[Location, int], str]:
    """Values of a file, the line of each key, and the text; InputError, in one line, for what is no plain YAML.

    file   how messages name it
    what   one of what it should hold: "study"

    OSError where it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file}: expected text in UTF-8, got byte {error.object[error.start]:#04x} at {error.start}; "
            "save it as UTF-8"
        ) from None
    lines: dict[Location, int] = {}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                _walk(node, (), lines, [], file, iter(range(MOST)))
            data = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise InputError(_explain(error, file, text, what)) from None
    except RecursionError:
        raise InputError(f"{file}: expected plain YAML, got values nested too deeply; write them flat") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file}: expected plain YAML, got values that cannot be read ({error})") from None
    return data, lines, text


def line_of(location: Location, lines: Mapping[Location, int]) -> int | None:
    """The line of the innermost part of `location` that is known."""
    known = (lines[location[:end]] for end in range(len(location), 0, -1) if location[:end] in lines)
    return next(known, None)


def _walk(
    node: yaml.Node,
    location: Location,
    lines: dict[Location, int],
    above: list[yaml.Node],
    file: str,
    left: Iterator[int],
) -> None:
    """Note the line of every key; refuse keys given twice, keys that are not text, loops and floods of anchors."""
    if next(left, None) is None:
        raise InputError(
            f"{file}:{node.start_mark.line + 1}: expected at most {MOST} values, got more; do not nest anchors (*name)"
        )
    if any(node is parent for parent in above):
        raise InputError(
            f"{file}:{node.start_mark.line + 1}: expected plain values, got an anchor inside itself; remove *name"
        )
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{file}:{line}: expected a word as key, got a list or mapping")
            if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                raise InputError(
                    f"{file}:{line}: expected a word as key, got {key.value}; put it in quotes: '{key.value}'"
                )
            if key.value in seen:
                raise InputError(
                    f"{file}:{line}: expected each key once, got '{key.value}' again (first on line "
                    f"{seen[key.value]}); remove one"
                )
            seen[key.value] = line
            lines.setdefault((*location, key.value), line)
            _walk(value, (*location, key.value), lines, [*above, node], file, left)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            lines.setdefault((*location, position), value.start_mark.line + 1)
            _walk(value, (*location, position), lines, [*above, node], file, left)


def _explain(error: yaml.YAMLError, file: str, text: str, what: str) -> str:
    """Say in one line what PyYAML says in several."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        letter = f"U+{ord(text[error.position]):04X}" if error.position < len(text) else "an unknown one"
        return f"{file}:{line}: expected printable characters, got {letter}; remove it, or write the file again"
    mark = getattr(error, "problem_mark", None)
    where = f"{file}:{mark.line + 1}" if mark else file
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "'\\t'" in problem:
        return f"{where}: expected spaces, got a tab; indent with spaces"
    if "could not determine a constructor" in problem:
        return f"{where}: expected plain values, got a tag ('!...'); remove the tag"
    if "expected a single document" in str(error):
        return f"{where}: expected one {what}, got a second document after '---'; use one file for each"
    told = next((words for said, words in SAID.items() if said in problem), f"something else ({problem})")
    return f"{where}: expected YAML, got {told}; check indentation, colons and quotes"
