"""Read a `.param` file of CONNECT, which is a Python module, without executing it.

Its syntax tree is walked. Known are assignments of numbers, words, True, False, None, lists, tables, arithmetic on
numbers, and names that were assigned above. Everything else ends the reading, with the number of its line.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from alfonsine.errors import InputError

LARGEST = 1_000_000  # bytes
HIGHEST = 400  # exponents: beyond, nothing is a float
ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


class Assigned(NamedTuple):
    """A value and the line that it stands on."""

    value: Any
    line: int


def read_values(path: Path) -> dict[str, Assigned]:
    """Name -> value of every assignment; InputError, `file:line: ...`, for anything that is not plain."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: expected a parameter file of CONNECT, found none; check the path") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a parameter file of CONNECT, got a folder; name a file in it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if len(content) > LARGEST:
        raise InputError(f"{path.name}: expected a parameter file, got {len(content)} bytes")
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        raise InputError(
            f"{path.name}:{error.lineno or 1}: expected Python, got something else ({error.msg})"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise InputError(f"{path.name}: expected Python, got something that cannot be parsed") from None
    found: dict[str, Assigned] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = Assigned(_value(value, found, path.name), statement.lineno)
            case ast.Expr(value=ast.Constant(value=str())):
                pass  # a docstring
            case _:
                raise _refused(statement, path.name)
    return found


def _value(node: ast.expr, known: Mapping[str, Assigned], file: str, depth: int = 0) -> Any:
    """One value; the branches below are the whole language."""
    if depth > 50:
        raise _refused(node, file)

    def inner(part: ast.expr) -> Any:
        return _value(part, known, file, depth + 1)

    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return value
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [inner(part) for part in parts]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            table = {}
            for key, value in zip(keys, values, strict=True):
                name = inner(key)
                if not isinstance(name, str):
                    raise _refused(key, file)
                table[name] = inner(value)
            return table
        case ast.Name(id=name) if name in known:
            return known[name].value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _number(inner(operand), operand, file)
            return -number if isinstance(sign, ast.USub) else number
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in ARITHMETIC:
            return _computed(
                operation, _number(inner(left), left, file), _number(inner(right), right, file), node, file
            )
    raise _refused(node, file)


def _computed(operation: ast.operator, a: float, b: float, node: ast.expr, file: str) -> float:
    if isinstance(operation, ast.Pow) and (abs(b) > HIGHEST or abs(a) > 1e300):
        raise _refused(node, file)
    try:
        value = ARITHMETIC[type(operation)](a, b)
        return _number(value, node, file)
    except ArithmeticError:
        raise _refused(node, file) from None


def _number(value: Any, node: ast.expr, file: str) -> float:
    small = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308
    if not small:
        raise _refused(node, file)
    return value


def _refused(node: ast.stmt | ast.expr, file: str) -> InputError:
    try:
        text = " ".join(ast.unparse(node).split())[:60]
    except RecursionError:
        text = type(node).__name__
    return InputError(
        f"{file}:{node.lineno}: expected a plain value (numbers, words, lists, tables, arithmetic), got {text!a}; "
        "the file is read and never executed: write the value itself"
    )
