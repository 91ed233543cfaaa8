"""One relevance per monomial: a sparse truth that is found, an error that does not flatter, an evidence that grows."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from alfonsine.emulator.around import relevant
from alfonsine.emulator.around.relevant import best_trend, fit_relevant, held_out
from alfonsine.emulator.around.trend import Shrinkage, fit_trend, mean_square, multiplicity
from alfonsine.space.polynomial import degree, monomials, values

D, K = 12, 8
TABLE = monomials(D, 3)  # 455 terms


def sparse_truth(u):
    """Eight components, mixtures of inputs of which every other is bent, by one square, product or cube each."""
    bent = u.copy()
    bent[:, 1::4] += 0.4 * u[:, 0::4] ** 2
    bent[:, 2::4] += 0.3 * u[:, 0::4] * u[:, 3::4]
    bent[:, 3::4] += 0.2 * u[:, 1::4] ** 3
    return bent @ np.random.default_rng(1).normal(size=(D, K))


@pytest.fixture(scope="module")
def models():
    u = np.random.default_rng(2).normal(size=(60, D)) / np.sqrt(2)
    return u, sparse_truth(u)


def started(u):
    return values(u, TABLE), Shrinkage(*relevant.START, np.ones(D)).variance(TABLE, multiplicity(TABLE))


def test_few_of_many_terms_are_found(models):
    """Sixty models, 455 terms, nine of them in use: with one relevance per input this is hopeless."""
    fresh = np.random.default_rng(3).normal(size=(500, D)) / np.sqrt(2)
    expected = sparse_truth(fresh)
    found, plain = (fit(*models, TABLE, np.ones(60)) for fit in (best_trend, fit_trend))
    errors = [mean_square(values(fresh, TABLE) @ t.coefficients - expected, np.ones(500)) for t in (found, plain)]
    assert errors[0] < 1e-3
    assert errors[1] > 100 * errors[0]
    assert np.any(found.coefficients, axis=1).sum() < 0.5 * len(TABLE)


def test_the_error_is_that_on_models_not_seen(models):
    """Within a factor of three of fresh models, never below a third; sizes of 40 to 60, where fits are still poor."""
    fresh = np.random.default_rng(4).normal(size=(500, D)) / np.sqrt(2)
    for n in (40, 60):
        u, components = (x[:n] for x in models)
        found = best_trend(u, components + 0.01 * np.random.default_rng(5).normal(size=(n, K)), TABLE, np.ones(n))
        truth = mean_square(values(fresh, TABLE) @ found.coefficients - sparse_truth(fresh), np.ones(500))
        assert truth / 3 < mean_square(found.residuals, np.ones(n)) < 10 * truth + 3 * K * 0.01**2


def test_each_tenth_is_predicted_by_the_others(models):
    u, components = models
    columns, variance = started(u)
    free, noise, weights = degree(TABLE) > 1, np.full(60, 1e-4), np.ones(60)
    residuals = held_out(columns, components, variance, free, noise, weights)
    changed = components.copy()
    changed[7] += 1.0
    moved = held_out(columns, changed, variance, free, noise, weights) - residuals
    np.testing.assert_allclose(moved[7], 1.0, atol=1e-9)  # a model has no part in its own prediction
    assert np.abs(np.delete(moved, 7, axis=0)).max() > 1e-3


def test_the_models_become_more_probable(models):
    """Log evidence by a dense normal density, before and after."""
    u, components = models
    columns, variance = started(u)
    free, noise = degree(TABLE) > 1, np.full(60, 1e-4)
    target = components / np.sqrt(np.mean(components**2, axis=0))

    def evidence(columns, variance):
        return multivariate_normal.logpdf(target.T, cov=(columns * variance) @ columns.T + np.diag(noise)).sum()

    steps = []
    for count in (1, 3, 10):
        relevant_before, relevant.ITERATIONS = relevant.ITERATIONS, count
        try:
            found = fit_relevant(columns, components, variance, free, noise, np.ones(60))
        finally:
            relevant.ITERATIONS = relevant_before
        steps.append(evidence(columns[:, found.kept], found.variance))
    assert evidence(columns, variance) < steps[0] < steps[1] < steps[2]


def test_one_relevance_per_input_is_kept_where_it_errs_less():
    """All coefficients of a quadratic are alike, and there are models enough."""
    rng = np.random.default_rng(6)
    table = monomials(3, 2)
    u = rng.normal(size=(40, 3))
    components = values(u, table) @ rng.normal(size=(len(table), 2))
    found, plain = (fit(u, components, table, np.ones(40)) for fit in (best_trend, fit_trend))
    np.testing.assert_array_equal(found.coefficients, plain.coefficients)
    np.testing.assert_array_equal(found.residuals, plain.residuals)
