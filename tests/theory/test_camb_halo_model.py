"""Points that differ in the halo model's parameters share one solution of CAMB, and are those of fresh runs."""

import numpy as np
import pytest

camb = pytest.importorskip("camb")

from alfonsine.theory.camb import CambTheory  # noqa: E402
from alfonsine.theory.grids import MatterPower, spaced  # noqa: E402

POINT = {"H0": 67.3, "omega_b": 0.0224, "omega_cdm": 0.12, "tau_reio": 0.06, "logA": 3.05, "n_s": 0.965}
CHANGE = {"c_min": 2.3, "eta_0": 0.85, "logA": 2.8, "n_s": 1.02}
# coarse on purpose
COARSE = {"AccuracyBoost": 0.5, "kmax": 8.0, "halofit_version": "mead2015", "NonLinear": camb.model.NonLinear_both}
COARSE |= {"lens_potential_accuracy": 1}


def test_a_shared_solution_gives_the_nonlinear_spectra_of_a_fresh_run():
    k, z = spaced("k", 0.01, 4.0, 12), (0.0, 1.0)
    theory = CambTheory(COARSE, ("tt", "pp"), l_max=150, matter_power=MatterPower(("pk_lin", "pk_nl"), k, z))
    first, last = POINT | {"c_min": 3.13, "eta_0": 0.603}, POINT | CHANGE
    assert theory.shares(first) == theory.shares(last)
    before = theory.solves
    found = [theory.compute(point).spectra for point in (first, last, first)]
    assert theory.solves - before == 1
    for name in found[0]:
        np.testing.assert_array_equal(found[0][name], found[2][name], err_msg=name)  # nothing stays behind

    told = {"H0": 67.3, "ombh2": 0.0224, "omch2": 0.12, "tau": 0.06, "As": 1e-10 * np.exp(2.8), "ns": 1.02}
    baryons = {"HMCode_A_baryon": 2.3, "HMCode_eta_baryon": 0.85}
    data = camb.get_results(camb.set_params(lmax=150, redshifts=[1.0, 0.0], **COARSE, **told, **baryons))
    bent = data.get_matter_power_interpolator(nonlinear=True, hubble_units=False, k_hunit=False)
    values = np.array([bent.P(each, k) for each in z])
    np.testing.assert_allclose(found[1]["pk_nl"].reshape(2, -1), values, rtol=1e-6)
    potential = data.get_lens_potential_cls(150, "muK", raw_cl=True)[2:, 0]
    np.testing.assert_allclose(found[1]["pp"], potential, rtol=1e-6)
    # the halo model alone: large at the last wavenumber, nothing at the first
    alone = theory.compute(POINT | {"c_min": 3.13, "eta_0": 0.603, **{n: CHANGE[n] for n in ("c_min", "eta_0")}})
    effect = np.abs(alone.spectra["pk_nl"] / found[0]["pk_nl"] - 1).reshape(2, -1)
    assert effect[0, -1] > 0.05 and effect[0, 0] < 1e-3
