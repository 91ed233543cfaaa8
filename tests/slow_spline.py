"""A cubic spline the slow way: its conditions written out as one linear system for the coefficients of all pieces."""

import numpy as np


def end_slope(x, y):
    """Slope in x[0] of the parabola through three points, from its three coefficients."""
    return np.polyval(np.polyder(np.polyfit(x - x[0], y, 2)), 0.0)


def slow_spline(x, y, at):
    """Values at `at` of the spline through (x, y) whose end slopes are those of the outermost parabolas.

    Piece i is a + b u + c u^2 + d u^3 with u = t - x[i].
    """
    n = len(x) - 1
    rows, right = [], []

    def condition(value, *terms):
        row = np.zeros(4 * n)
        for piece, weights in terms:
            row[4 * piece : 4 * piece + 4] += weights
        rows.append(row)
        right.append(value)

    for i, h in enumerate(np.diff(x)):
        condition(y[i], (i, [1, 0, 0, 0]))
        condition(y[i + 1], (i, [1, h, h**2, h**3]))
        if i < n - 1:
            condition(0.0, (i, [0, 1, 2 * h, 3 * h**2]), (i + 1, [0, -1, 0, 0]))
            condition(0.0, (i, [0, 0, 2, 6 * h]), (i + 1, [0, 0, -2, 0]))
    h = x[-1] - x[-2]
    condition(end_slope(x[:3], y[:3]), (0, [0, 1, 0, 0]))
    condition(end_slope(x[:-4:-1], y[:-4:-1]), (n - 1, [0, 1, 2 * h, 3 * h**2]))
    pieces = np.linalg.solve(np.array(rows), np.array(right)).reshape(n, 4)
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, n - 1)
    return np.sum(pieces[piece] * (at - x[piece])[:, None] ** np.arange(4), axis=1)
