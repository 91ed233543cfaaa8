"""Make the data of the mock CMB experiment: needs CLASS, once.

`python -m alfonsine.likelihood.make_mock_cmb` writes mock_cmb.txt. It holds, per bin: first and last multipole,
the band powers drawn (noise included), and the expected ones (without noise), TT, TE, EE, D_l in muK^2.
"""

import os
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alfonsine.likelihood.mock_cmb import L_MAX, SPECTRA, binning, edges, modes, noise_bands

SEED = 1252
COSMOLOGY = {
    "omega_b": 0.02237,
    "omega_cdm": 0.1200,
    "100*theta_s": 1.0419,
    "ln_A_s_1e10": 3.045,
    "n_s": 0.965,
    "tau_reio": 0.0544,
    "N_ur": 3.044,
}


def expected_bands() -> Float[np.ndarray, "3 bin"]:
    """Bands of the lensed spectra of CLASS at COSMOLOGY, default precision."""
    from classy import Class

    cosmo = Class()
    cosmo.set(COSMOLOGY | {"output": "tCl,pCl,lCl", "lensing": "yes", "l_max_scalars": L_MAX})
    cosmo.compute()
    raw, to_muK2 = cosmo.lensed_cl(L_MAX), (1e6 * cosmo.T_cmb()) ** 2
    bands = np.array([binning()(to_muK2 * raw[name][2:]) for name in SPECTRA])
    cosmo.struct_cleanup()
    return bands


def draw(
    mean: Float[np.ndarray, "3 bin"], nu: Float[np.ndarray, " bin"], rng: np.random.Generator
) -> Float[np.ndarray, "3 bin"]:
    """Wishart band powers of the given mean and degrees of freedom (which need not be integer).

    Bartlett: Chat = L A A' L' / nu with C = L L', A lower triangular, A_11^2 and A_22^2 chi-square with
    nu and nu - 1 degrees of freedom, A_21 standard normal.
    """
    tt, te, ee = mean
    a11, a21, a22 = np.sqrt(rng.chisquare(nu)), rng.standard_normal(nu.size), np.sqrt(rng.chisquare(nu - 1))
    l11 = np.sqrt(tt)
    l21 = te / l11
    l22 = np.sqrt(ee - l21**2)
    m11, m21, m22 = l11 * a11, l21 * a11 + l22 * a21, l22 * a22
    return np.array([m11**2, m11 * m21, m21**2 + m22**2]) / nu


def main() -> None:
    """Write the table."""
    expected = expected_bands()
    drawn = draw(expected + noise_bands(), modes(), np.random.default_rng(SEED))
    first, last = edges()
    cosmology = ", ".join(f"{name} {value}" for name, value in COSMOLOGY.items())
    header = (
        "Mock CMB band powers, made by alfonsine.likelihood.make_mock_cmb\n"
        f"cosmology: {cosmology} (flat LCDM, massless neutrinos)\n"
        f"CLASS {version('classy')}, default precision; numpy {np.__version__}, default_rng seed {SEED}\n"
        "l_first l_last, drawn D_l^TT TE EE (noise included), expected D_l^TT TE EE (without noise) [muK^2]"
    )
    np.savetxt(
        Path(__file__).with_name("mock_cmb.txt"),
        np.column_stack([first, last, drawn.T, expected.T]),
        fmt=["%d", "%d"] + 6 * ["%.12g"],
        header=header,
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
