"""The emulator that ships with the repository, against CLASS itself."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.study.prepare import prepare
from alfonsine.study.settings import read_study

EXAMPLES = Path(__file__).parents[2] / "examples"
POINT = np.array([0.0203, 0.17, 0.71, 0.9, 2.9])
STEP = 0.01  # in omega_cdm: CLASS's own noise of 1e-4 is then one per cent of the smallest slopes


@pytest.fixture(scope="module")
def emulator():
    return load_emulator(EXAMPLES / "pk_wide.safetensors")


@pytest.fixture(scope="module")
def spectra(emulator, tmp_path_factory):
    """CLASS at the point, and a step up and down in the second parameter."""
    theory = prepare(read_study(EXAMPLES / "pk_wide.yaml"), tmp_path_factory.mktemp("none")).theory
    points = [POINT + STEP * sign * np.eye(5)[1] for sign in (0, 1, -1)]
    return [theory.compute(dict(zip(emulator.names, p.tolist(), strict=True))).spectra["pk_lin"] for p in points]


def test_it_is_small_enough_to_ship():
    assert (EXAMPLES / "pk_wide.safetensors").stat().st_size < 1_000_000


def test_it_is_what_its_card_says(emulator, spectra):
    percent = emulator.card["held_out"]["pk_lin"]["percent"]["100 %"]
    assert percent < 0.05
    found = np.asarray(emulator(POINT)["pk_lin"], dtype=float)
    assert 100 * np.abs(found / spectra[0] - 1).max() < 2 * percent


def test_its_gradient_is_that_of_class(emulator, spectra):
    exact = (np.log(spectra[1]) - np.log(spectra[2])) / (2 * STEP)
    found = jax.jacfwd(lambda t: jnp.log(emulator(t)["pk_lin"].astype(float)))(jnp.asarray(POINT))[:, 1]
    assert np.abs(np.asarray(found) - exact).max() < 0.02 * np.abs(exact).max()
