"""Closed-form outputs over a box, with the physics of the real ones: P(k, z), a damped spectrum, an expansion rate."""

import numpy as np

from alfonsine.emulator.box.fit import BoxShape, fit_box
from alfonsine.emulator.models import Models
from alfonsine.theory.output import Axis, Output, multipoles, numbers

NAMES = ("omega", "n_s", "logA", "tau_reio")
LOWER = np.array([0.05, 0.85, 1.6, 0.02])
UPPER = np.array([0.25, 1.10, 3.9, 0.10])
Z = np.expm1(np.linspace(0.0, np.log(6.0), 9))
K = np.geomspace(1e-3, 5.0, 40)
DESCRIBED = {
    "pk_lin": Output("pk_lin", "Mpc^3", (Axis("z", "", tuple(Z)), Axis("k", "1/Mpc", tuple(K)))),
    "tt": multipoles("tt", 39, "muK^2"),
    "unlensed_ee": multipoles("unlensed_ee", 39, "muK^2"),
    "H": Output("H", "km/s/Mpc", (Axis("z", "", tuple(Z)),)),
    "derived": numbers(("age", "sigma")),
}


def power(theta, z=Z, k=K):
    """P(k, z) [n, z, k]: amplitude and tilt exact, a bend whose place and a growth whose rate depend on omega."""
    omega, tilt, log_a, _ = (column[:, None, None] for column in np.atleast_2d(theta).T)
    growth = np.log1p(z)[None, :, None] * (1.0 + 0.1 * omega)
    bend = np.log1p((k[None, None, :] / (0.1 * omega)) ** 2)
    return np.exp(log_a + tilt * np.log(k / 0.05) - bend - 2 * growth + 0.1 * np.sin(20 * k * (1 + omega)))


def outputs(theta):
    theta = np.atleast_2d(theta)
    omega, tilt, log_a, tau = (column[:, None] for column in theta.T)
    ell = np.arange(2, 41)
    shape = (ell / 20.0) ** (tilt - 1) * (1 + 0.5 * np.cos(ell / 5 * (1 + omega)))
    return {
        "pk_lin": power(theta).reshape(len(theta), -1),
        "tt": 1e3 * np.exp(log_a - 2 * tau) * shape / ell**2,
        "unlensed_ee": 30 * np.exp(log_a) * (np.exp(-2 * tau) * shape / ell**2 + (ell < 30) * tau**2 / ell),
        "H": 67.0 * np.sqrt(1 + omega * ((1 + Z) ** 3 - 1)),
        "derived": np.hstack([1 / omega, np.exp(log_a / 2) * omega]),
    }


def draws(n, seed):
    return np.random.default_rng(seed).uniform(LOWER, UPPER, (n, 4))


def models(theta, only=tuple(DESCRIBED)):
    """Models in memory."""
    return Models.of_arrays(NAMES, theta, {n: v for n, v in outputs(theta).items() if n in only}, DESCRIBED)


def fitted(n=150, seed=1, only=tuple(DESCRIBED), **shape):
    return fit_box(models(draws(n, seed), only), LOWER, UPPER, shape=BoxShape(**shape), card={"remark": "toy"})
