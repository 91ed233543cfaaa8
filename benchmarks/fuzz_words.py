"""What is put in the place of words and values."""

from typing import Any

import numpy as np

Random = np.random.Generator

WORDS = (
    "nan", "inf", "-inf", "NaN", ".nan", ".inf", "-.inf", "1e400", "-1e400", "1e308", "1e-400", "0", "-0.0", "-1",
    "1", "2", "0.5", "1e5", "9999999999999999999999", "9223372036854775808", "4294967296", "0x1F", "0o17", "1_000",
    "12:30:45", "1,5", "1.5.2", "--3", "1e", "+", "-", "~", "null", "true", "no", "''", "\"\"", "[]", "{}",
    "[1, 2]", "{a: 1}", "[[[[[[1]]]]]]", "!", "&a", "*a", "*b", "<<", "%", "@", "`", "|", ">", "? x", ": ", "#",
    "---", "...", "2026-01-31", "word", "é", "数", "🂡", "\u202e", "\u2028", "\u0085", "\xa0", "\x00", "\x07",
    "\x1b[31m", "\ufeff", "\ud7ff", "\\", "\\n", "'", "\"", "lambda", "lambda x: x", "lambda: 1",
    "lambda x: __import__('os')", "'lambda x: 1/0'", "'lambda x, x: x'", "'lambda x: x**x**x**9999'",
    "../../etc/passwd", "/", ".", "..", "~/x", "/dev/null", "x" * 5000, "9" * 5000, "[" * 300, "{" * 300, "(" * 300,
    "a." * 400, "!!python/object/apply:os.system ['true']", "!!python/object:builtins.object {}", "!!binary aGk=",
    "!!set {a}", "!!timestamp 2026-01-31", "!!float x", "!!int x", "!!str 5",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.5, 1e308, 1e-308, float("nan"), float("inf"), 10**30, -(10**30), "",
    " ", "x", "é数", "a\nb", "a\tb", "\x1b[2J", "x" * 3000, "1", "nan", [], {}, [None], [1], [1, 2], [1, 2, 3],
    [[1]], [[1, 2], [3]], {"a": 1}, {"min": 1}, {"": ""}, {"min": 0, "max": 1}, {"file": "x"}, {"run": "x"},
    {"run": "."}, [{"run": "."}], "lambda x: x", "lambda y: y", "lambda: 0", "lambda x: z", "os:system",
    "module:function", ".", "..", "/", "/dev/null", "/dev/zero", "x.txt", "x.npz", [float("nan")], ["a", "b"],
    [True], [[]], [{}], 10**6, 10**9,
)  # fmt: skip


def pick(rng: Random, choices: Any) -> Any:
    """One of the choices."""
    return choices[int(rng.integers(len(choices)))]
