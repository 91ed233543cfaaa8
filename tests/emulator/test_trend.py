"""Leave-one-out against literally leaving one out; order and relevance against problems whose answer is known."""

import numpy as np
import pytest

from alfonsine.emulator.around import trend
from alfonsine.emulator.around.trend import Shrinkage, fit_trend, gram, multiplicity, solve
from alfonsine.space.polynomial import degree, monomials, values


def problem(n, d=2, order=3, seed=0, k=2):
    """Columns, target, prior variances and noise of a fit with unequal weights."""
    rng = np.random.default_rng(seed)
    table = monomials(d, order)
    u = rng.normal(size=(n, d))
    columns = values(u, table)
    target = columns @ rng.normal(size=(len(table), k)) + 0.1 * rng.normal(size=(n, k))
    variance = Shrinkage(0.3, 0.2, np.linspace(0.5, 1.5, d)).variance(table, multiplicity(table))
    return columns, target, variance, 1e-3 / rng.uniform(0.1, 1.0, n)


def ridge(columns, target, variance, noise):
    """The penalised least-squares solution as one stacked problem, solved by an orthogonal factorisation."""
    rows = np.vstack([columns / np.sqrt(noise)[:, None], np.diag(1 / np.sqrt(variance))])
    right = np.vstack([target / np.sqrt(noise)[:, None], np.zeros((len(variance), target.shape[1]))])
    return np.linalg.lstsq(rows, right, rcond=None)[0]


@pytest.mark.parametrize("n", [3, 9, 10, 11, 30], ids="{} of 10 terms".format)
def test_coefficients_minimise_the_penalised_misfit(n):
    columns, target, variance, noise = problem(n)
    np.testing.assert_allclose(
        solve(columns, target, variance, noise)[0], ridge(columns, target, variance, noise), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("n", [3, 9, 10, 11, 30], ids="{} of 10 terms".format)
def test_residuals_are_those_of_refitting_without_the_point(n):
    columns, target, variance, noise = problem(n)
    _, residuals = solve(columns, target, variance, noise)
    for i in range(n):
        rest = np.arange(n) != i
        refitted = ridge(columns[rest], target[rest], variance, noise[rest])
        np.testing.assert_allclose(residuals[i], target[i] - columns[i] @ refitted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n", [8, 25])
def test_both_systems_give_the_same_answer(n):
    """Columns without influence move a problem from one system to the other and change nothing."""
    columns, target, variance, noise = problem(n)
    idle = np.hstack([columns, np.zeros((n, 40))])
    primal_or_dual = solve(columns, target, variance, noise)
    dual = solve(idle, target, np.concatenate([variance, np.ones(40)]), noise)
    assert n <= idle.shape[1]
    np.testing.assert_allclose(primal_or_dual[0], dual[0][:10], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(primal_or_dual[1], dual[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n", [25, 60], ids=["as many points as terms and a few", "three times the terms"])
def test_a_cubic_is_recovered(n):
    rng = np.random.default_rng(3)
    table = monomials(3, 3)
    truth = rng.normal(size=(len(table), 2))
    u, fresh = rng.normal(size=(n, 3)), rng.normal(size=(200, 3))
    found = fit_trend(u, values(u, table) @ truth, table, np.ones(n)).coefficients
    expected = values(fresh, table) @ truth
    np.testing.assert_allclose(values(fresh, table) @ found, expected, atol=1e-6 * np.std(expected))


def test_the_input_that_bends_is_found():
    """Four inputs, 25 points for 35 terms: only if the third is found to bend alone can the rest be predicted."""
    rng = np.random.default_rng(4)
    table = monomials(4, 3)

    def truth(u):
        return (u @ [1.0, -2.0, 0.5, 3.0] + 0.4 * u[:, 2] ** 2 - 0.2 * u[:, 2] ** 3)[:, None]

    u, fresh = rng.normal(size=(25, 4)), rng.normal(size=(300, 4))
    found = fit_trend(u, truth(u), table, np.ones(25))
    others = np.delete(found.shrinkage.relevance, 2)
    assert found.shrinkage.relevance[2] > 2 * others.max()
    plain = solve(
        values(u, table),
        truth(u),
        found.shrinkage._replace(relevance=np.ones(4)).variance(table, multiplicity(table)),
        np.full(25, trend.NOISE),
    )[0]
    errors = [np.sqrt(np.mean((values(fresh, table) @ c - truth(fresh)) ** 2)) for c in (found.coefficients, plain)]
    assert errors[0] < 0.1 * errors[1]


def test_a_linear_truth_keeps_no_curvature():
    rng = np.random.default_rng(5)
    table = monomials(3, 3)
    u = rng.normal(size=(18, 3))
    target = u @ rng.normal(size=(3, 2)) + 0.05 * rng.normal(size=(18, 2))
    found = fit_trend(u, target, table, np.ones(18))
    linear = solve(values(u, table)[:, :4], target, np.full(4, trend.LINEAR), np.full(18, trend.NOISE))[0]
    assert found.shrinkage.strength < 1e-3
    np.testing.assert_allclose(found.coefficients[:4], linear, atol=0.05)
    assert np.abs(found.coefficients[4:]).max() < 0.05


def test_too_few_points_make_a_linear_model():
    """With d + 2 points nothing can be left out with profit, so nothing is chosen."""
    rng = np.random.default_rng(6)
    table = monomials(3, 3)
    u = rng.normal(size=(5, 3))
    found = fit_trend(u, np.sum(u**2, axis=1, keepdims=True), table, np.ones(5))
    assert found.shrinkage.strength == 0.0
    assert np.abs(found.coefficients[degree(table) >= 2]).max() < 1e-6


def test_a_point_without_weight_does_not_decide():
    rng = np.random.default_rng(7)
    table = monomials(2, 2)
    u = rng.normal(size=(20, 2))
    target = (u @ [1.0, 2.0])[:, None]
    target[0] += 5.0
    weights = np.ones(20)
    weights[0] = 1e-9
    found = fit_trend(u, target, table, weights)
    np.testing.assert_allclose(found.coefficients[1:3, 0], [1.0, 2.0], atol=1e-4)
    assert found.residuals[0, 0] == pytest.approx(5.0, rel=1e-3)


def test_units_of_a_component_do_not_matter():
    """The error is summed over components as they come, but each is fitted in its own unit."""
    rng = np.random.default_rng(8)
    table = monomials(2, 3)
    u = rng.normal(size=(30, 2))
    target = np.sin(u @ [1.0, 0.5])[:, None]
    one, other = (fit_trend(u, factor * target, table, np.ones(30)) for factor in (1.0, 1e-5))
    np.testing.assert_allclose(other.coefficients, 1e-5 * one.coefficients, rtol=1e-9)
    np.testing.assert_allclose(other.residuals, 1e-5 * one.residuals, rtol=1e-9)


@pytest.mark.parametrize("g", [0, 1, 2, 3])
def test_multinomial_factors_make_powers_of_the_dot_product(g):
    """sum_j m_j u^j v^j over the monomials of degree g is (u . v)^g."""
    table = monomials(4, 3)
    u, v = np.random.default_rng(2).normal(size=(2, 1, 4))
    terms = (multiplicity(table) * values(u, table)[0] * values(v, table)[0])[degree(table) == g]
    assert terms.sum() == pytest.approx(float(u[0] @ v[0]) ** g, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_no_monomial_is_needed_for_their_covariance(order):
    """A V A^T in closed form against the product of tables."""
    u = np.random.default_rng(3).normal(size=(7, 5))
    table = monomials(5, order)
    shrinkage = Shrinkage(0.3, 0.2, np.linspace(0.0, 2.0, 5))
    columns = values(u, table)
    expected = (columns * shrinkage.variance(table, multiplicity(table))) @ columns.T
    np.testing.assert_allclose(gram(u, shrinkage, order), expected, rtol=1e-9)
