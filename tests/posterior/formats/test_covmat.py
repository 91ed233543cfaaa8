"""Covariance matrices of both hosts: read, written, and read by the hosts' own programs; bad ones in one line."""

import numpy as np
import pytest
from made_chains import posterior

from alfonsine.errors import InputError
from alfonsine.posterior.formats.covmat import (
    CovarianceMatrix,
    covmat_text,
    montepython_covmat_text,
    read_covmat,
    write_covmat,
)
from alfonsine.posterior.formats.same_names import meaning, montepython_name, of_same_meaning

COBAYA = "# omegabh2 logA\n 4e-8 1e-7\n 1e-7 2.5e-4\n"
MONTEPYTHON = "#          omega_b,     ln10^{10}A_s\n 4e-08\t 1e-07\t\n 1e-07\t 2.5e-04\t\n"
MATRIX = np.array([[4e-8, 1e-7], [1e-7, 2.5e-4]])


def written(folder, text):
    path = folder / "m.covmat"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "names"), [(COBAYA, ("omegabh2", "logA")), (MONTEPYTHON, ("omega_b", "ln10^{10}A_s"))]
)
def test_both_forms_are_read(tmp_path, text, names):
    found = read_covmat(written(tmp_path, text))
    assert found.names == names
    np.testing.assert_array_equal(found.matrix, MATRIX)
    assert found.widths == {names[0]: pytest.approx(2e-4), names[1]: pytest.approx(np.sqrt(2.5e-4))}


@pytest.mark.parametrize("text", [covmat_text, montepython_covmat_text])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_round_trip_is_exact(tmp_path, text, size):
    root = np.random.default_rng(size).normal(size=(size, size)) * 10.0 ** np.arange(size)[:, None]
    matrix = root @ root.T
    matrix = 0.5 * (matrix + matrix.T)
    wanted = CovarianceMatrix(tuple(f"a{i}" for i in range(size)), matrix)
    found = read_covmat(written(tmp_path, text(wanted)))
    assert found.names == wanted.names
    np.testing.assert_array_equal(found.matrix, wanted.matrix)


def test_montepython_gets_its_names(tmp_path):
    text = montepython_covmat_text(read_covmat(written(tmp_path, COBAYA)))
    assert read_covmat(written(tmp_path, text)).names == ("omega_b", "ln10^{10}A_s")
    # what its own reader does with the first line
    names = text.split("\n")[0].strip("#").replace(" ", "").split(",")
    assert names == ["omega_b", "ln10^{10}A_s"]


def test_the_covariance_of_a_posterior_is_what_cobaya_reads(tmp_path):
    p = posterior(weighted=True)
    path = write_covmat(tmp_path / "chain.covmat", CovarianceMatrix.of(p))
    # as cobaya.sampler does: names of the first line, and numpy for the rest
    assert path.read_text().split("\n")[0].strip("#").strip().split() == list(p.names)
    np.testing.assert_array_equal(np.loadtxt(path), p.covariance())


@pytest.mark.filterwarnings("ignore::Warning")
def test_cobaya_begins_with_our_matrix(tmp_path):
    pytest.importorskip("cobaya")
    from cobaya.model import get_model
    from cobaya.sampler import get_sampler

    p = posterior()
    path = write_covmat(tmp_path / "chain.covmat", CovarianceMatrix.of(p))
    info = {
        "likelihood": {"one": None},
        "params": {n: {"prior": {"min": float(m - 1), "max": float(m + 1)}}
                   for n, m in zip(p.names, p.mean(), strict=True)},
    }  # fmt: skip
    sampler = get_sampler({"mcmc": {"covmat": str(path)}}, model=get_model(info))
    np.testing.assert_allclose(sampler.proposer.get_covariance(), p.covariance(), rtol=1e-10)


MALFORMED = {
    "empty": ("", "expected a first line"),
    "no names": ("1 0\n0 1\n", r"expected a first line '# names of the parameters', got '1 0'"),
    "names without #": (COBAYA[2:], "expected a first line"),
    "only names": ("# a b\n", "expected 2 rows of a matrix, got none"),
    "a name too many": (COBAYA.replace("logA", "logA ns"), "expected 3 rows and columns.* got 2 and 2"),
    "a row too few": (COBAYA[: COBAYA.rindex("1e-7")], "got 1 and 2|3: expected (numbers|2 columns)"),
    "a row too many": (COBAYA + " 1 2\n", "got 3 and 2"),
    "ragged": (COBAYA + " 1\n", "4: expected 2 columns, as in the line before, got 1; correct it"),
    "text": (COBAYA.replace("4e-8", "four"), "2: expected numbers, got 'four'"),
    "nan": (COBAYA.replace("4e-8", "nan"), "expected finite numbers"),
    "infinite": (COBAYA.replace("2.5e-4", "inf"), "expected finite numbers"),
    "overflowing": (COBAYA.replace("2.5e-4", "1e999"), "expected finite numbers"),
    "columns of other units": ("# a b\n1e308 0.01\n1e308 0.05\n", "expected a symmetric matrix, got 0.01 and 1e\\+308"),
    "a name twice": (COBAYA.replace("logA", "omegabh2"), "expected each name once, got 'omegabh2' twice"),
    "not symmetric": ("# a b\n1 0.5\n0.4 1\n", "expected a symmetric matrix, got 0.5 and 0.4 for 'a' and 'b'"),
    "negative variance": ("# a b\n-1 0\n0 1\n", "expected positive variances, got -1 for 'a'"),
    "zero variance": ("# a b\n1 0\n0 0\n", "expected positive variances, got 0 for 'b'"),
    "not positive definite": ("# a b\n1 2\n2 1\n", "expected a positive definite matrix"),
    "binary": (b"\x00\x01\x02" * 40, "got binary data"),
    "another encoding": ("# \u03a9_b H0\n1 0\n0 1\n".encode("utf-16"), "as text in UTF-8, got byte 0xff at 0"),
    "latin": ("# \u00e9 H0\n1 0\n0 1\n".encode("latin-1"), "as text in UTF-8, got byte 0xe9"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_matrix_is_one_clear_line(tmp_path, case):
    text, message = MALFORMED[case]
    with pytest.raises(InputError, match=message) as told:
        read_covmat(written(tmp_path, text))
    assert str(told.value).startswith(str(tmp_path / "m.covmat")) and "\n" not in str(told.value)


def test_a_matrix_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="found no such file"):
        read_covmat(tmp_path / "absent.covmat")
    with pytest.raises(InputError, match="got a folder"):
        read_covmat(tmp_path)


def test_names_that_a_form_cannot_hold_are_refused():
    for name in ("a b", "a,b", "#a"):
        with pytest.raises(InputError, match="expected names without space"):
            covmat_text(CovarianceMatrix((name,), np.eye(1)))
    with pytest.raises(InputError, match="expected names without comma"):
        montepython_covmat_text(CovarianceMatrix(("a,b",), np.eye(1)))


def test_only_names_of_exactly_the_same_meaning_are_the_same():
    known = ("omegabh2", "omegach2", "theta", "tau", "logA", "ns", "nnu", "mnu")
    for ours, theirs in {
        "omega_b": "omegabh2",
        "ombh2": "omegabh2",
        "omega_cdm": "omegach2",
        "ln_A_s_1e10": "logA",
        "n_s": "ns",
        "tau_reio": "tau",
        "theta_MC_100": "theta",
        "nnu": "nnu",
        "theta_s_100": None,
        "A_s": None,
        "N_ur": None,
        "m_ncdm": None,
        "cosmomc_theta": None,
    }.items():
        assert of_same_meaning(ours, known) == theirs
    assert montepython_name("theta_s_100") == "100*theta_s" == montepython_name("100theta_s")
    assert meaning("H0") == "H0"


def test_the_published_matrices(data_folder, tmp_path):
    """Of both kinds; the widths of Planck's baseline are those of its paper, table 2 of arXiv:1807.06209."""
    folder = data_folder("covmats")
    for path in sorted(folder.glob("*.covmat")):
        found = read_covmat(path)
        assert len(found.names) > 10, path
        again = read_covmat(write_covmat(tmp_path / "again.covmat", found)) if "," not in path.read_text() else found
        np.testing.assert_array_equal(again.matrix, found.matrix)
    widths = read_covmat(folder / "base_plikHM_TTTEEE_lowl_lowE.covmat").widths
    published = {"omegabh2": 0.00015, "omegach2": 0.0014, "theta": 0.00031, "tau": 0.0079, "logA": 0.016, "ns": 0.0044}
    for name, width in published.items():
        assert widths[name] == pytest.approx(width, rel=0.1)
    theirs = read_covmat(folder / "montepython_base2018TTTEEE_lite.covmat").widths
    assert theirs["ln10^{10}A_s"] == pytest.approx(0.016, rel=0.1) and "100*theta_s" in theirs
