"""A number computed from parameters: `lambda logA: 1e-10*np.exp(logA)`, as in a Cobaya input.

The text is parsed into a syntax tree, the tree is checked node by node against a short list of arithmetic,
and that list is all that can ever be computed from it: text from a file is never executed.
"""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.errors import InputError, nearest

# names of functions of numpy and of jax.numpy; a comparison is 1 where it holds, else 0
OPERATORS: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "true_divide",
    ast.Pow: "power",
    ast.USub: "negative",
    ast.UAdd: "positive",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
FUNCTIONS = ("exp", "log", "log10", "sqrt")
LONGEST = 1000  # characters; a deeper tree would exhaust the parser, and no parameter needs it


@dataclass(frozen=True)
class Expression:
    """An arithmetic expression of named parameters; arrays are computed element by element."""

    text: str
    arguments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """Read `lambda a, b: ...`; InputError for anything but arithmetic, comparisons and exp, log, log10, sqrt."""
        function = _parse(text)
        arguments = tuple(a.arg for a in function.args.args)
        try:
            _evaluate(function.body, dict.fromkeys(arguments, 1.0), text)
        except RecursionError:
            raise InputError("expected a simpler expression, got one nested too deeply") from None
        return cls(text=text, arguments=arguments)

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Evaluate with the arguments taken from `values`; nan or infinity where it is undefined."""
        return _evaluate(_parse(self.text).body, {name: values[name] for name in self.arguments}, self.text)

    def traced(self, values: Mapping[str, Any]) -> Any:
        """The same within compiled code: values may be tracers of JAX."""
        return _evaluate(_parse(self.text).body, {name: values[name] for name in self.arguments}, self.text, jnp)


def in_order(expressions: Mapping[str, Expression], known: Collection[str]) -> dict[str, Expression]:
    """Expressions so that each needs only `known` and what stands before it; those that cannot be had are left out."""
    ordered: dict[str, Expression] = {}
    while True:
        available = {*known, *ordered}
        ready = {n: e for n, e in expressions.items() if n not in ordered and available.issuperset(e.arguments)}
        if not ready:
            return ordered
        ordered |= ready


def _parse(text: str) -> ast.Lambda:
    if len(text) > LONGEST:
        raise InputError(f"expected an expression of at most {LONGEST} characters, got {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(f"expected an expression, got '{text}'; try 'lambda logA: 1e-10*np.exp(logA)'") from None
    if not isinstance(tree, ast.Lambda):
        raise InputError(f"expected 'lambda names: expression', got '{text}'; begin with 'lambda'")
    extra = tree.args
    if extra.defaults or extra.kwonlyargs or extra.vararg or extra.kwarg or extra.posonlyargs:
        raise InputError(f"expected plain parameter names after 'lambda', got '{text}'")
    return tree


def _evaluate(node: ast.AST, values: Mapping[str, Any], text: str, arrays: ModuleType = np) -> Any:
    """Compute one node; the branches below are the whole language."""

    def of(inner: ast.AST) -> Any:
        return _evaluate(inner, values, text, arrays)

    with np.errstate(all="ignore"):  # an undefined value is nan: the point fails, the study goes on
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return np.float64(repr(number))  # by its digits: an integer too long for a float becomes infinite
            case ast.Name(id=name):
                if name not in values:
                    raise InputError(f"unknown name '{name}' in '{text}'; {nearest(name, values)}")
                return arrays.asarray(values[name], dtype=float)[()]
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="pi"):
                return np.float64(np.pi)
            case ast.UnaryOp(op=operator, operand=operand) if type(operator) in OPERATORS:
                return getattr(arrays, OPERATORS[type(operator)])(of(operand))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return getattr(arrays, OPERATORS[type(operator)])(of(left), of(right))
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in OPERATORS:
                return arrays.asarray(getattr(arrays, OPERATORS[type(operator)])(of(left), of(right)), dtype=float)[()]
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name),
                args=[argument],
                keywords=[],
            ) if name in FUNCTIONS:
                return getattr(arrays, name)(of(argument))
    raise InputError(
        f"expected numbers, parameters, + - * / ** < > and np.exp, np.log, np.log10, np.sqrt, "
        f"got '{ast.unparse(node)}' in '{text}'"
    )
