"""An emulator of a box against the closed form that it has learned."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from box_sky import DESCRIBED, LOWER, NAMES, UPPER, K, Z, draws, fitted, models, outputs, power
from slow_spline import slow_spline

from alfonsine.emulator.box.fit import fit_box
from alfonsine.emulator.box.physics import known
from alfonsine.emulator.emulator import PIECE
from alfonsine.emulator.models import Models
from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.resample import resample
from alfonsine.emulator.stored.file import load_emulator, save_emulator
from alfonsine.errors import InputError


@pytest.fixture(scope="module")
def emulator():
    return fitted().emulator


def test_all_outputs_are_found_over_the_whole_box(emulator):
    theta = draws(100, seed=2)
    found, exact = emulator(theta), outputs(theta)
    for name, limit in {"pk_lin": 2e-4, "H": 1e-5, "derived": 2e-4}.items():
        assert np.abs(found[name] / exact[name] - 1).max() < limit, name
    for name in ("tt", "unlensed_ee"):
        assert np.abs(found[name] - exact[name]).max() < 1e-3 * np.abs(exact[name]).max(), name


@pytest.mark.parametrize("n", [1, PIECE, PIECE + 1, 3 * PIECE - 5])
def test_a_batch_in_pieces_is_what_its_points_are(emulator, n):
    theta = draws(n, seed=8)
    found = emulator(theta)["pk_lin"]
    assert found.shape == (n, len(Z) * len(K))
    for i in {0, n // 2, n - 1}:
        np.testing.assert_allclose(found[i], emulator(theta[i])["pk_lin"], rtol=1e-5)  # 32 bits


def test_the_forecast_is_about_the_error_of_new_models():
    """With few models, so that rounding is not what limits."""
    few = fitted(n=16, precision="float64", only=("pk_lin",))
    theta = draws(300, seed=3)
    error = np.log(few.emulator(theta)["pk_lin"] / outputs(theta)["pk_lin"]) / 1e-3
    assert 0.2 < few.left_out["pk_lin"] / np.sqrt(np.mean(error**2)) < 5.0  # 16 points: which terms win is close


def test_amplitude_and_tilt_are_exact_even_where_they_were_never_seen(emulator):
    """They are no inputs of the series, so no number of models teaches them better."""
    position = sorted(DESCRIBED).index("pk_lin")
    surrogate = emulator.surrogate
    assert surrogate.terms[surrogate.shared[position]].inputs == (0, 3)
    assert [i for i, _ in surrogate.blocks[position].slopes] == [1, 2]
    low, high = np.array([0.1, 0.86, 1.7, 0.05]), np.array([0.1, 1.09, 3.8, 0.05])
    ratio = np.asarray(emulator(high)["pk_lin"], float) / np.asarray(emulator(low)["pk_lin"], float)
    np.testing.assert_allclose(ratio, (power(high) / power(low)).reshape(-1), rtol=3e-6)


def test_gradients_are_those_of_the_closed_form(emulator):
    """Against central differences of the closed form; the emulator's own are exact by construction."""
    theta = jnp.asarray((LOWER + UPPER) / 2)
    found = jax.jacfwd(lambda t: emulator(t)["pk_lin"])(theta)
    for i, step in enumerate(1e-4 * (UPPER - LOWER)):
        shift = np.eye(4)[i] * step
        slope = (power(theta + shift) - power(theta - shift)).reshape(-1) / (2 * step)
        assert np.abs(found[:, i] - slope).max() < 2e-3 * max(np.abs(slope).max(), 1e-3 * float(power(theta).max()))


def test_outside_the_box_it_refuses_and_at_its_corners_it_answers(emulator):
    for corner in (LOWER, UPPER):
        assert np.isfinite(emulator(corner)["tt"]).all()
    for i in range(4):
        for edge, sign in ((LOWER, -1), (UPPER, 1)):
            beyond = edge + sign * 1e-3 * np.eye(4)[i]
            with pytest.raises(InputError, match="training domain"):
                emulator(beyond)
            assert np.isnan(jax.jit(lambda t: emulator(t)["tt"])(jnp.asarray(beyond))).all()


def test_a_file_gives_the_same_emulator_back(emulator, tmp_path):
    path = tmp_path / "box.safetensors"
    save_emulator(emulator, path)
    found = load_emulator(path)
    assert jax.tree.structure(found) == jax.tree.structure(emulator)
    theta = draws(5, seed=4)
    for name, values in emulator(theta).items():
        np.testing.assert_array_equal(values, found(theta)[name])
    assert found.outputs == {name: DESCRIBED[name] for name in sorted(DESCRIBED)}


def test_resampled_on_other_redshifts_and_wavenumbers(emulator):
    z, k = np.array([0.0, 0.33, 2.2, 4.9]), np.geomspace(2e-3, 0.2, 7)
    other = resample(emulator, "pk_lin", z=z, k=k)
    theta = draws(20, seed=5)
    found = np.asarray(other(theta)["pk_lin"], float).reshape(20, 4, 7)
    np.testing.assert_allclose(found, power(theta, z, k), rtol=1e-3)  # the sine is sampled more and more coarsely
    assert other.outputs["pk_lin"].shape == (4, 7)
    np.testing.assert_array_equal(other(theta)["H"], emulator(theta)["H"])
    same = resample(emulator, "pk_lin", z=Z, k=K)
    np.testing.assert_allclose(same(theta)["pk_lin"], emulator(theta)["pk_lin"], rtol=1e-5)


def test_a_spectrum_at_other_multipoles_is_on_the_spline_of_class(emulator):
    ell = emulator.outputs["tt"].axis("l").array
    wanted = np.arange(ell[1] + 0.25, ell[-2], 7.0)
    other, theta = resample(emulator, "tt", l=wanted), draws(3, seed=6)
    expected = [slow_spline(ell, row, wanted) for row in np.asarray(emulator(theta)["tt"], float)]
    np.testing.assert_allclose(other(theta)["tt"], expected, rtol=1e-4)  # 32 bits, and a spectrum that falls steeply


@pytest.mark.parametrize(
    ("name", "axes", "words"),
    [
        ("pk_lin", {"z": [5.5]}, "expected z between 0 and 5"),
        ("pk_lin", {"k": [1e-4, 1.0]}, "expected k between"),
        ("pk_lin", {"l": [2]}, "one of its axes (z, k)"),
        ("te", {"l": [2]}, "expected an output with axes"),
    ],
)
def test_nothing_is_extrapolated(emulator, name, axes, words):
    with pytest.raises(InputError) as caught:
        resample(emulator, name, **axes)
    assert words in str(caught.value)


@pytest.mark.slow
def test_an_output_that_is_a_logarithm_is_not_said_to_be_linear(emulator):
    with pytest.raises(InputError, match="linearly, got 'pk_lin', of which a function is emulated"):
        emulator.linear("pk_lin")
    theta = draws(3, seed=6)
    amplitudes = jax.vmap(emulator.surrogate)(jnp.asarray(theta))
    np.testing.assert_allclose(amplitudes @ emulator.linear("tt").T, emulator(theta)["tt"], rtol=1e-5)


def test_what_is_known_depends_on_the_output():
    theta = draws(30, seed=7)
    edges = {name: (values.min(axis=0), values.max(axis=0)) for name, values in outputs(theta).items()}
    assert known(DESCRIBED["pk_lin"], NAMES, *edges["pk_lin"]).exact == (1, 2)
    assert known(DESCRIBED["tt"], NAMES, *edges["tt"]).transform == "identity"
    assert known(DESCRIBED["tt"], NAMES, *edges["tt"]).exact == ()
    assert known(DESCRIBED["unlensed_ee"], NAMES, *edges["unlensed_ee"]).exact == (2,)
    assert known(DESCRIBED["H"], NAMES, *edges["H"]).transform == "exp"
    nonlinear = known(replace(DESCRIBED["pk_lin"], name="pk_nl"), NAMES, *edges["pk_lin"])
    assert len(nonlinear.slopes) == 2 and nonlinear.exact == ()


def test_too_few_models(tmp_path):
    theta = draws(5, seed=8)
    with pytest.raises(InputError, match="at least 10 models"):
        fit_box(models(theta), LOWER, UPPER)


@pytest.mark.slow
def test_pieces_from_disk_give_what_memory_gives(tmp_path, monkeypatch):
    """Also where an output is too large to be read at once: components are then found by passes over pieces."""
    theta, only = draws(50, seed=1), ("pk_lin", "tt")
    writer = ModelSet.create(tmp_path / "set", NAMES, [DESCRIBED[name] for name in only], 80, "float64")
    writer.write(np.arange(10, 60), theta, {name: outputs(theta)[name] for name in only})  # the others have failed
    found = Models.of_set(writer.close())
    assert len(found) == 50
    emulator = fitted(n=50, only=only).emulator
    same = fit_box(found, LOWER, UPPER).emulator
    monkeypatch.setattr("alfonsine.emulator.box.fit.IN_MEMORY", 0)
    monkeypatch.setattr("alfonsine.emulator.models.PIECE", 8 * 360 * 15)
    streamed = fit_box(found, LOWER, UPPER).emulator
    fresh = draws(50, seed=11)
    for name, values in emulator(fresh).items():
        np.testing.assert_allclose(same(fresh)[name], values, rtol=1e-6)
        scale = np.abs(np.asarray(values)).max()
        np.testing.assert_allclose(streamed(fresh)[name], values, rtol=2e-4, atol=1e-4 * scale)
