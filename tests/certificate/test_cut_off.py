"""The part of a posterior beyond the edge of its emulator, against closed forms."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2

from alfonsine.certificate.certificate import Tolerance, certify
from alfonsine.certificate.cut_off import AT_MOST, beyond
from alfonsine.certificate.outcome import Outcome
from alfonsine.certificate.whiten import whitening_of_samples
from alfonsine.emulator.around.cheap import CheapQuantities
from alfonsine.emulator.around.features import Features
from alfonsine.emulator.domain import Domain

N = 200_000  # draws: the shares of tenths are known to a few per cent, and what follows to within a tenth or two


def test_an_exponential_tail_is_continued_exactly():
    """For a density e^(-20 x) the mass beyond 1 is e^-20/(1 - e^-20) of that before: the series is exact."""
    way = np.linspace(0.0, 1.0, N, endpoint=False) + 0.5 / N
    weights = np.exp(-20.0 * way)
    truth = np.exp(-20.0) / (1.0 - np.exp(-20.0))
    np.testing.assert_allclose(beyond(way, weights), truth, rtol=1e-3)


@pytest.mark.parametrize("d", [2, 8])
def test_of_a_gaussian_it_is_an_upper_limit_within_a_factor_of_a_few(d):
    """Draws of a Gaussian inside a radius that leaves out 1 %."""
    distance = np.sqrt(np.random.default_rng(d).chisquare(d, N))
    radius = np.sqrt(chi2.ppf(0.99, d))
    found = beyond(distance[distance < radius] / radius, np.ones(int(np.sum(distance < radius))))
    assert 0.01 < found < 0.05


def test_a_density_that_does_not_fall_towards_the_edge_is_not_passed():
    way = np.linspace(0.0, 1.0, 1001)[1:]
    assert beyond(way, np.ones(1000)) == pytest.approx(0.1 * AT_MOST)
    assert beyond(way[way < 0.8], np.ones(int(np.sum(way < 0.8)))) == 0.0


def domain(upper_of_cheap):
    """Two inputs, the second of which is an angle learned as a + b for a in [0, upper] and b in [-1, 1]."""
    table = jnp.array([[[0, 0], [1, 0], [0, 1]]])
    edges = jnp.array([0.0, -1.0]), jnp.array([upper_of_cheap, 1.0])
    cheap = CheapQuantities(*edges, table, jnp.array([[upper_of_cheap / 2, upper_of_cheap / 2, 1.0]]))
    features = Features.of((0, 8), np.zeros(2), cheap)
    return Domain(
        jnp.array([0.5, 0.0]), jnp.eye(2), jnp.asarray(20.0), jnp.array([0.0, -5.0]), jnp.array([3.0, 5.0]), features
    )


def test_edges_of_the_prior_are_none_of_the_emulator():
    """The box of the cheap calls ends at the prior below a = 0, and at its own edge above, and on both sides of b."""
    way = domain(2.0).way_to_edge(np.array([[0.001, 0.0], [1.999, 0.0], [1.0, 0.99], [1.0, -0.95], [1.0, 0.0]]))
    assert way[0] < 0.2 and way[4] < 0.2
    np.testing.assert_allclose(way[1:4], [0.999, 0.99, 0.95])
    at_the_prior = domain(3.0).way_to_edge(np.array([[2.999, 0.0]]))
    assert at_the_prior[0] < 0.2


def test_a_posterior_that_is_cut_off_is_not_passed():
    """A perfect emulator, of which more lies beyond its edge than the divergence may be; just less passes."""
    samples = np.random.default_rng(0).normal(size=(500, 2))
    args = (np.zeros(24), samples[:24], ("x", "y"), whitening_of_samples(samples))
    cut = certify(*args, cut_off=0.02, allowed=Tolerance(kl=0.01))
    assert cut.outcome is Outcome.INCONCLUSIVE and "2.0%" in cut.findings[0] and cut.cut_off == 0.02
    assert certify(*args, cut_off=0.005, allowed=Tolerance(kl=0.01)).passed


def test_a_part_is_never_more_than_the_whole():
    assert beyond(np.linspace(0.9, 1.0, 100), np.ones(100)) == 1.0
