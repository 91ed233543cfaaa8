"""A theory of an acoustic spectrum: a box of three to one in its scale holds several of its oscillations.

Studies of it take a copy beside their file; tests compute their truth with it.
"""

import numpy as np

ell = np.arange(2.0, 801.0)


def spectrum(p):
    """C_l with peaks; no answer in a part of the box."""
    if p["scale"] * p["tilt"] > 1.6:
        raise ValueError("outside the region where the code works")
    phase = np.pi * ell * p["scale"] / 200.0
    shape = (1.0 + p["contrast"] * np.cos(phase)) * np.exp(-((ell / 600.0) ** 1.2)) * (ell / 100.0) ** (p["tilt"] - 1.0)
    return {"tt": np.exp(p["logA"] - 3.0) * 1000.0 * shape / (ell * (ell + 1.0))}


def cheap(p):
    """What fails where the spectrum does."""
    if p["scale"] * p["tilt"] > 1.6:
        raise ValueError("outside the region where the code works")
    return {"product": p["scale"] * p["tilt"]}
