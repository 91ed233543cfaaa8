"""A theory in a file of its own, as a user has one, and three that extend or resemble it."""

import numpy as np

x = np.linspace(0, 1, 12)


def two(p):
    """A decay."""
    return {"signal": p["a"] * np.exp(-p["b"] * x)}


def three(p):
    """The decay, modulated by c: the same where c is zero."""
    return {"signal": two(p)["signal"] * (1 + p["c"] * np.sin(4 * x)) + 0.3 * p["c"] ** 2 * x}


def offset(p):
    """Not the same where c is zero."""
    return {"signal": three(p)["signal"] + 0.05 * x}


def more(p):
    """The decay, and another output."""
    return {"signal": two(p)["signal"], "slope": -p["b"] * two(p)["signal"]}
