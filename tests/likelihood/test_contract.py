"""What every likelihood promises, for all of them that need no files, and for Planck where its files are here."""

import os
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood import mock_cmb
from alfonsine.likelihood.registry import load_likelihood
from alfonsine.theory.output import Axis

K = 5
CASES = {
    "gaussian": ("gaussian", {"observable": "y", "value": [1.0, 2.0, 4.0], "error": [0.1, 0.2, 0.3]}),
    "mock_cmb": ("mock_cmb", {}),
    "mock_cmb_tt": ("mock_cmb", {"spectra": "TT"}),
    "planck_2018_lite": ("planck_2018_lite", {"low_l_tt_bins": True}),
    "planck_2018_lowl_tt": ("planck_2018_lowl_tt", {}),
    "planck_2018_lowl_ee": ("planck_2018_lowl_ee", {}),
}


def fiducial(spectra):
    """Smooth stand-ins for the spectra: the expected band powers of the mock, interpolated."""
    if spectra == {"y": 4}:
        return {"y": jnp.array([1.1, 1.9, 4.2])}
    centre, bands = mock_cmb.binning().mean(np.arange(2.0, 2501.0)), mock_cmb.read_data()[:, 5:].T
    expected = dict(zip(("tt", "te", "ee"), bands, strict=True))
    ell = {name: np.arange(2, l_max + 1) for name, l_max in spectra.items()}
    return {n: jnp.asarray(np.interp(x, centre, expected[n]) * 2 * np.pi / (x * (x + 1))) for n, x in ell.items()}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """A likelihood, and spectra that are linear in K amplitudes: bands = matrix @ a, near the data at a = e_0."""
    name, options = CASES[request.param]
    with pytest.MonkeyPatch.context() as patch:
        beside = Path(__file__).parents[3] / "shared" / "data"
        if "ALFONSINE_DATA" not in os.environ and beside.is_dir():
            patch.setenv("ALFONSINE_DATA", str(beside))
        try:
            likelihood = load_likelihood(name, options)
        except InputError as error:
            pytest.skip(str(error))
    rng = np.random.default_rng(8)
    cl = fiducial(likelihood.spectra)
    basis = {
        n: jnp.stack([c] + [c * float(s) for s in rng.normal(scale=0.1, size=K - 1)], axis=1) for n, c in cl.items()
    }
    basis = {n: b * (1 + 0.3 * jnp.sin(jnp.outer(jnp.arange(len(b)), jnp.arange(K)) / 7)) for n, b in basis.items()}
    matrix = jax.vmap(likelihood.bands, in_axes=1, out_axes=1)(basis)
    amplitudes = jnp.asarray(np.r_[1.0, rng.normal(scale=0.1, size=K - 1)])
    return likelihood, basis, matrix, amplitudes, 1 + 0.003 * jnp.ones(len(likelihood.nuisance))


def test_bands_are_linear_and_ignore_longer_spectra(case):
    likelihood, basis, matrix, a, _ = case
    spectra = {n: jnp.append(b @ a, jnp.array([1e9, -1e9])) for n, b in basis.items()}
    np.testing.assert_allclose(likelihood.bands(spectra), matrix @ a, rtol=1e-9, atol=1e-12)


def test_numpy_arrays_serve_as_well(case):
    likelihood, basis, matrix, a, nuisance = case
    bands = likelihood.bands({n: np.asarray(b @ a) for n, b in basis.items()})
    value = likelihood.log_likelihood(np.asarray(bands), np.asarray(nuisance))
    folded = likelihood.fold(np.asarray(matrix))(np.asarray(a), np.asarray(nuisance))
    assert float(folded) == pytest.approx(float(value), rel=1e-9)
    assert likelihood.whiten(np.asarray(bands)[None], np.asarray(bands)).shape == (1, bands.size)


def test_folded_equals_unfolded(case):
    likelihood, _, matrix, a, nuisance = case
    value = float(likelihood.log_likelihood(matrix @ a, nuisance))
    assert np.isfinite(value)
    assert float(likelihood.fold(matrix)(a, nuisance)) == pytest.approx(value, abs=1e-9 * max(1, abs(value)))


def test_gradients_against_finite_differences(case):
    """Five-point central differences: error of order h^4, and rounding."""
    likelihood, _, matrix, a, nuisance = case
    folded = eqx.filter_jit(likelihood.fold(matrix))
    gradient = jax.grad(folded, argnums=(0, 1))(a, nuisance)

    def slope(f, h=1e-4):
        return float((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h))

    for i in range(K):
        expected = slope(lambda h, i=i: folded(a.at[i].add(h), nuisance))
        assert float(gradient[0][i]) == pytest.approx(expected, rel=1e-5, abs=1e-4)
    for i in range(len(nuisance)):
        expected = slope(lambda h, i=i: folded(a, nuisance.at[i].add(h)))
        assert float(gradient[1][i]) == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_arguments_of_jit_and_vmap(case):
    """Likelihoods go through `jit` as arguments, and another of the same shape needs no new compilation."""
    likelihood, _, matrix, a, nuisance = case
    traces = []

    @jax.jit
    def batch(folded, points, nuisance):
        traces.append(None)
        return jax.vmap(folded, in_axes=(0, None))(points, nuisance)

    points = jnp.stack([a, 1.001 * a])
    expected = [float(likelihood.log_likelihood(matrix @ p, nuisance)) for p in points]
    np.testing.assert_allclose(batch(likelihood.fold(matrix), points, nuisance), expected, rtol=1e-9)
    expected = [float(likelihood.log_likelihood(1.01 * matrix @ p, nuisance)) for p in points]
    np.testing.assert_allclose(batch(likelihood.fold(1.01 * matrix), points, nuisance), expected, rtol=1e-9)
    assert len(traces) == 1
    whole = jax.jit(lambda one, bands: one.log_likelihood(bands, nuisance))
    np.testing.assert_allclose(float(whole(likelihood, 1.01 * matrix @ a)), expected[0], rtol=1e-9)


def test_whiten_is_linear_and_of_full_rank(case):
    likelihood, _, matrix, a, _ = case
    reference = matrix @ a
    d = np.random.default_rng(9).normal(size=(3, reference.size)) * np.asarray(reference)
    white = likelihood.whiten(jnp.asarray(d), reference)
    np.testing.assert_allclose(
        likelihood.whiten(jnp.asarray(d[:1] + 2 * d[1:2]), reference)[0], white[0] + 2 * white[1], rtol=1e-8, atol=1e-8
    )
    assert np.linalg.matrix_rank(likelihood.whiten(jnp.diag(reference), reference)) == reference.size


def test_a_parabola_at_some_multipoles_is_a_parabola_at_all(case):
    """The spline keeps parabolas: bands from a ninth of the multipoles are those from all, for every likelihood."""
    likelihood = case[0]

    def parabola(ell):
        return 2.0 - ell / 1000 + 3.0 * (ell / 1000) ** 2

    at = {n: np.unique([2.0, 3.0, *np.arange(4.0, top, 9.0), float(top)]) for n, top in likelihood.spectra.items()}
    some = likelihood.at({name: Axis("l", "", tuple(ell)) for name, ell in at.items()})
    found = some.bands({name: jnp.asarray(parabola(ell)) for name, ell in at.items()})
    full = {name: jnp.asarray(parabola(np.arange(2.0, top + 1))) for name, top in likelihood.spectra.items()}
    np.testing.assert_allclose(found, likelihood.bands(full), rtol=1e-9)
    assert some.nodes == {name: Axis("l", "", tuple(ell.tolist())) for name, ell in at.items()}
    assert some.splined == {
        name: axis for name, axis in some.nodes.items() if len(axis.values) < likelihood.spectra[name] - 1
    }
    every = Axis("l", "", tuple(np.arange(2.0, 4000.0)))
    assert likelihood.splined == {} and likelihood.at(dict.fromkeys(at, every)).splined == {}
