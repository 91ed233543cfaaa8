"""MontePython's folders: as its own program writes them, and as we do."""

from dataclasses import replace

import numpy as np
import pytest
from made_chains import assert_same, chain_set

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.montepython import montepython_texts, read_montepython
from alfonsine.posterior.formats.whole_files import write_together

LOG = """\
#-----CLASS v3.2.0 (branch: master, hash: 1234)-----

data.experiments = ['fake_planck_realistic']
data.over_sampling=[1, 4]
# Parameters: [mean, min, max, 1-sigma, scale, role]
data.parameters['omega_b']      = [  2.2377,   None, None,      0.015, 0.01, 'cosmo']
data.parameters['100*theta_s']  = [ 1.0411,      -1,   -1,     3e-4,    1, 'cosmo']
data.parameters['tau_reio']     = [0.0543,   0.004, None,     0.008,    1, 'cosmo']
data.parameters['n_s']          = [0.96,  None, None, 0, 1, 'cosmo']
data.parameters['A_planck'] = [100.028, 90, 110, 0.25, 0.01, 'nuisance', 'gaussian', 100, 0.25]
data.parameters['A_s']          = [0, None, None, 0,   1e-9, 'derived']
data.cosmo_arguments['N_ur'] = 2.0328
data.N=10
"""
NAMES = """\
omega_b \t 10^{-2}\\omega{}_{b }\x20
100theta_s \t 100theta_{s }\x20
tau_reio \t \\tau{}_{reio }\x20
A_planck \t 10^{-2}A_{planck }\x20
A_s \t 10^{-9}A_{s }\x20
"""
ROWS = [[[3, 1394.2, 2.24, 1.0412, 0.053, 100.1, 2.1], [1, 1393.9, 2.25, 1.0411, 0.055, 99.8, 2.2]],
        [[2, 1395.0, 2.23, 1.0409, 0.051, 100.4, 2.0]]]  # fmt: skip


def written(folder):
    """What MontePython leaves, by its own formats of numbers."""
    for i, rows in enumerate(ROWS, 1):
        lines = [f"{w:.4g}  {h:.6g}\t" + "".join(f"{x:.6e}\t" for x in rest) + "\n" for w, h, *rest in rows]
        lines.insert(1, "# After 1 accepted steps: update proposal with max(R-1) = 0.3 and jumping factor = 2.4\n")
        (folder / f"2026-01-31_1000__{i}.txt").write_text("".join(lines))
    (folder / "2026-01-31_1000_.paramnames").write_text(NAMES)
    (folder / "log.param").write_text(LOG)
    return folder


def test_its_chains_are_read_in_units_of_the_parameters(tmp_path):
    chains = read_montepython(written(tmp_path))
    p = chains.posterior
    assert p.names == ("omega_b", "theta_s_100", "tau_reio", "A_planck") and list(p.derived) == ["A_s"]
    np.testing.assert_allclose(p.samples[0], [0.0224, 1.0412, 0.053, 1.001], rtol=1e-12)
    np.testing.assert_allclose(p.derived["A_s"], [2.1e-9, 2.2e-9, 2.0e-9], rtol=1e-12)
    np.testing.assert_array_equal(p.weights, [3, 1, 2])
    np.testing.assert_array_equal(p.chain, [0, 0, 1])
    np.testing.assert_array_equal(p.log_posterior, [-1394.2, -1393.9, -1395.0])
    assert chains.limits["omega_b"] == chains.limits["theta_s_100"] == (-np.inf, np.inf)
    assert chains.limits["tau_reio"] == (0.004, np.inf)
    assert chains.limits["A_planck"] == pytest.approx((0.9, 1.1))


def test_its_log_alone_names_the_columns(tmp_path):
    wanted = read_montepython(written(tmp_path)).posterior
    (tmp_path / "2026-01-31_1000_.paramnames").unlink()
    lines = LOG.splitlines(keepends=True)
    lines.insert(5, lines.pop(10))  # wherever derived ones stand there, they come last in the chains
    assert "'derived'" in lines[5]
    (tmp_path / "log.param").write_text("".join(lines))
    found = read_montepython(tmp_path).posterior
    assert_same(replace(found, latex=wanted.latex), wanted)


def test_units_that_nobody_tells_are_not_guessed(tmp_path):
    written(tmp_path)
    (tmp_path / "log.param").unlink()
    with pytest.raises(InputError, match=r"expected log\.param, since 'omega_b' is stored in units of its own"):
        read_montepython(tmp_path)
    plain = NAMES.replace("10^{-2}", "").replace("10^{-9}", "")
    (tmp_path / "2026-01-31_1000_.paramnames").write_text(plain)
    np.testing.assert_array_equal(read_montepython(tmp_path).posterior.samples[0, :2], [2.24, 1.0412])


@pytest.mark.parametrize("weighted", [False, True])
def test_round_trip(tmp_path, weighted):
    wanted = chain_set(weighted=weighted)
    write_together(montepython_texts(tmp_path / "m", wanted))
    found = read_montepython(tmp_path / "m")
    p, total = wanted.posterior, sum(wanted.posterior.log_likelihoods.values())
    assert_same(found.posterior, replace(p, log_posterior=total, log_likelihoods={"montepython": total}), rtol=1e-10)
    assert (found.limits, found.latex) == (wanted.limits, wanted.latex)


def test_parameters_get_its_names(tmp_path):
    p = replace(chain_set().posterior, names=("theta_s_100", "logA"))
    texts = montepython_texts(tmp_path, ChainSet(p))
    log = texts[tmp_path / "log.param"].decode()
    assert "data.parameters['100*theta_s'] = " in log and "data.parameters['ln10^{10}A_s'] = " in log
    write_together(texts)
    assert read_montepython(tmp_path).posterior.names == ("theta_s_100", "ln10^{10}A_s")


@pytest.mark.parametrize(
    "line",
    [
        "data.parameters['a'] = [1, None, None, 0.1, __import__('os').system('ls'), 'cosmo']",
        "data.parameters['a'] = [1, None, None, 0.1, 0, 'cosmo']",
        "data.parameters['a'] = [1, None, None, 0.1]",
        "data.parameters['a'] = [1, None, None, 0.1, 1, 'cosmic']",
        "data.parameters['a'] = [1, None, None, 0.1, nan, 'cosmo']",
        "data.parameters['a'] = [1, 'low', None, 0.1, 1, 'cosmo']",
        "data.parameters['a'] = [" + "[" * 500 + "]" * 501,
    ],
)
def test_a_log_that_is_wrong_is_told_and_never_executed(tmp_path, line):
    written(tmp_path)
    (tmp_path / "log.param").write_text(LOG + line + "\n")
    with pytest.raises(InputError, match=r"log\.param:14: expected \[mean, min, max, step, scale, role\]") as told:
        read_montepython(tmp_path)
    assert "\n" not in str(told.value)


def test_a_folder_without_chains_is_told(tmp_path):
    with pytest.raises(InputError, match="found none; check the folder"):
        read_montepython(tmp_path)
    written(tmp_path)
    for name in ("log.param", "2026-01-31_1000_.paramnames"):
        (tmp_path / name).unlink()
    with pytest.raises(InputError, match=r"expected log\.param or a file \.paramnames"):
        read_montepython(tmp_path)
