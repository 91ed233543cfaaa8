"""Windows against loops, and what they say about spectra that do not fit."""

import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood.binning import Windows, contiguous, dl_mean

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
