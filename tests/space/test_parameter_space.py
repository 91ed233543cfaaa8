"""The prior against SciPy's distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from alfonsine.errors import InputError
from alfonsine.space.expression import Expression
from alfonsine.space.parameter_space import Parameter, ParameterSpace


def make(**change):
    return Parameter(
        **{"name": "x", "lower": -1.0, "upper": 3.0, "reference": 1.0, "step": 0.1, "latex": "x", **change}
    )


def space():
    return ParameterSpace.of(
        [make(), make(name="y", loc=0.5, scale=2.0), make(name="z", lower=-np.inf, upper=np.inf, scale=0.3)]
    )


def truths():
    truncated = stats.truncnorm((-1.0 - 0.5) / 2.0, (3.0 - 0.5) / 2.0, loc=0.5, scale=2.0)
    return [stats.uniform(-1.0, 4.0), truncated, stats.norm(0.0, 0.3)]


def test_log_prior_matches_scipy():
    theta = np.array([0.3, 2.2, -0.4])
    expected = sum(truth.logpdf(x) for truth, x in zip(truths(), theta, strict=True))
    assert float(space().log_prior(jnp.asarray(theta))) == pytest.approx(expected, rel=1e-12)


def test_log_prior_is_minus_infinity_outside():
    assert float(space().log_prior(jnp.array([3.5, 0.0, 0.0]))) == -np.inf


def test_gradient_is_finite_inside():
    gradient = jax.grad(space().log_prior)(jnp.array([0.3, 2.2, -0.4]))
    np.testing.assert_allclose(gradient, [0.0, -(2.2 - 0.5) / 4.0, 0.4 / 0.09], rtol=1e-12)


def test_unit_cube_is_the_inverse_distribution():
    unit = np.array([[0.1, 0.5, 0.9], [0.3, 0.01, 0.2]])
    expected = np.column_stack([truth.ppf(u) for truth, u in zip(truths(), unit.T, strict=True)])
    np.testing.assert_allclose(space().from_unit_cube(jnp.asarray(unit)), expected, rtol=1e-7)


def test_draws_follow_the_prior():
    """Kolmogorov-Smirnov on each margin; false-alarm rate 3 x 1e-4, seed fixed."""
    draws = np.asarray(space().sample(jax.random.key(0), 4000))
    for column, truth in zip(draws.T, truths(), strict=True):
        assert stats.kstest(column, truth.cdf).pvalue > 1e-4


def test_select_keeps_order():
    chosen = space().select(["z", "x"])
    assert chosen.names == ("z", "x")
    np.testing.assert_array_equal(chosen.scale, [0.3, np.inf])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lower": 4.0}, "min below max"),
        ({"reference": 5.0}, "reference inside the prior"),
        ({"step": 0.0}, "positive proposal"),
        ({"scale": -1.0}, "positive prior scale"),
        ({"upper": np.inf}, "proper prior"),
    ],
)
def test_bad_parameters_are_named(change, message):
    with pytest.raises(InputError, match=message):
        make(**change)


def test_repeated_names_are_refused():
    with pytest.raises(InputError, match="'x' twice"):
        ParameterSpace.of([make(), make()])


def test_a_joint_prior_is_added_and_cuts():
    tilt = Expression.parse("lambda x, z: 0.5*x - z**2")
    cut = Expression.parse("lambda x, y: np.log(x + y < 100)")
    three = [make(), make(name="y"), make(name="z")]
    whole, plain = ParameterSpace.of(three, [tilt, cut]), ParameterSpace.of(three)
    theta = jnp.array([0.5, 0.6, 0.7])
    assert float(whole.log_prior(theta)) == pytest.approx(float(plain.log_prior(theta)) + 0.25 - 0.49, abs=1e-12)
    np.testing.assert_allclose(jax.grad(whole.log_prior)(theta), [0.5, 0.0, -1.4], atol=1e-12)
    outside = ParameterSpace.of([make(), make(name="y")], [Expression.parse("lambda x, y: np.log(x + y < 1)")])
    assert float(outside.log_prior(theta[:2])) == -np.inf
    assert np.isfinite(jax.grad(outside.log_prior)(jnp.array([0.2, 0.1]))).all()
    assert whole.select(["z", "x"]).joint == (tilt,) and whole.select(["y"]).joint == ()
