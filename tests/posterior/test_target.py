"""The folded target against the long way round: spectra from the emulator, bands, ln L, prior, one after the other."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from slow_spline import slow_spline

from alfonsine.emulator.around.fit import Shape, fit
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.domain import Domain
from alfonsine.emulator.emulator import Shown
from alfonsine.errors import InputError
from alfonsine.likelihood.gaussian_data import gaussian_data
from alfonsine.likelihood.mock_cmb import mock_cmb
from alfonsine.posterior.target import build_target
from alfonsine.space.parameter_space import Parameter, ParameterSpace
from alfonsine.theory.class_spectra import nodes, spectra_outputs

NAMES = ("logA", "tau_reio", "tilt")
CENTRE, WIDTH = np.array([3.0, 0.06, 0.0]), np.array([0.05, 0.01, 0.02])
ELL = np.arange(2, 2501)


def spectra(theta):
    """Shapes of about the size of the real ones; TE is weak enough for any T and E."""
    log_a, tau, tilt = (column[:, None] for column in np.atleast_2d(theta).T)
    damped = np.exp(log_a - 2 * tau) * (ELL / 500.0) ** tilt
    tt = damped * 300.0 * np.exp(-((ELL / 1500.0) ** 1.5)) / (ELL * (ELL + 1))
    ee = 0.02 * tt + (ELL < 30) * np.exp(log_a) * tau**2 / (ELL * (ELL + 1))
    return {"tt": tt, "te": 0.05 * tt, "ee": ee, "derived": np.hstack([tilt + tau]), "pp": 1e-9 * damped}


def emulator(outputs=("tt", "te", "ee", "pp", "derived")):
    rng = np.random.default_rng(1)
    theta = CENTRE + WIDTH * rng.uniform(-2, 2, (40, 3))
    focus = Focus.of(CENTRE, np.diag(WIDTH**2))
    domain = Domain(
        focus.centre, focus.cholesky, jnp.asarray(5.0), jnp.array([2.0, 0.01, -0.2]), jnp.array([4.0, 0.2, 0.2])
    )
    chosen = {name: values for name, values in spectra(theta).items() if name in outputs}
    return fit(NAMES, theta, chosen, domain=domain, focus=focus, shape=Shape(components=6)).emulator


def space():
    box = [(2.0, 4.0), (0.01, 0.2), (-0.2, 0.2)]
    parameters = [
        Parameter(n, low, high, c, w, n) for n, (low, high), c, w in zip(NAMES, box, CENTRE, WIDTH, strict=True)
    ]
    extra = Parameter("calibration", -np.inf, np.inf, 1.0, 0.1, "c", loc=1.0, scale=0.1)
    return ParameterSpace.of([parameters[0], extra, *parameters[1:]])  # nuisance in the middle: order must not matter


THETA = jnp.array([3.04, 1.02, 0.067, -0.013])


def test_folded_target_is_the_long_way_round():
    learned, likelihood = emulator(), mock_cmb()
    target = build_target(space(), learned, [likelihood])
    predicted = learned(THETA[jnp.array([0, 2, 3])])
    expected = float(likelihood.log_likelihood(likelihood.bands(predicted), jnp.zeros(0)))
    expected += stats.norm(1.0, 0.1).logpdf(1.02) - np.log(2.0 * 0.19 * 0.4)
    assert float(target(THETA)) == pytest.approx(expected, rel=1e-10)


NODES = np.array(nodes(2500, linstep=20))


def emulator_at_nodes(logarithm=False):
    """The same spectra at nodes; with `logarithm`, TT alone, of which the logarithm is emulated."""
    names = ("tt",) if logarithm else ("tt", "te", "ee")
    theta = CENTRE + WIDTH * np.random.default_rng(1).uniform(-2, 2, (40, 3))
    focus = Focus.of(CENTRE, np.diag(WIDTH**2))
    wide = jnp.full(3, np.inf)
    domain = Domain(focus.centre, focus.cholesky, jnp.asarray(9.0), -wide, wide)
    outputs = {name: spectra(theta)[name][:, NODES - 2] for name in names}
    if logarithm:
        outputs = {name: np.log(values) for name, values in outputs.items()}
    described = spectra_outputs(names, (), NODES.tolist())
    learned = fit(NAMES, theta, outputs, domain=domain, focus=focus, shape=Shape(components=6), described=described)
    if not logarithm:
        return learned.emulator
    shown = tuple((name, Shown(s.first, s.stop, "exp")) for name, s in learned.emulator.shown)
    return replace(learned.emulator, shown=shown)


@pytest.mark.parametrize("logarithm", [False, True])
def test_spectra_at_nodes_are_splined_on_the_way_to_the_data(logarithm):
    """Against the long way: each spectrum at its nodes, a slow spline, the likelihood of all multipoles."""
    learned, likelihood = emulator_at_nodes(logarithm), mock_cmb("TT" if logarithm else "TTTEEE")
    target = build_target(space().select(NAMES), learned, [likelihood])
    theta = THETA[jnp.array([0, 2, 3])]
    predicted = {name: np.asarray(values) for name, values in learned.predict(theta).items()}
    assert predicted["tt"].shape == NODES.shape and learned.is_linear("tt") is not logarithm
    full = {n: slow_spline(NODES.astype(float), values, ELL.astype(float)) for n, values in predicted.items()}
    expected = float(likelihood.log_likelihood(likelihood.bands(full), jnp.zeros(0)))
    assert float(target.log_likelihoods(theta)[0]) == pytest.approx(expected, rel=1e-8)
    if not logarithm:  # no more than the amplitudes reaches the sampler
        assert target.folded[0].matrix.shape == (len(likelihood.bands(full)), len(target.columns))


def test_blocks_that_no_likelihood_sees_are_left_out():
    target = build_target(space(), emulator(), [mock_cmb()])
    assert len(target.surrogate.blocks) == 2  # damped spectra and their bump; neither pp nor derived
    assert target.surrogate(THETA[jnp.array([0, 2, 3])]).shape == (len(target.columns),)


def test_gradient_matches_finite_differences():
    density = build_target(space(), emulator(), [mock_cmb()])
    target = jax.jit(lambda theta: density(theta))
    gradient = jax.grad(target)(THETA)
    for i, step in enumerate(1e-4 * np.array([0.05, 0.1, 0.01, 0.02])):
        ahead, behind = (target(THETA.at[i].add(s)) for s in (step, -step))
        assert float(gradient[i]) == pytest.approx(float(ahead - behind) / (2 * step), rel=1e-5, abs=1e-3)


def test_wall_stands_only_outside_the_domain():
    target = build_target(space(), emulator(), [mock_cmb()])
    inside = jnp.array([CENTRE[0] + 4.9 * WIDTH[0], 1.0, CENTRE[1], CENTRE[2]])
    outside = jnp.array([CENTRE[0] + 6.0 * WIDTH[0], 1.0, CENTRE[1], CENTRE[2]])
    assert float(target.wall(inside)) == 0.0
    assert float(target.wall(outside)) == pytest.approx(
        -0.5 * (4.0 * 1.0) ** 2
    )  # one width beyond, four times as steep


def test_outside_the_prior_is_minus_infinity():
    target = build_target(space(), emulator(), [mock_cmb()])
    assert float(target(THETA.at[0].set(4.1))) == -np.inf


def test_several_likelihoods_add_up_and_fixed_nuisance_is_passed(data_folder):
    data_folder("planck2018_lite")
    from alfonsine.likelihood.planck_lite import planck_lite

    plain = space().select(NAMES)
    learned = emulator()
    own = build_target(plain, learned, [planck_lite(spectra="EE")], {"A_planck": 1.01})
    both = build_target(plain, learned, [planck_lite(spectra="EE"), mock_cmb()], {"A_planck": 1.01})
    mock = build_target(plain, learned, [mock_cmb()])
    theta = THETA[jnp.array([0, 2, 3])]
    values = both.log_likelihoods(theta)
    np.testing.assert_allclose(values[0], own.log_likelihoods(theta)[0], rtol=1e-12)
    np.testing.assert_allclose(values[1], mock.log_likelihoods(theta)[0], rtol=1e-12)
    other = build_target(plain, learned, [planck_lite(spectra="EE")], {"A_planck": 1.0})
    assert abs(float(other.log_likelihoods(theta)[0] - values[0])) > 1e-3


def test_missing_spectrum_is_named():
    with pytest.raises(InputError, match="expected the spectrum 'ee'"):
        build_target(space(), emulator(outputs=("tt", "te")), [mock_cmb()])


def test_user_data_on_a_named_vector():
    rng = np.random.default_rng(2)
    theta = rng.normal(size=(30, 3)) * WIDTH + CENTRE
    vector = {"data": theta @ rng.normal(size=(3, 5))}
    focus = Focus.of(CENTRE, np.diag(WIDTH**2))
    wide = jnp.full(3, np.inf)
    domain = Domain(focus.centre, focus.cholesky, jnp.asarray(9.0), -wide, wide)
    learned = fit(NAMES, theta, vector, domain=domain, focus=focus, shape=Shape(components=5)).emulator
    likelihood = gaussian_data(observable="data", value=np.zeros(5).tolist(), error=1.0)
    target = build_target(space().select(NAMES), learned, [likelihood])
    expected = stats.norm(vector["data"][0], 1.0).logpdf(0.0).sum()
    assert float(target.log_likelihoods(jnp.asarray(theta[0]))[0]) == pytest.approx(expected, abs=1e-4)
