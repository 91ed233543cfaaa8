"""Which sampler serves: NUTS where whitening succeeds, the ensemble where the density is bent too much for it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.posterior.sample import PATIENCE, sample


class Bent(eqx.Module):
    """x standard normal, y normal of a small width about b (x^2 - 1): a thin banana with known moments."""

    bend: jax.Array
    width: jax.Array

    def __call__(self, theta):
        x, y = theta[0], theta[1]
        return -0.5 * x**2 - 0.5 * ((y - self.bend * (x**2 - 1)) / self.width) ** 2 - 0.5 * jnp.sum(theta[2:] ** 2)


def drawn(bend, width, ess):
    density = Bent(jnp.asarray(bend), jnp.asarray(width))
    names = ("x", "y", "z")
    far = np.full(3, 100.0)
    start, scale = np.zeros(3), np.ones(3)
    return sample(density, names, names, -far, far, start, scale, jax.random.key(3), ess=ess, chains=8)


def test_a_gentle_density_is_left_to_nuts():
    posterior = drawn(bend=0.2, width=1.0, ess=1000)
    assert posterior.diagnostics["sampler"] == "nuts" and posterior.diagnostics["leapfrog_steps"] < 20


@pytest.mark.slow
def test_a_thin_banana_goes_to_the_ensemble_and_has_its_moments():
    """E x = 0, E y = 0, var y = 2 b^2 + w^2.

    Five Monte-Carlo errors, doubled for walkers that are not quite independent: false alarms below 1e-5.
    """
    posterior = drawn(bend=3.0, width=0.03, ess=1500)
    assert posterior.diagnostics["sampler"] == "ensemble" and posterior.diagnostics["leapfrog_steps"] > PATIENCE
    mean, error = posterior.mean(), 10 / np.sqrt(1500)
    assert np.all(np.abs(mean) < error * np.array([1.0, np.sqrt(18.0), 1.0]))
    assert abs(posterior.std()[0] - 1.0) < error and abs(posterior.std()[2] - 1.0) < error
    assert abs(posterior.std()[1] / np.sqrt(18.0) - 1.0) < 3 * error  # its fourth moment is large
