"""Training with given derivatives: fewer models, better slopes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.networks.plan import Derivatives, Plan, Stage
from alfonsine.emulator.networks.prepare import prepare
from alfonsine.emulator.networks.training import train
from alfonsine.errors import InputError
from alfonsine.theory.output import Axis, Output, multipoles

DIRECTIONS = ((0.5, 0.0), (0.2, 0.5))
ELL = np.arange(2, 12)
PLAN = Plan(
    ("tt",),
    (24, 24),
    (Stage(5e-3, 400, 12), Stage(5e-4, 100, 12)),
    fractions=(0.6, 0.3, 0.1),
    derivatives=Derivatives(DIRECTIONS, {"tt": "slopes"}),
)


def spectrum(theta):
    """Waves whose phase both parameters move: slopes say more than values."""
    return jnp.exp(0.3 * theta[0]) * jnp.sin(2 * theta[0] + ELL / 3) + jnp.cos(3 * theta[1] * ELL / 10)


VALUES = jax.jit(jax.vmap(spectrum))
JACOBIAN = jax.jit(jax.vmap(jax.jacfwd(spectrum)))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """40 models, 24 of them for training, with derivatives along two directions."""
    slopes = Output("slopes", "", (Axis("direction", "", (0.0, 1.0)), Axis("l", "", tuple(map(float, ELL)))))
    writer = ModelSet.create(
        tmp_path_factory.mktemp("toy") / "set", ("a", "b"), [multipoles("tt", 10, ""), slopes], 40, "float64"
    )
    theta = np.random.default_rng(2).uniform(-1, 1, (40, 2))
    along = np.einsum("nmd,pd->npm", np.asarray(JACOBIAN(theta)), np.array(DIRECTIONS))
    writer.write(np.arange(40), theta, {"tt": np.asarray(VALUES(theta)), "slopes": along.reshape(40, -1)})
    return writer.close()


def slope_error(trained):
    """Root mean square error of all derivatives, over their own size, at points that no network saw."""
    theta = jnp.asarray(np.random.default_rng(3).uniform(-1, 1, (300, 2)))
    found = jax.jit(jax.vmap(jax.jacfwd(lambda t: trained(t)["tt"])))(theta)
    truth = JACOBIAN(theta)
    return float(jnp.sqrt(jnp.mean((found - truth) ** 2) / jnp.mean(truth**2)))


@pytest.mark.slow
def test_the_derivative_term_lowers_the_error_of_derivatives(kept, tmp_path):
    with_term = train(kept, PLAN, tmp_path / "with")
    without = train(kept, dataclasses.replace(PLAN, derivatives=None), tmp_path / "without")
    errors = slope_error(with_term), slope_error(without)
    assert errors[0] < 0.5 * errors[1], errors


def test_targets_are_derivatives_of_normalised_entries(kept):
    """Along v: (J v)/std of the entry, against finite differences."""
    prepared = prepare(kept, PLAN)
    ids, chain = prepared.ids["train"], prepared.chain
    _, _, found = prepared.encoded(ids[:5])
    theta, h = kept.theta[ids[:5]], 1e-6
    for j, v in enumerate(np.array(DIRECTIONS)):
        ahead, behind = (chain.encode(VALUES(theta + s * h * v)) for s in (1, -1))
        np.testing.assert_allclose(found[:, j], (ahead - behind) / (2 * h), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Derivatives(((1.0,),), {"tt": "slopes"}), "directions of 2 numbers"),
        (Derivatives((), {"tt": "slopes"}), "directions of 2 numbers"),
        (Derivatives(DIRECTIONS[:1], {"tt": "slopes"}), "an output of 10 numbers with the 1 derivatives"),
        (Derivatives(DIRECTIONS, {}), "an output of 20 numbers"),
    ],
)
def test_derivatives_that_do_not_fit_are_refused(kept, tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        train(kept, dataclasses.replace(PLAN, derivatives=given), tmp_path)
