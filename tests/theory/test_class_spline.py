"""The spline from nodes to all multipoles against a slow twin, against CLASS itself, and on parabolas."""

import numpy as np
import pytest
from slow_spline import slow_spline

from alfonsine.theory.class_spectra import L_LINSTEP, L_LOGSTEP, nodes
from alfonsine.theory.class_spline import spline


@pytest.mark.parametrize("at", [(2, 3, 5), (2, 3, 4, 9, 11, 30), tuple(nodes(300))])
def test_against_the_slow_way(at):
    x, ell = np.array(at, dtype=float), np.arange(at[0], at[-1] + 1.0)
    y = np.random.default_rng(4).normal(size=len(x))
    np.testing.assert_allclose(spline(x, ell) @ y, slow_spline(x, y, ell), rtol=1e-9, atol=1e-9)


def test_parabolas_are_exact_and_nodes_are_kept():
    x = np.array([2.0, 4.0, 5.0, 9.0, 20.0])
    ell = np.arange(2.0, 21.0)
    matrix = spline(x, ell)
    np.testing.assert_allclose(matrix @ (3 - x + 0.2 * x**2), 3 - ell + 0.2 * ell**2, rtol=1e-12)
    np.testing.assert_allclose(matrix[np.isin(ell, x)], np.eye(5), atol=1e-14)


def test_it_is_the_spline_of_class():
    """CLASS moves its nodes with the distance to recombination (r below): for one r its spectrum is the spline's.

    A spline with other ends, or of l (l + 1) C_l, misses by 1e-3.
    """
    from classy import Class

    cosmo = Class()
    cosmo.set({"output": "tCl", "l_max_scalars": 400, "lensing": "no"})
    cosmo.compute(["harmonic"])
    exact, ell = cosmo.raw_cl(400)["tt"][2:], np.arange(2.0, 401.0)
    cosmo.struct_cleanup()
    cosmo.empty()
    errors = []
    for r in np.linspace(0.97, 1.03, 61):
        at = np.array(nodes(400, L_LOGSTEP**r, int(L_LINSTEP * r)))
        errors.append(np.abs(spline(at.astype(float), ell) @ exact[at - 2] / exact - 1).max())
    assert min(errors) < 1e-13
