"""A training set of closed-form spectra and a surface, small enough to train on in a second."""

import numpy as np

from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.theory.output import Axis, Output, multipoles, numbers

NAMES = ("amplitude", "phase")
ELL = np.arange(2, 26)
K = np.geomspace(0.01, 1.0, 12)
Z = np.array([0.0, 0.5, 1.0, 2.0])
SURFACE = Output("pk", "Mpc^3", (Axis("z", "", tuple(Z)), Axis("k", "1/Mpc", tuple(K))))
OUTPUTS = (multipoles("tt", len(ELL), ""), multipoles("te", len(ELL), ""), numbers(["sigma"]), SURFACE)


def outputs(theta):
    """Outputs at theta (n, 2); tt is positive, te is not, the surface falls with redshift."""
    a, b = np.atleast_2d(theta).T[:, :, None]
    tt = 1e-9 * np.exp(0.4 * a + 0.3 * b * np.sin(ELL / 4)) / ELL**2
    growth = 1 / (1 + Z[:, None] * (1 + 0.2 * b[:, None]))
    pk = 1e4 * np.exp(0.4 * a[:, None]) * growth**2 * K / (1 + (K / 0.1) ** 3) * (1 + 0.1 * np.sin(4 * K + b[:, None]))
    return {
        "tt": tt,
        "te": tt * np.cos(ELL / 3 + b),
        "derived": 0.8 + 0.1 * a * b,
        "pk": pk.reshape(len(a), -1),
    }


def points(n, seed=0):
    """Inputs, uniform in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, (n, 2))


def toy_set(folder, n=240, only=None, dtype="float32"):
    """A filled set of n models; `only` some of the outputs."""
    kept = [output for output in OUTPUTS if only is None or output.name in only]
    writer = ModelSet.create(folder, NAMES, kept, n, dtype)
    theta = points(n)
    values = outputs(theta)
    writer.write(np.arange(n), theta, {output.name: values[output.name] for output in kept})
    return writer.close()
