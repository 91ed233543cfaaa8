"""Which groups share their terms, and what that costs, on functions whose coefficients are known."""

import numpy as np
import pytest

from alfonsine.emulator.box.coordinates import best_cube
from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.box.division import divided, still_learning
from alfonsine.emulator.box.families import LOSES, TINY, families
from alfonsine.emulator.box.fit import NEGLIGIBLE, fit_box, worth_keeping
from alfonsine.emulator.box.series import FOR_FREE, fit_series, groups, size
from alfonsine.emulator.models import Models
from alfonsine.theory.output import Axis, Output

LOWER, UPPER = -np.ones(3), np.ones(3)
THETA = np.random.default_rng(1).uniform(-1, 1, (300, 3))


def smooth(theta, shift):
    """Bends a little along every input."""
    return np.exp(0.6 * theta @ np.array([1.0, 0.8, 0.6]) + shift)[:, None] * np.array([1.0, 0.1])


def sharp(theta, shift):
    """Bends along the last input alone, and there much more."""
    return np.cos(5 * theta[:, 2] + shift)[:, None] + 0.05 * theta[:, :1] * np.array([1.0, -1.0])


def centred(components, noise, seed):
    return components - components.mean(axis=0) + noise * np.random.default_rng(seed).normal(size=components.shape)


@pytest.mark.slow
def test_groups_that_bend_alike_share_their_terms_and_others_do_not():
    """With noise, as every exact code has it; the sharp ones are harder to learn, and so come first."""
    components = [smooth(THETA, 0.0), sharp(THETA, 0.2), smooth(THETA, 0.3), sharp(THETA, 1.0)]
    components = [centred(c, 1e-5, seed) for seed, c in enumerate(components)]
    found = families(LOWER, UPPER, THETA, components, [1, 1, 1, 1])
    assert sorted(tuple(sorted(i for i, _ in family.members)) for family in found) == [(0, 2), (1, 3)]
    for family in found:
        for (i, columns), series in zip(family.members, family.series, strict=True):
            assert columns.tolist() == [0, 1]
            alone = fit_series(family.cube.at(THETA), components[i])
            assert size(series.residuals) < 1.2 * LOSES * size(alone.residuals)
            assert series.coefficients.shape == (len(family.series[0].table), 2)


def test_errors_that_do_not_matter_keep_nobody_apart():
    """The same, in units so large that an error of 1e-5 of the spread is nothing."""
    components = [TINY * centred(f(THETA, s), 1e-5, 5) for f, s in ((smooth, 0.0), (sharp, 0.2))]
    (family,) = families(LOWER, UPPER, THETA, components, [100, 100])
    assert sorted(i for i, _ in family.members) == [0, 1]
    assert all(size(series.residuals) < 10 * TINY for series in family.series)


def test_one_group_is_fitted_as_it_is():
    target = centred(smooth(THETA, 0.0), 1e-3, 6)
    (family,) = families(LOWER, UPPER, THETA, [target], [1])
    cube, alone = best_cube(LOWER, UPPER, THETA, target, None)
    ((group, columns),) = family.members
    assert group == 0 and columns.tolist() == [0, 1]
    np.testing.assert_array_equal(family.cube.mix, cube.mix)
    np.testing.assert_array_equal(family.series[0].coefficients, alone.coefficients)


def bends(theta, along):
    return np.tanh(3 * theta[:, along]) + 0.1 * np.exp(theta.sum(axis=1))


def test_components_that_bend_along_different_inputs_are_divided():
    """Without noise more points would help; one set of decays for all would leave a larger error."""
    target = np.column_stack([bends(THETA, 0), 0.1 * bends(THETA, 2)])
    cube = Cube.of(LOWER, UPPER, [False] * 3)
    every = fit_series(cube.at(THETA), target)
    parts = divided(THETA, cube.at(THETA), target, every, None)
    assert [columns.tolist() for columns, _ in parts] == [[0], [1]]
    assert size(parts[1][1].residuals) < size(every.residuals[:, 1:]) / 2
    decays = [part.decay for _, part in parts]
    assert np.argmax(decays[0]) == 0 and np.argmax(decays[1]) == 2


def test_noise_divides_nothing():
    target = centred(np.column_stack([bends(THETA, 0), 0.1 * bends(THETA, 2)]), 0.1, 9)
    series = fit_series(THETA, target)
    ((columns, same),) = divided(THETA, THETA, target, series, None)
    assert columns.tolist() == [0, 1] and same is series


def test_whether_more_points_would_help_is_asked_of_whole_groups():
    """Points come in groups of twenty that agree in two inputs, along which all bends; in u no two of them agree."""
    shared = np.random.default_rng(5).uniform(-1, 1, (40, 2))
    theta = np.column_stack([np.repeat(shared, 20, axis=0), np.random.default_rng(6).uniform(-1, 1, 800)])
    target = np.tanh(3 * theta[:, :1] * theta[:, 1:2])
    mixed = Cube.of(LOWER, UPPER, [False] * 3).mixed(np.eye(3) + 0.2 * np.eye(3)[[2, 2, 0]])
    series = fit_series(mixed.at(theta), target, 200, None, groups(theta))
    assert still_learning(theta, mixed.at(theta), target, series)


@pytest.mark.slow
def test_what_was_divided_sums_to_the_whole():
    """The emulator of an output whose components have blocks of their own, beside the closed form."""
    theta = np.random.default_rng(3).uniform(-1, 1, (400, 3))
    fresh = np.random.default_rng(4).uniform(-1, 1, (50, 3))
    fan = np.linspace(0.0, 1.0, 30)

    def closed(at):
        return 5.0 + np.outer(bends(at, 0), np.cos(np.pi * fan)) + 0.1 * np.outer(bends(at, 2), np.sin(np.pi * fan))

    described = {"fan": Output("fan", "", (Axis("x", "", tuple(fan)),))}
    models = Models.of_arrays(("a", "b", "c"), theta, {"fan": closed(theta)}, described)
    emulator = fit_box(models, LOWER, UPPER).emulator
    assert len(emulator.surrogate.blocks) > 1
    np.testing.assert_allclose(emulator(fresh)["fan"], closed(fresh), atol=5e-3)


def test_terms_that_gain_nothing_are_left_out():
    """A polynomial of second degree, with noise of 1e-3: half of the terms, and fewer, do as well."""
    noise = 1e-3 * np.random.default_rng(2).normal(size=(300, 1))
    target = 1.0 + THETA @ np.array([[1.0], [0.5], [2.0]]) + (THETA @ np.ones((3, 1))) ** 2 + noise
    few, many = fit_series(THETA, target), fit_series(THETA, target, 150)
    assert len(few.table) < 75 and len(many.table) == 150
    assert size(few.residuals) < FOR_FREE * 1.05 * size(many.residuals)
    assert size(few.residuals) == pytest.approx(1e-3, rel=0.15)


def test_components_that_add_nothing_to_the_error_are_left_out():
    variance = np.array([100.0, 10.0, 1.0, 1e-3, 1e-4, 1.0])
    error = np.array([0.1, 0.1, 0.1, 1e-4, 1e-5, 0.99])  # of the last, nothing is predicted
    kept = worth_keeping(variance, error, learned=0.1)
    assert kept.tolist() == [True, True, True, False, False, False]
    whole = np.where(error < 0.9 * variance, error, variance).sum()
    assert np.where(kept, error, variance).sum() < (1 + NEGLIGIBLE) * whole


def test_without_an_error_every_component_is_kept():
    assert worth_keeping(np.array([1.0, 1e-8, 1e-16]), np.zeros(3), learned=0.1).all()
