"""Closed-form spectra with the exact scalings of the real ones, and a small emulator of them that has every part."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.around.cheap import learn_quantities
from alfonsine.emulator.around.features import Features
from alfonsine.emulator.around.fit import Shape, fit
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.around.network import Ensemble, Training, initial
from alfonsine.emulator.domain import Domain
from alfonsine.emulator.emulator import Emulator

NAMES = ("omega", "n_s", "logA", "tau_reio")
CENTRE = np.array([0.12, 0.96, 3.05, 0.06])
WIDTH = np.array([0.004, 0.01, 0.05, 0.01])


def spectra(theta, l_max=40):
    """Outputs at theta (n, 4): damped, polarised, undamped, derived and unknown ones; the reionisation bump is ours."""
    omega, tilt, log_a, tau = (column[:, None] for column in np.atleast_2d(theta).T)
    ell = np.arange(2, l_max + 1)
    shape = (ell / 20.0) ** (tilt - 1) * (1 + 0.5 * np.cos(ell / 5 * omega / 0.12)) / ell**2
    damping, bump = np.exp(log_a - 2 * tau), (ell < 30) * 40 * tau**2 * np.exp(log_a)
    return {
        "tt": 1e3 * damping * shape,
        "te": 50.0 * damping * shape * np.sin(ell / 7) + bump / 10,
        "ee": 20.0 * damping * shape * (1 + np.sin(ell / 7) ** 2) + bump,
        "pp": 1e-7 * np.exp(log_a) * shape,
        "derived": np.hstack([100 * omega + tilt, omega * tilt**2]),
        "distance": np.hstack([1 / omega, np.sqrt(omega), np.log(omega)]),
    }


def draws(n, seed, reach=2.0):
    """Points spread evenly within `reach` widths of the centre."""
    return CENTRE + WIDTH * np.random.default_rng(seed).uniform(-reach, reach, (n, 4))


def focus():
    return Focus.of(CENTRE, np.diag(WIDTH**2))


def age(theta):
    """A quantity that would cost little."""
    return 1 / np.sqrt(theta[:, :1]) + theta[:, 1:2] ** 2


def features():
    """The age in the place of omega, the logarithm of the amplitude, and n_s tau in the place of tau."""
    theta = draws(80, seed=7, reach=4.0)
    positive = np.array([0.0, 0.0, 1.0, 0.0])
    chosen = (2 * 4 + 16, 1, 4 + 2, 2 * 4 + 4 * 1 + 3)
    return Features.of(chosen, positive, learn_quantities(theta, age(theta), [(0, 1)]).quantities)


def domain(at=None, radius=6.0):
    lower, upper = CENTRE - 4 * WIDTH, CENTRE + 4 * WIDTH
    lower[0], upper[1] = -np.inf, np.inf
    at = at or focus()
    edges = jnp.asarray(lower), jnp.asarray(upper)
    return Domain(at.middle, at.cholesky, jnp.asarray(radius), *edges, at.features)


def small_emulator(n=60, components=3, l_max=33):
    """Features, fitted trend in every block, an untrained network with random weights in the first and the last."""
    theta = draws(n, seed=1)
    at = Focus.of_samples(CENTRE + WIDTH * np.random.default_rng(6).standard_normal((200, 4)), features())
    fitted = fit(
        NAMES,
        theta,
        spectra(theta, l_max),
        domain=domain(at),
        focus=at,
        shape=Shape(order=2, components=components, network="never"),
        card={"theory": {"code": "toy sky", "l_max": l_max}, "remark": 'naïve "quotes" \\ and\nlines'},
    ).emulator
    for block in (0, len(fitted.surrogate.blocks) - 1):
        fitted = eqx.tree_at(
            lambda e, i=block: e.surrogate.blocks[i].network,
            fitted,
            random_ensemble(block, len(NAMES), components),
            is_leaf=lambda x: x is None,
        )
    return fitted


def random_ensemble(seed, d, k, members=2, width=4, depth=2):
    """Networks that have learned nothing, with outputs of order 0.1."""
    settings = Training(width=width, depth=depth, members=members)
    keys = jax.random.split(jax.random.key(seed), members)
    drawn = jax.vmap(lambda key: initial(key, d, k, settings))(keys)
    weight = 0.1 * jax.random.normal(jax.random.key(seed + 1), drawn.weight.shape)
    return Ensemble(eqx.tree_at(lambda net: net.weight, drawn, weight), jnp.full(k, 0.3))


def arrays_of(emulator: Emulator):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(emulator)]
