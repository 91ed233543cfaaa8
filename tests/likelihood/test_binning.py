"""Windows against loops, and what they say about spectra that do not fit."""

import jax.numpy as jnp
import numpy as np
import pytest
from slow_spline import slow_spline

from alfonsine.errors import InputError
from alfonsine.likelihood.binning import Windows, contiguous, dl_mean
from alfonsine.theory.output import Axis

FIRST, LAST = np.array([3, 6]), np.array([4, 9])  # l = 2 and l = 5 in no bin


def test_contiguous_sums_the_weighted_multipoles():
    rng = np.random.default_rng(7)
    weight, cl = rng.normal(size=10), rng.normal(size=12)
    expected = [sum(weight[ell - 2] * cl[ell - 2] for ell in range(a, b + 1)) for a, b in zip(FIRST, LAST, strict=True)]
    bands = contiguous(FIRST, LAST, weight)
    np.testing.assert_allclose(bands(jnp.asarray(cl)), expected, rtol=1e-12)
    assert bands.l_max == 9


def test_mean_is_the_weighted_average():
    weight = np.arange(1.0, 9.0)
    expected = [np.average(np.arange(a, b + 1), weights=weight[a - 2 : b - 1]) for a, b in ((3, 4), (6, 9))]
    np.testing.assert_allclose(contiguous(FIRST, LAST, weight).mean(np.arange(2.0, 10.0)), expected, rtol=1e-12)


def test_dl_mean_of_a_flat_spectrum_is_its_height():
    ell = np.arange(2, 10)
    cl = 7.0 * 2 * np.pi / (ell * (ell + 1))
    np.testing.assert_allclose(dl_mean(FIRST, LAST)(jnp.asarray(cl)), [7.0, 7.0], rtol=1e-12)


def test_windows_name_what_is_missing_or_short():
    windows = Windows(("tt", "ee"), (dl_mean(FIRST, LAST),) * 2)
    assert windows.spectra == {"tt": 9, "ee": 9}
    assert windows({"tt": jnp.ones(8), "ee": jnp.ones(30)}).shape == (4,)
    with pytest.raises(InputError, match="expected the spectrum 'ee', got tt"):
        windows({"tt": jnp.ones(8)})
    with pytest.raises(InputError, match=r"expected 'tt' for l = 2 to 9 \(8 values\), got 7 values"):
        windows({"tt": jnp.ones(7), "ee": jnp.ones(8)})


ELL = np.arange(2.0, 10.0)
NODES = np.array([2.0, 3.0, 5.0, 8.0, 12.0])


def test_bands_at_nodes_are_those_of_the_splined_spectrum():
    windows = Windows(("tt", "ee"), (dl_mean(FIRST, LAST), contiguous(FIRST, LAST, np.arange(1.0, 9.0))))
    values = np.random.default_rng(3).normal(size=(2, 5))
    axis = Axis("l", "", tuple(NODES))
    found = windows.at({"tt": axis, "ee": axis, "pp": Axis("l", "", (2.0, 3.0))}, "data")
    full = {n: jnp.asarray(slow_spline(NODES, v, ELL)) for n, v in zip(("tt", "ee"), values, strict=True)}
    given = dict(zip(("tt", "ee"), jnp.asarray(values), strict=True))
    np.testing.assert_allclose(found(given), windows(full), rtol=1e-10)
    assert found.nodes == {"tt": axis, "ee": axis} == found.splined and found.spectra == windows.spectra
    only = windows.at({"ee": axis, "tt": Axis("z", "", tuple(NODES))}, "data")  # no spectrum has redshifts
    np.testing.assert_allclose(only({"tt": full["tt"], "ee": given["ee"]}), windows(full), rtol=1e-10)


def test_all_multipoles_are_read_as_they_are():
    binning = dl_mean(FIRST, LAST)
    assert binning.at(ELL, "x") is binning and binning.at(np.arange(2.0, 30.0), "x") is binning
    splined = binning.at(NODES, "x")
    assert splined.at(NODES, "x") is splined
    with pytest.raises(InputError, match="x at the 5 multipoles that it was prepared for, got 8 others"):
        splined.at(ELL, "x")


def test_only_multipoles_with_weight_are_needed():
    """No bin has l = 2: a list from 3 will do, and gives the same where nothing is splined."""
    values = np.random.default_rng(5).normal(size=8)
    bands = dl_mean(FIRST, LAST)
    np.testing.assert_allclose(bands.at(ELL[1:], "x")(values[1:]), bands(jnp.asarray(values)), rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ((4, 6, 9), r"from 3 to 9, 3 at least, got 4 to 9: l = 3 missing"),
        ((2, 3, 5, 7), r"got 2 to 7: l = 8 to 9 missing"),
        ((5, 6, 7), r"got 5 to 7: l = 3 to 4 and 8 to 9 missing"),
        ((3, 9), r"got 3 to 9: 2 multipoles"),
    ],
)
def test_multipoles_that_do_not_reach_are_named(given, missing):
    with pytest.raises(InputError, match=rf"\Aexpected 'tt' for mine at multipoles that reach .*{missing}; add them\Z"):
        Windows(("tt",), (dl_mean(FIRST, LAST),)).at({"tt": Axis("l", "", tuple(map(float, given)))}, "mine")


def test_spectra_at_other_nodes_are_refused():
    windows = Windows(("tt",), (dl_mean(FIRST, LAST),)).at({"tt": Axis("l", "", tuple(NODES))}, "mine")
    for size in (4, 8):
        with pytest.raises(InputError, match=f"expected 'tt' at 5 nodes, got {size} values"):
            windows({"tt": jnp.ones(size)})
