"""Turn what pydantic found wrong into one line: where, what was expected, what came, what to try.

What a field expects is read from its type and limits, so that no message is written, or goes stale, by hand.
"""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from alfonsine.errors import InputError, nearest
from alfonsine.plain_yaml import Location
from alfonsine.space.expression import Expression
from alfonsine.study.read import Source


def explain(error: ValidationError, model: type[BaseModel], source: Source) -> InputError:
    """Explain the first thing that is wrong; an unknown key first of all, for it often causes the rest."""
    found = error.errors(include_url=False)
    first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
    location, kind, value = first["loc"], first["type"], first["input"]
    if kind == "extra_forbidden":
        known = _owner(model, location).model_fields
        message = f"unknown key '{location[-1]}'; {nearest(str(location[-1]), known)}"
        return source.error(location[:-1], message, line_of=location)
    field, location = _field(model, location)
    advice = _advice(field)
    if kind == "literal_error" and isinstance(value, str):
        choices = [str(choice) for choice in get_args(_bare(field.annotation)) if isinstance(choice, str)]
        advice = f"; {close}" if "did you mean" in (close := nearest(value, choices)) else advice
    if kind == "missing":
        return source.error(location[:-1], f"expected '{location[-1]}', got none{advice}")
    if kind == "value_error":
        return source.error(location, str(first["ctx"]["error"]))
    return source.error(location, f"expected {_expected(field)}, got {_shown(value)}{advice}")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The settings blocks inside an annotation such as `Annotated[Block | None, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Annotated, Union, types.UnionType):
        for part in get_args(annotation):
            yield from _models(part)


def _owner(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """The block that refused the last part of `location`."""
    return next(_models(_field(model, location[:-1])[0].annotation), model) if len(location) > 1 else model


def _field(model: type[BaseModel], location: Location) -> tuple[FieldInfo, Location]:
    """The innermost field that `location` leads to, and the part of `location` that names it.

    What pydantic appends to tell the members of a union apart is cut off.
    """
    field, reached = FieldInfo(annotation=model), 0
    while reached < len(location):
        annotation, part = field.annotation, location[reached]
        block = next(_models(annotation), None)
        if block is not None and part in block.model_fields:
            field = block.model_fields[part]
        elif get_origin(_bare(annotation)) is dict:
            field = FieldInfo.from_annotation(get_args(_bare(annotation))[1])
        elif isinstance(part, int) and (entries := _listed(annotation)) is not None:
            field = FieldInfo.from_annotation(entries)
        else:
            break
        reached += 1
    return field, location[:reached]


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _listed(annotation: Any) -> Any:
    """What a list holds; None where the annotation is of no list. `tuple[Block, ...] | None` is one."""
    bare = _bare(annotation)
    parts = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,)
    return next((get_args(_bare(part))[0] for part in parts if get_origin(_bare(part)) is tuple), None)


def _advice(field: FieldInfo) -> str:
    if field.examples:
        return f"; try {field.examples[0]}"
    if isinstance(field.default, bool):
        return f"; try {str(field.default).lower()}"
    return f"; try {field.default}" if isinstance(field.default, int | float | str) else ""


def _expected(field: FieldInfo) -> str:
    return _words(field.annotation, field.metadata)


def _words(annotation: Any, metadata: list[Any]) -> str:
    """Say in words what a type with limits allows."""
    if annotation is float or annotation is int:
        return _range("a whole number" if annotation is int else "a number", metadata)
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return f"a mapping ({', '.join(annotation.model_fields)})"
        form = any(getattr(m, "pattern", None) for m in metadata)
        names = {
            bool: "true or false",
            str: "text of another form" if form else "text",
            Expression: "'lambda names: expression'",
        }
        return names.get(annotation, annotation.__name__)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = [limit for m in parts[1:] for limit in (m.metadata if isinstance(m, FieldInfo) else [m])]
        return _words(parts[0], limits)
    if origin is Literal:
        return " or ".join(map(str, parts)) if len(parts) < 3 else f"one of {', '.join(map(str, parts))}"
    if origin in (Union, types.UnionType):
        return " or ".join(_words(p, metadata) for p in parts if p is not type(None))
    if origin is dict:
        return "a mapping with at least one entry" if any(hasattr(m, "min_length") for m in metadata) else "a mapping"
    return "a list" if origin is tuple else str(annotation)


def _range(noun: str, metadata: list[Any]) -> str:
    limits = {name: getattr(m, name) for m in metadata for name in ("gt", "ge", "lt", "le") if hasattr(m, name)}
    if limits.get("gt") == 0:
        noun, limits = noun.replace("a ", "a positive ", 1), {k: v for k, v in limits.items() if k != "gt"}
    if limits.keys() == {"ge", "le"}:
        return f"{noun} from {limits['ge']} to {limits['le']}"
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    ranges = " and ".join(f"{words[k]} {v}" for k, v in limits.items())
    return f"{noun} {ranges}".strip()


def _shown(value: Any) -> str:
    """The value as it stands in the file, shortened."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list() | tuple():
            return "a list"
    return str(value)
