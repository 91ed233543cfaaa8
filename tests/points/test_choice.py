"""The greedy choice against the definition: a dense predictive variance, computed anew for every candidate."""

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.points.learn import NOISE, choose

LAMBDA = np.array([1e2] * 3 + [0.1] * 3 + [0.02] * 4) ** 2  # prior variances by degree, as documented


def features(points):
    x, y = points.T
    return np.column_stack([x**0, x, y, x**2, x * y, y**2, x**3, x**2 * y, x * y**2, y**3])


def mean_variance(computed, posterior):
    r"""Mean over the posterior of phi^T (Phi^T Phi / delta^2 + Lambda^-1)^-1 phi, as one dense inverse."""
    design = features(computed)
    covariance = np.linalg.inv(design.T @ design / NOISE**2 + np.diag(1 / LAMBDA))
    goal = features(posterior)
    return np.mean(np.einsum("pi,ij,pj->p", goal, covariance, goal))


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    known = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return 1.5 * rng.normal(size=(40, 2)), known, rng.multivariate_normal([0.5, 0], [[1, 0.8], [0.8, 1]], 200)


def test_each_choice_lowers_the_mean_variance_most(scene):
    candidates, known, posterior = scene
    chosen = choose(candidates, known, posterior, 8)
    for index in chosen:
        each = [mean_variance(np.vstack([known, point]), posterior) for point in candidates]
        assert each[index] == pytest.approx(min(each), rel=1e-6)
        known = np.vstack([known, candidates[index]])


def test_no_candidate_is_taken_twice(scene):
    """Even if all are wanted, and even if some are equal."""
    candidates, known, posterior = scene
    same = np.repeat(candidates[:4], 3, axis=0)
    assert sorted(choose(same, known, posterior, 12)) == list(range(12))
    assert len(choose(candidates, known, posterior, 0)) == 0


def test_too_few_candidates(scene):
    candidates, known, posterior = scene
    with pytest.raises(InputError, match="at least 41 candidates"):
        choose(candidates, known, posterior, 41)


def test_it_beats_random_draws(scene):
    """Than the best of 200 random sets of eight."""
    candidates, known, posterior = scene
    best = mean_variance(np.vstack([known, candidates[choose(candidates, known, posterior, 8)]]), posterior)
    rng = np.random.default_rng(1)
    random = [
        mean_variance(np.vstack([known, candidates[rng.choice(40, 8, replace=False)]]), posterior) for _ in range(200)
    ]
    assert best < min(random)
    assert best < 0.5 * np.median(random)


def test_points_go_where_the_posterior_is(scene):
    """Two clusters of candidates, equally far from what is known; the posterior lies around one."""
    near, far = np.array([3.0, 0.0]), np.array([-3.0, 0.0])
    rng = np.random.default_rng(2)
    candidates = np.vstack([near + 0.3 * rng.normal(size=(20, 2)), far + 0.3 * rng.normal(size=(20, 2))])
    known = np.vstack([np.zeros(2), np.eye(2), -np.eye(2)])
    chosen = choose(candidates, known, near + 0.3 * rng.normal(size=(100, 2)), 4)
    assert (chosen < 20).all()
