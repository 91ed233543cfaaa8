"""One emulator asked in every way it allows, against a plain NumPy evaluation of its formula."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_sky import CENTRE, NAMES, WIDTH, draws, small_emulator, spectra

from alfonsine.errors import InputError

INSIDE = draws(5, seed=7, reach=1.0)
FAR = CENTRE + np.array([0, 0, 0, 30.0]) * WIDTH


@pytest.fixture(scope="module")
def emulator():
    return small_emulator()


def same(one, other, rtol=1e-12):
    assert one.keys() == other.keys()
    for name, values in one.items():
        scale = np.abs(np.asarray(values)).max()
        np.testing.assert_allclose(values, other[name], rtol=rtol, atol=rtol * scale, err_msg=name)


def plain_features(cheap, omega, tilt, log_a, tau):
    """The quantity term by term, and what else `toy_sky.features` chooses."""
    theta = np.array([omega, tilt, log_a, tau])
    u = 2 * (theta - np.asarray(cheap.lower)) / np.asarray(cheap.upper - cheap.lower) - 1
    quantity = 0.0
    for row, coefficient in zip(np.asarray(cheap.table[0]), np.asarray(cheap.coefficients[0]), strict=True):
        quantity += coefficient * np.prod([np.cos(k * np.arccos(v)) for k, v in zip(row, u, strict=True)])
    return np.array([quantity, tilt, np.log(log_a), tilt * tau])


def plain(emulator, theta):
    """The formula with loops, powers and dictionaries of plain arrays."""
    outputs = {name: 0.0 for name in emulator.basis}
    coordinates = emulator.surrogate.coordinates
    x = plain_features(coordinates.features.cheap, *theta)
    u = np.concatenate([[1.0], (x - np.asarray(coordinates.centre)) / _scale(emulator)])
    terms = [np.prod([u[i] for i in row]) for row in np.asarray(emulator.surrogate.table)]
    first = 0
    for block in emulator.surrogate.blocks:
        s = block.scaling
        factor = np.exp(sum(b * (t - o) for b, t, o in zip(s.slope, theta, s.origin, strict=True)))
        components = np.asarray(terms) @ np.asarray(block.coefficients)
        if block.network is not None:
            components = components + np.mean([_member(block.network, m, u[1:]) for m in (0, 1)], axis=0)
        amplitudes = factor * np.concatenate([[1.0], components])
        for name, matrix in emulator.basis.items():
            outputs[name] = outputs[name] + np.asarray(matrix)[:, first : first + len(amplitudes)] @ amplitudes
        first += len(amplitudes)
    return outputs


def _scale(emulator):
    return np.asarray(emulator.surrogate.coordinates.scale)


def _member(network, m, x):
    for layer in network.members.hidden:
        w, b, alpha, beta = (np.asarray(a)[m] for a in (layer.weight, layer.bias, layer.alpha, layer.beta))
        y = w @ x + b
        x = (beta + (1 - beta) / (1 + np.exp(-alpha * y))) * y
    last = network.members
    return (np.asarray(last.weight)[m] @ x + np.asarray(last.bias)[m]) * np.asarray(network.scale)


def test_one_point_is_the_plain_formula(emulator):
    for theta in INSIDE:
        same(plain(emulator, theta), emulator(theta))


def test_it_resembles_what_it_was_trained_on(emulator):
    """Without the random networks, whose blocks are left out: they were put there only to have every part present."""
    found = emulator(INSIDE)
    np.testing.assert_allclose(found["pp"], spectra(INSIDE, 33)["pp"], rtol=1e-3)
    assert set(found) == set(spectra(INSIDE, 33))


def test_batch_dictionary_and_single_points_agree(emulator):
    batch = emulator(INSIDE)
    by_name = {name: INSIDE[:, i] for i, name in reversed(list(enumerate(NAMES)))}
    same(batch, emulator(by_name))
    same(batch, emulator(jnp.asarray(INSIDE)))
    for i, theta in enumerate(INSIDE):
        one = {name: values[i] for name, values in batch.items()}
        same(one, emulator(theta))
        same(one, emulator(dict(zip(NAMES, theta.tolist(), strict=True))))


def test_a_number_in_a_dictionary_holds_for_all_points(emulator):
    by_name = {name: INSIDE[:, i] for i, name in enumerate(NAMES)} | {"n_s": 0.961}
    expected = INSIDE.copy()
    expected[:, 1] = 0.961
    same(emulator(expected), emulator(by_name))


def test_jit_and_vmap_change_nothing(emulator):
    batch = emulator(INSIDE)
    same(batch, eqx.filter_jit(emulator)(INSIDE))
    same(batch, jax.vmap(emulator)(jnp.asarray(INSIDE)))
    same(batch, eqx.filter_jit(lambda e, x: e(x))(emulator, INSIDE))


def test_outputs_are_the_basis_times_the_amplitudes(emulator):
    theta = jnp.asarray(INSIDE[0])
    same({n: b @ emulator.amplitudes(theta) for n, b in emulator.basis.items()}, emulator(theta))


@pytest.mark.parametrize("name", ["tt", "ee", "pp", "derived", "distance"])
def test_gradient_matches_finite_differences(emulator, name):
    scale = np.abs(emulator(INSIDE[0])[name]).max()
    jacobian = np.asarray(jax.jacobian(lambda x: emulator(x)[name])(jnp.asarray(INSIDE[0])))
    step = 1e-4 * WIDTH
    up, down = (emulator(INSIDE[0] + sign * np.diag(step))[name] for sign in (1, -1))
    numerical = ((up - down) / (2 * step[:, None])).T
    np.testing.assert_allclose(jacobian * WIDTH, numerical * WIDTH, rtol=1e-6, atol=1e-9 * scale)


def test_outside_it_names_the_point(emulator):
    with pytest.raises(InputError, match=r"got tau_reio = 0\.36, beyond 0\.02 to 0\.1; call") as error:
        emulator(FAR)
    assert error.value.beyond == ("tau_reio",)
    with pytest.raises(InputError, match=r"tau_reio = 0\.36, .* \(1 of 6 outside\)"):
        emulator(np.vstack([INSIDE, FAR]))
    with pytest.raises(InputError, match="n_s = nan, beyond"):
        emulator(CENTRE * np.nan)


@pytest.mark.parametrize(
    "asked",
    [
        lambda e, x: jax.jit(lambda y: e(y))(x),
        lambda e, x: jax.jit(lambda y: jax.vmap(e)(y))(x[None]),
        lambda e, x: jax.vmap(e)(x[None]),
    ],
)
def test_outside_it_is_nan_where_values_cannot_be_seen(emulator, asked):
    found = asked(emulator, jnp.asarray(FAR))
    assert found.keys() == emulator.basis.keys()
    assert all(np.isnan(values).all() for values in found.values())


def test_outside_gradients_are_nan_and_not_zero(emulator):
    value, gradient = jax.value_and_grad(lambda x: emulator(x)["tt"].sum())(jnp.asarray(FAR))
    assert np.isnan(value) and np.isnan(gradient).all()


def test_a_bad_point_in_a_batch_spoils_no_other(emulator):
    found = eqx.filter_jit(emulator)(jnp.asarray(np.vstack([INSIDE, FAR])))
    same({name: values[:-1] for name, values in found.items()}, emulator(INSIDE))
    assert all(np.isnan(values[-1]).all() for values in found.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_s": None}, "missing n_s"),
        ({"n_s": None, "logA": None}, "missing n_s, logA"),
        ({"h": 0.7}, "unknown h"),
    ],
)
def test_inputs_by_name_must_be_exactly_its_own(emulator, change, message):
    given = {**dict(zip(NAMES, CENTRE.tolist(), strict=True)), **change}
    with pytest.raises(InputError, match=f"expected exactly the inputs omega, n_s, logA, tau_reio; {message}$"):
        emulator({name: value for name, value in given.items() if value is not None})


@pytest.mark.parametrize("shape", [(3,), (5,), (2, 3), (2, 2, 4), ()])
def test_wrong_shapes_are_refused(emulator, shape):
    with pytest.raises(InputError, match="expected parameters of shape"):
        emulator(np.zeros(shape))


def test_the_card_is_kept(emulator):
    assert emulator.card["theory"] == {"code": "toy sky", "l_max": 33}
