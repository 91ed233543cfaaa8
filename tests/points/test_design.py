"""First points: where they lie and what they determine."""

import numpy as np
import pytest
from scipy.stats import kstest, qmc

from alfonsine.errors import InputError
from alfonsine.points.design import nested, space_filling, steps, towards_edges

INF = np.inf
CASES = {
    "middle": ([0.0, 1.0], [0.1, 0.2], [-1.0, 0.0], [1.0, 2.0]),
    "unbounded": ([0.0, 1.0], [0.1, 0.2], [-INF, -INF], [INF, INF]),
    "half-bounded": ([0.01, 1.0], [0.1, 0.2], [0.0, -INF], [INF, 1.05]),
    "at the upper edge": ([1.0, 2.0], [0.1, 0.2], [-1.0, 0.0], [1.0, 2.0]),
    "at the lower edge": ([-1.0, 0.0], [0.1, 0.2], [-1.0, 0.0], [1.0, 2.0]),
    "near both edges": ([0.0, 1.0], [50.0, 0.2], [-1e-3, 0.999], [2e-3, 1.0005]),
    "six": ([0.022, 0.12, 1.04, 3.05, 0.965, 0.06], [2e-4, 2e-3, 4e-4, 2e-2, 4e-3, 9e-3], [0.0] * 6, [9.0] * 6),
}


@pytest.mark.parametrize("case", CASES)
def test_steps_stay_inside_and_determine_a_linear_model(case):
    reference, step, lower, upper = (np.array(x, dtype=float) for x in CASES[case])
    d = len(reference)
    points = steps(reference, step, lower, upper)
    assert points.shape == (d + 1, d)
    assert (points >= lower).all() and (points <= upper).all()
    np.testing.assert_array_equal(points[0], reference)
    np.testing.assert_array_equal(
        points[1:][~np.eye(d, dtype=bool)], np.tile(reference, (d, 1))[~np.eye(d, dtype=bool)]
    )
    # a linear truth follows from its values at these points
    slopes = np.arange(1.0, d + 1) / step
    solved = np.linalg.solve(np.column_stack([np.ones(d + 1), (points - reference) / step]), points @ slopes)
    np.testing.assert_allclose(solved[1:], slopes * step, rtol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_steps_are_no_longer_than_asked_and_end_half_way_to_an_edge(case):
    reference, step, lower, upper = (np.array(x, dtype=float) for x in CASES[case])
    moved = np.diag(steps(reference, step, lower, upper)[1:] - reference)
    edge = np.where(moved > 0, upper - reference, reference - lower)
    assert (np.abs(moved) <= step + 1e-12).all() and (np.abs(moved) <= edge / 2 + 1e-12).all()
    roomy = (upper - reference >= 2 * step) & (moved != 0)
    np.testing.assert_allclose(moved[roomy], step[roomy])
    # where neither side has room for the step, the roomier side is taken
    tight = (upper - reference < 2 * step) & (reference - lower < 2 * step)
    np.testing.assert_array_less(
        np.minimum(upper - reference, reference - lower)[tight] / 2 - 1e-12, np.abs(moved)[tight]
    )


@pytest.mark.parametrize(("n", "d"), [(1, 1), (7, 2), (40, 6)])
def test_a_latin_hypercube_has_one_point_in_every_stratum(n, d):
    points = space_filling("latin_hypercube", n, d, seed=3)
    assert points.shape == (n, d)
    for column in points.T:
        assert sorted((column * n).astype(int)) == list(range(n))


@pytest.mark.parametrize("n", [16, 64])
def test_a_sobol_sequence_fills_every_dyadic_interval_once(n):
    points = space_filling("sobol", n, 3, seed=4)
    for column in points.T:
        assert sorted((column * n).astype(int)) == list(range(n))


@pytest.mark.parametrize("n", [1, 2, 3, 50, 64])
def test_sobol_gives_any_number_of_points(n):
    points = space_filling("sobol", n, 4, seed=5)
    assert points.shape == (n, 4) and (points >= 0).all() and (points < 1).all()


@pytest.mark.parametrize(
    ("kind", "n", "factor"), [("sobol", 64, 0.3), ("sobol", 50, 0.5), ("latin_hypercube", 64, 0.8)]
)
def test_space_is_filled_more_evenly_than_at_random(kind, n, factor):
    """Against the median centred discrepancy of 50 random designs; holds for each of 20 seeds tried."""
    random = np.random.default_rng(6).random((50, n, 3))
    expected = np.median([qmc.discrepancy(points) for points in random])
    assert qmc.discrepancy(space_filling(kind, n, 3, seed=7)) < factor * expected


@pytest.mark.parametrize("dimension", [1, 3, 8])
def test_a_hypersphere_is_filled_uniformly(dimension):
    """Of a uniform ball, radius to the power d is uniform, and no direction is preferred.

    Kolmogorov-Smirnov at a false-alarm rate of 1e-3 for the radius, and five standard errors for the mean: the
    variance of a coordinate in the unit ball is 1/(d + 2).
    """
    points = 2.0 * space_filling("hypersphere", 2000, dimension, seed=8) - 1.0
    radius = np.linalg.norm(points, axis=1)
    assert radius.max() <= 1.0
    assert kstest(radius**dimension, "uniform").pvalue > 1e-3
    assert np.abs(points.mean(axis=0)).max() < 5.0 / np.sqrt(2000 * (dimension + 2))


@pytest.mark.parametrize("kind", ["latin_hypercube", "sobol", "hypersphere"])
def test_the_seed_decides(kind):
    one, same, other = (space_filling(kind, 9, 2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_an_unknown_design_is_named():
    with pytest.raises(InputError, match="latin_hypercube, sobol, hypersphere, got 'grid'"):
        space_filling("grid", 4, 2, 0)


@pytest.mark.parametrize("kind", ["latin_hypercube", "sobol"])
def test_nested_points_share_the_dear_inputs_and_nothing_else(kind):
    n, solutions = 60, 20
    cheap = [True, False, False, True]
    points = nested(kind, n, solutions, cheap, seed=6)
    assert points.shape == (n, 4) and (points >= 0).all() and (points < 1).all()
    groups = points[:, 1:3].reshape(solutions, 3, 2)  # members follow each other
    assert (groups == groups[:, :1]).all()
    assert len(np.unique(groups[:, 0], axis=0)) == solutions
    for column in (0, 3):
        assert len(np.unique(points[:, column])) == n
    if kind == "latin_hypercube":
        for column, number in ((0, n), (3, n), (1, solutions), (2, solutions)):
            assert (np.unique(np.floor(points[:, column] * number)) == np.arange(number)).all()
    # cheap inputs do not follow the groups: 60 draws have a correlation of 0.13; four standard errors
    correlation = np.corrcoef(points.T)[np.ix_([0, 3], [1, 2])]
    assert np.abs(correlation).max() < 0.52


def test_what_does_not_divide_and_what_is_no_cube():
    points = nested("sobol", 7, 3, [False, True], seed=1)
    assert np.unique(points[:, 0], return_counts=True)[1].tolist() in ([2, 2, 3], [2, 3, 2], [3, 2, 2])
    with pytest.raises(InputError, match="latin_hypercube or sobol with shared solutions, got hypersphere"):
        nested("hypersphere", 6, 3, [False, True], seed=1)


def test_towards_the_edges_the_density_is_that_of_chebyshev_extrema():
    """Against the distribution function of the arcsine law; an even design has no point far from its place in it."""
    even = space_filling("latin_hypercube", 400, 2, seed=3)
    points = towards_edges(even)
    assert ((points >= 0) & (points <= 1)).all()
    for column in points.T:
        law = 2 / np.pi * np.arcsin(np.sqrt(np.sort(column)))
        assert np.abs(law - (np.arange(400) + 0.5) / 400).max() <= 0.5 / 400 + 1e-9  # one point in each slice
    np.testing.assert_allclose(towards_edges(np.array([[0.0, 0.5, 1.0]])), [[0.0, 0.5, 1.0]], atol=1e-15)
