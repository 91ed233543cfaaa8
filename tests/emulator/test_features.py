"""Inputs made of parameters: against their formulas, and found where a closed form says which are simple."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.around import simplest
from alfonsine.emulator.around.cheap import CheapQuantities, learn_quantities
from alfonsine.emulator.around.features import Features, pool_gradient, pool_names
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.around.simplest import exchangeable, one_to_one, simplest_features
from alfonsine.emulator.domain import Domain
from alfonsine.space.polynomial import monomials

LOWER, UPPER = np.array([0.5, -1.0, 1.0]), np.array([2.0, 1.0, 3.0])
D = 3


def draws(n, seed):
    return np.random.default_rng(seed).uniform(LOWER, UPPER, (n, D))


def quantities(theta):
    """One of the first and last parameter, one of the second alone."""
    a, b, c = theta.T
    return np.column_stack([np.exp(0.5 * a) / c, np.sin(2 * b)])


@pytest.fixture(scope="module")
def learned():
    theta = draws(200, seed=1)
    return learn_quantities(theta, quantities(theta), [(0, 2), (1,)])


def test_quantities_are_learned_as_well_as_is_said(learned):
    theta = draws(300, seed=2)
    theta = np.clip(theta, learned.quantities.lower, learned.quantities.upper)
    error = np.sqrt(np.mean((learned.quantities.at(theta) - quantities(theta)) ** 2, axis=0))
    said = learned.error * quantities(theta).std(axis=0)
    assert (error < 1e-7).all() and (error < 5 * said + 1e-12).all()


def test_one_point_is_what_many_are_and_gradients_are_those_of_the_closed_form(learned):
    theta = 0.9 * draws(20, seed=3) + 0.1 * (LOWER + UPPER) / 2
    found = jax.vmap(learned.quantities)(jnp.asarray(theta))
    np.testing.assert_allclose(found, learned.quantities.at(theta), rtol=1e-12)
    gradient = jax.vmap(jax.jacobian(learned.quantities))(jnp.asarray(theta))
    a, b, c = theta.T
    zero = np.zeros(20)
    exact = np.stack(
        [
            np.column_stack([0.5 * np.exp(0.5 * a) / c, zero, -np.exp(0.5 * a) / c**2]),
            np.column_stack([zero, 2 * np.cos(2 * b), zero]),
        ],
        axis=1,
    )
    np.testing.assert_allclose(gradient, exact, atol=1e-5)


def test_beyond_its_box_a_quantity_keeps_its_value_at_the_edge(learned):
    far = np.array([[2.5, 0.0, 2.0]])
    edge = np.minimum(far, np.asarray(learned.quantities.upper))
    np.testing.assert_array_equal(learned.quantities.at(far), learned.quantities.at(edge))


def test_every_entry_of_the_pool_is_what_its_name_says(learned):
    theta = draws(5, seed=4)
    names, known = ("a", "b", "c"), ("q", "r")
    words = pool_names(names, known)
    values = dict(zip(names, theta.T, strict=True)) | dict(zip(known, quantities(theta).T, strict=True))
    positive = np.array([1.0, 0.0, 1.0])
    for k, word in enumerate(words):
        if word == "ln b":
            continue  # not in the pool: it has both signs
        features = Features.of((k, 1, 2), positive, learned.quantities)
        if word.startswith("ln "):
            expected = np.log(values[word[3:]])
        else:
            expected = np.prod([values[part] for part in word.split()], axis=0)
        np.testing.assert_allclose(features.at(theta)[:, 0], expected, rtol=1e-5, err_msg=word)
        np.testing.assert_allclose(jax.vmap(features)(jnp.asarray(theta)), features.at(theta), rtol=1e-12)
        assert features.names(names, known)[0] == word and features.chosen == (k, 1, 2)


def test_widths_of_the_parameters_are_those_of_draws():
    """X = (ln a, b c, c): narrow enough that the map is a line."""
    features = Features.of((3, 2 * D + 5, 2), np.array([1.0, 0, 0]), CheapQuantities.none(D))
    theta = np.array([1.5, 0.4, 2.0]) + 1e-3 * np.random.default_rng(5).standard_normal((50_000, 3)) * [1, 2, 3]
    focus = Focus.of_samples(theta, features)
    domain = Domain(focus.middle, focus.cholesky, jnp.asarray(3.0), jnp.zeros(3), jnp.full(3, 9.0), features)
    np.testing.assert_allclose(domain.widths, [1e-3, 2e-3, 3e-3], rtol=0.02)


def test_a_domain_of_features_follows_the_bend_of_a_hyperbola():
    """Draws along a c = constant: an ellipse of the parameters about their mean would hold half of the plane."""
    rng = np.random.default_rng(6)
    a = rng.uniform(0.5, 2.0, 2000)
    theta = np.column_stack([a, 0.1 * rng.standard_normal(2000), (1 + 0.01 * rng.standard_normal(2000)) / a])
    features = Features.of((2 * D + 2, 1, 0), np.zeros(3), CheapQuantities.none(D))
    focus = Focus.of_samples(theta, features)
    domain = Domain(focus.middle, focus.cholesky, jnp.asarray(5.0), jnp.full(3, -9.0), jnp.full(3, 9.0), features)
    assert np.mean(jax.vmap(domain.inside)(jnp.asarray(theta))) > 0.999
    assert not domain.inside(jnp.array([1.5, 0.0, 1.5])) and not domain.inside(jnp.array([1.0, 0.0, 0.9]))


def search(theta, components, quantities, positive=(0.0, 0.0, 0.0)):
    start = Features.of((0, 1, 2), np.array(positive), quantities)
    return simplest_features(theta, [components], np.ones(len(theta)), monomials(D, 3), start, draws(1000, seed=0))


def test_a_product_that_matters_takes_the_place_of_one_of_its_factors():
    theta = draws(40, seed=7)
    product = theta[:, 0] * theta[:, 2]
    components = np.column_stack([np.sin(0.6 * product) + theta[:, 1], 0.3 * np.cos(0.6 * product)])
    found = search(theta, components, CheapQuantities.none(D))
    assert "a c" in found.features.names(("a", "b", "c"), ()) and found.after < 0.5 * found.before


def test_a_cheap_quantity_that_matters_is_found(learned):
    theta = draws(40, seed=8)
    inside = np.clip(theta, learned.quantities.lower, learned.quantities.upper)
    q = quantities(inside)[:, 0]
    components = np.column_stack([10 * q + 5 * q**2 + inside[:, 1]])
    found = search(inside, components, learned.quantities)
    assert "q" in found.features.names(("a", "b", "c"), ("q", "r")) and found.after < 0.1 * found.before


def test_what_is_simple_already_is_left_alone(learned):
    theta = draws(40, seed=9)
    noise = 1e-3 * np.random.default_rng(10).standard_normal((40, 2))
    components = theta @ np.array([[1.0, 0.2], [0.5, 1.0], [0.1, 0.3]]) + noise
    found = search(theta, components, learned.quantities, positive=(1.0, 0.0, 1.0))
    assert found.features.chosen == (0, 1, 2) and found.after == found.before


def test_inputs_of_an_earlier_search_are_given_up_where_they_are_worth_nothing():
    """Outputs that are linear and noisy: logarithms, which a cubic bends back, leave the same error."""
    theta = draws(40, seed=9)
    noise = 0.05 * np.random.default_rng(10).standard_normal((40, 2))
    components = theta @ np.array([[1.0, 0.2], [0.5, 1.0], [0.1, 0.3]]) + noise
    start = Features.of((D, 1, D + 2), np.array([1.0, 0.0, 1.0]), CheapQuantities.none(D))
    found = simplest_features(theta, [components], np.ones(40), monomials(D, 3), start, draws(1000, seed=0))
    assert found.features.chosen == (0, 1, 2) and found.before > simplest.WORTH**2 * found.after


def test_an_exchange_is_allowed_where_its_slope_has_one_sign_and_is_nowhere_near_zero():
    """The product a b changes with b as a does, between 0.5 and 2, and with a as b does, which has both signs."""
    gradient = pool_gradient(draws(500, seed=11), np.array([1.0, 0.0, 1.0]), CheapQuantities.none(D))
    allowed = exchangeable(gradient, (0, 1, 2))
    product, log_c = 2 * D + 1, D + 2
    assert allowed[1, product] and not allowed[0, product] and not allowed[2, product]
    assert allowed[2, log_c] and not allowed[0, log_c]
    assert not allowed[0, 1] and allowed[0, 0]
    afterwards = exchangeable(gradient, (0, product, 2))  # b may return to its place, and not take that of a
    assert afterwards[1, 1] and not afterwards[0, 1]


def test_slopes_of_the_pool_are_those_of_automatic_differentiation(learned):
    theta, positive = draws(5, seed=14), np.array([0.0, 0.0, 1.0])
    found = pool_gradient(theta, positive, learned.quantities)
    for first in range(0, found.shape[1] - 2):
        three = Features.of((first, first + 1, first + 2), positive, learned.quantities)
        expected = jax.vmap(jax.jacobian(three))(jnp.asarray(theta))
        np.testing.assert_allclose(found[:, first : first + 3], expected, rtol=1e-12, atol=1e-12)


def test_beyond_the_box_of_its_calls_a_quantity_does_not_count(learned):
    """It is constant there, so that the map has no inverse: such a point must not decide about all others."""
    inside, q = 0.98 * draws(100, seed=16) + 0.02 * (LOWER + UPPER) / 2, 2 * D + D * D
    theta = np.vstack([inside, [9.0, 0.0, 9.0]])
    known = learned.quantities.covers(theta)
    assert known[:-1].all() and not known[-1]
    assert CheapQuantities.none(D).covers(theta).all()
    gradient = pool_gradient(theta, np.zeros(D), learned.quantities)
    assert exchangeable(gradient[known], (0, 1, 2))[0, q] and not exchangeable(gradient, (0, 1, 2))[0, q]
    assert exchangeable(gradient[known], (q, 1, 2))[0, 0] and not exchangeable(gradient, (q, 1, 2)).any()
    components = np.column_stack([10 * quantities(inside)[:, 0] + 5 * quantities(inside)[:, 0] ** 2 + inside[:, 1]])
    start = Features.of((0, 1, 2), np.zeros(D), learned.quantities)
    found = simplest_features(inside, [components], np.ones(100), monomials(D, 3), start, theta)
    assert "q" in found.features.names(("a", "b", "c"), ("q", "r"))


def test_a_set_is_one_to_one_where_its_one_exchange_is_allowed(learned):
    """Ratio of determinants against the slope of the new input along the one whose place it takes."""
    gradient = pool_gradient(draws(300, seed=18), np.array([1.0, 0.0, 1.0]), learned.quantities)
    for before in ((0, 1, 2), (0, 2 * D + 1, 2)):
        allowed = exchangeable(gradient, before)
        found = {
            (i, k): one_to_one(gradient, before, (*before[:i], k, *before[i + 1 :]))
            for i in range(D)
            for k in range(gradient.shape[1])
            if k not in before and k != D + 1  # the logarithm of b, which has both signs, is no number
        }
        assert 1 < sum(found.values()) < len(found)
        assert all(allowed[i, k] == one for (i, k), one in found.items())
    assert not one_to_one(gradient, (0, 1, 2), (0, 0, 2)) and not one_to_one(gradient[:0], (0, 1, 2), (0, 1, 2))
    steep = np.array([[[1.0, 0.0], [0.0, 1.0], [slope, 0.0]] for slope in (1.0, -1.0)])  # there and back
    assert not exchangeable(steep, (0, 1))[0, 2] and not one_to_one(steep, (0, 1), (2, 1))
    assert one_to_one(steep[:1], (0, 1), (2, 1))


@pytest.mark.parametrize("exchanges", [6, 0])
def test_features_that_help_only_together_are_found(monkeypatch, exchanges):
    """Outputs simple in a^3 + a + b and b^3 + b - a: either alone is of little help. Pairs need no path."""
    monkeypatch.setattr(simplest, "EXCHANGES", exchanges)
    theta = np.random.default_rng(15).uniform(-1, 1, (60, 2))
    grid = np.random.default_rng(16).uniform(-1.05, 1.05, (300, 2))

    def both(theta):
        a, b = theta.T
        return np.column_stack([a**3 + a + b, b**3 + b - a])

    cheap = learn_quantities(grid, both(grid), [(0, 1), (0, 1)]).quantities
    early, late = both(theta).T
    components = np.column_stack([np.exp(0.5 * early) + late, early * late + 3 * late])
    start = Features.of((0, 1), np.zeros(2), cheap)
    found = simplest_features(theta, [components], np.ones(60), monomials(2, 3), start, theta)
    assert set(found.features.names(("a", "b"), ("early", "late"))) == {"early", "late"}
    assert found.after < 0.5 * found.before


def test_a_feature_takes_no_place_of_an_input_that_it_is_not_like():
    """Nothing depends on b: its place is free, but not for what says nothing of b."""
    theta = draws(40, seed=12)
    components = np.column_stack([np.exp(theta[:, 0] * theta[:, 2]), theta[:, 0] * theta[:, 2]])
    names = search(theta, components, CheapQuantities.none(D)).features.names(("a", "b", "c"), ())
    assert "b" in names[1] and "a c" in names


def test_a_domain_ends_where_its_quantities_were_learned(learned):
    """Beyond their box they are constant, and would let a parameter go wherever it likes."""
    features = Features.of((2 * D + D * D, 1, 2), np.zeros(3), learned.quantities)
    focus = Focus.of_samples(draws(500, seed=13), features)
    domain = Domain(focus.middle, focus.cholesky, jnp.asarray(9.0), jnp.full(3, -99.0), jnp.full(3, 99.0), features)
    edge = jnp.asarray(learned.quantities.upper).at[1].set(0.0)
    assert domain.inside(edge * 0.99) and not domain.inside(edge.at[0].add(0.02))
    beyond = [float(domain.distance(edge.at[0].add(step))) for step in (0.1, 0.2, 0.4)]
    assert np.diff(beyond).min() > 0.05
