"""The closed form of leave-one-out is that of leaving one out; smooth functions are found to many digits."""

import numpy as np

from alfonsine.emulator.box import series
from alfonsine.emulator.box.chebyshev import values
from alfonsine.emulator.box.series import NOISE, fit_series, groups, solve


def curved(u):
    return np.column_stack([np.exp(u[:, 0] - 0.3 * u[:, 1]), 1.0 / (2.5 + u[:, 1] + 0.2 * u[:, 2])])


def test_leave_one_out_is_what_a_fit_without_the_point_predicts():
    u = np.random.default_rng(1).uniform(-1, 1, (25, 3))
    target = curved(u)
    target += 0.01 * np.random.default_rng(2).standard_normal(target.shape)
    decay = np.array([0.3, 0.3, 0.1])
    found = solve(u, target, decay, 12)
    scale = np.sqrt(np.mean(target**2, axis=0))
    columns = values(u, found.table) * np.exp(found.table @ np.log(decay))
    best = np.full(2, np.inf)
    slow = np.empty_like(target)
    for noise in NOISE * len(u):  # ridge regression, point by point
        errors = np.empty_like(target)
        for i in range(len(u)):
            rest = np.delete(np.arange(len(u)), i)
            left = columns[rest]
            solution = np.linalg.solve(left.T @ left + noise * np.eye(12), left.T @ (target[rest] / scale))
            errors[i] = target[i] - columns[i] @ solution * scale
        size = np.mean((errors / scale) ** 2, axis=0)
        slow[:, size < best] = errors[:, size < best]
        best = np.minimum(best, size)
    np.testing.assert_allclose(found.residuals, slow, atol=1e-6)


def test_points_that_agree_in_some_inputs_are_left_out_together():
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(10), 3)[:-1]  # the last group has lost a member
    u = np.column_stack([rng.uniform(-1, 1, (10, 2))[group], rng.uniform(-1, 1, 29)])
    shuffled = rng.permutation(29)
    u, group = u[shuffled], group[shuffled]
    target = curved(u) + 0.01 * rng.standard_normal((29, 2))
    decay = np.array([0.3, 0.3, 0.1])
    found = solve(u, target, decay, 12, groups(u))
    scale = np.sqrt(np.mean(target**2, axis=0))
    columns = values(u, found.table) * np.exp(found.table @ np.log(decay))
    best, slow = np.full(2, np.inf), np.empty_like(target)
    for noise in NOISE * len(u):
        errors = np.empty_like(target)
        for each in range(10):
            rest, out = group != each, group == each
            solution = np.linalg.solve(
                columns[rest].T @ columns[rest] + noise * np.eye(12), columns[rest].T @ (target[rest] / scale)
            )
            errors[out] = target[out] - columns[out] @ solution * scale
        size = np.mean((errors / scale) ** 2, axis=0)
        slow[:, size < best] = errors[:, size < best]
        best = np.minimum(best, size)
    np.testing.assert_allclose(found.residuals, slow, atol=1e-6)


def test_a_smooth_function_is_found_and_the_forecast_is_honest():
    rng = np.random.default_rng(3)
    u, fresh = rng.uniform(-1, 1, (300, 3)), rng.uniform(-1, 1, (300, 3))
    found = fit_series(u, curved(u))
    error = values(fresh, found.table) @ found.coefficients - curved(fresh)
    assert np.abs(error).max() < 1e-4
    forecast, truth = np.sqrt(np.mean(found.residuals**2)), np.sqrt(np.mean(error**2))
    assert 0.3 < forecast / truth < 3.0
    # the second function bends most in the second input, and neither depends much on the third
    assert found.decay[1] > found.decay[2] and found.decay[0] > found.decay[2]


def test_noise_is_not_learned():
    """Of pure noise nothing can be predicted: the leave-one-out error is the noise, not less."""
    rng = np.random.default_rng(4)
    u, target = rng.uniform(-1, 1, (200, 2)), rng.standard_normal((200, 1))
    found = fit_series(u, target)
    # 200 draws: the variance of the residuals is known to 10 %; five standard errors
    assert 0.5 < np.mean(found.residuals**2) < 1.5
    prediction = values(rng.uniform(-1, 1, (200, 2)), found.table) @ found.coefficients
    assert np.mean(prediction**2) < 0.3


def test_decays_found_with_few_terms_serve_many(monkeypatch):
    """The same function, its decays found with all terms and with a third of them."""
    rng = np.random.default_rng(6)
    u = rng.uniform(-1, 1, (400, 3))
    target = np.exp(np.sin(2 * u[:, :1]) + 0.3 * u[:, 1:2] * u[:, 2:])
    every = fit_series(u, target, 180)
    monkeypatch.setattr(series, "SEARCHED", 60)
    some = fit_series(u, target, 180)
    assert len(every.table) == len(some.table) == 180
    assert np.mean(some.residuals**2) < 1.5**2 * np.mean(every.residuals**2)
