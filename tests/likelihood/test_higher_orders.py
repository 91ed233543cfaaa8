"""What a quadratic misses of ln L, against closed forms that are no quadratics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.likelihood.higher_orders import NEGLIGIBLE, TERMS, expected_kl, fit_higher_orders
from alfonsine.likelihood.likelihood import Around
from alfonsine.likelihood.registry import load_likelihood

R = 9
MIXED = np.random.default_rng(0).normal(size=(3, R))


def quartic(s):
    """In three combinations of nine numbers."""
    a, b, c = MIXED @ np.asarray(s).T
    return 0.3 + a * b * c - 0.2 * a**2 * b**2 + 0.1 * c**3


def draws(seed, count):
    """Six of the nine hardly move."""
    rng = np.random.default_rng(seed)
    return 0.5 * rng.normal(size=(count, 3)) @ np.linalg.pinv(MIXED).T + 1e-4 * rng.normal(size=(count, R))


def test_a_quartic_is_found_to_rounding_and_to_its_gradient():
    s = draws(1, 512)
    found = fit_higher_orders(s, quartic(s), -0.5 * np.sum(s**2, axis=1))
    unseen = draws(2, 200)
    unseen = unseen[np.linalg.norm(unseen, axis=1) < 0.8 * np.linalg.norm(s, axis=1).max()]
    values = np.asarray(jax.vmap(found)(jnp.asarray(unseen)))
    assert len(unseen) > 150 and np.abs(values - quartic(unseen)).max() < 1e-2 * quartic(unseen).std()
    point, step = unseen[0], 1e-5 * np.linalg.pinv(MIXED)[:, 0]
    slope = (quartic(point[None] + step) - quartic(point[None] - step))[0]
    assert float(jax.grad(found)(jnp.asarray(point)) @ (2 * step)) == pytest.approx(slope, rel=0.05)


def test_beyond_all_points_it_keeps_the_value_of_the_edge():
    s = draws(1, 512)
    found = fit_higher_orders(s, quartic(s), -0.5 * np.sum(s**2, axis=1))
    way = draws(3, 1)[0]
    far, further = (float(found(jnp.asarray(s.mean(axis=0) + scale * way))) for scale in (50.0, 500.0))
    assert far == pytest.approx(further, rel=1e-9) and abs(far) > 0


def test_noise_is_no_polynomial():
    """False alarms: none expected, since half of the variance of 128 values would have to be explained by chance."""
    s, noise = draws(1, 512), np.random.default_rng(5).normal(size=512)
    assert fit_higher_orders(s, noise, np.zeros(512)) is None


def test_a_ratio_of_bands_is_better_than_a_quadratic_by_far():
    """A gain that multiplies the bands, both uncertain by some of the data's errors: ln L is of fourth order."""
    bands = load_likelihood("cobaya_examples.Bands")
    from cobaya_examples import DATA, ERROR

    rng = np.random.default_rng(2)
    around = Around(DATA * (1 + 0.1 * rng.normal(size=(512, 1))), np.array([[1.0], [0.1]]))
    folded = bands.fold(jnp.eye(len(DATA)), around)
    assert folded.beyond is not None and folded.beyond.coefficients.shape == (TERMS,)
    size, gain = 1 + 0.08 * rng.normal(size=(2, 300))
    truth = -0.5 * np.sum((((gain * size)[:, None] * DATA - DATA) / ERROR) ** 2, axis=1)
    found = [float(folded(jnp.asarray(x * DATA), jnp.array([g]))) for x, g in zip(size, gain, strict=True)]
    quadratic = [
        float(folded.height + folded.slope @ s - 0.5 * s @ folded.curvature @ s)
        for x, g in zip(size, gain, strict=True)
        for s in [folded.directions @ (jnp.append(jnp.asarray(x * DATA), g) - folded.centre)]
    ]
    assert expected_kl(truth - np.array(quadratic), truth) > 100 * NEGLIGIBLE
    assert expected_kl(truth - np.array(found), truth) < NEGLIGIBLE
