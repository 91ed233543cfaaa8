"""Every file of every data set, damaged in several ways: one line, whatever is wrong, and never a likelihood."""

import warnings

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood import data_sets
from alfonsine.likelihood.registry import load_likelihood

# likelihood, options -> data set, files that it reads
READ = {
    "planck_2018_lite": (
        "planck2018_lite",
        ["cl_cmb_plik_v22.dat", "blmin.dat", "blmax.dat", "bweight.dat", "cov_613.npz"],
    ),
    "planck_2018_lowl_tt": ("planck2018_lowl", ["lognormal_fit_2bins_TT.txt"]),
    "planck_2018_lowl_ee": ("planck2018_lowl", ["lognormal_fit_3bins_EE.txt"]),
    "planck_2018_lowl_ee_sroll2": ("planck2018_lowl", ["sroll2_lowE_prob_table.npz"]),
    "planck_2018_lensing": (
        "planck2018_lensing",
        [
            "consext8_bandpowers.dat",
            "consext8_CMBmarged_lensing_fiducial_correction.dat",
            "consext8_windows.npz",
            "consext8_CMBmarged_cov.dat",
        ],
    ),
    "act_dr6_lensing": ("act_dr6_lensing", ["kk_bandpowers.txt", "kk_windows.npz", "kk_cov_lens_only.txt"]),
    "spt3g_2018_lensing": (
        "spt3g_2018_lensing",
        [
            "pp_bandpowers.txt",
            "pp_windows.npz",
            "pp_cov.txt",
            "pp_fiducial_correction_phionly.txt",
            "pp_foreground_template.txt",
        ],
    ),
    "desi_dr2_bao": (
        "bao",
        ["desi_dr2/desi_gaussian_bao_ALL_GCcomb_mean.txt", "desi_dr2/desi_gaussian_bao_ALL_GCcomb_cov.txt"],
    ),
    "sdss_dr7_mgs": ("bao", ["sdss/sdss_MGS_prob.txt"]),
    "sdss_dr12_consensus": ("bao", ["sdss/sdss_DR12Consensus_bao.dat", "sdss/BAO_consensus_covtot_dM_Hz.txt"]),
    "sdss_dr16_lrg": ("bao", ["sdss/sdss_DR16_LRG_BAO_DMDH.dat", "sdss/sdss_DR16_LRG_BAO_DMDH_covtot.txt"]),
    "sdss_dr16_elg": ("bao", ["sdss/sdss_DR16_ELG_BAO_DVtable.txt"]),
    "sdss_dr16_lyauto": ("bao", ["sdss/sdss_DR16_LYAUTO_BAO_DMDHgrid.txt"]),
    "union3": ("sn", ["union3/lcparam_full.txt", "union3/mag_covmat.txt"]),
    "pantheon_2018_binned": ("sn", ["pantheon2018_binned/lcparam_DS17f.txt", "pantheon2018_binned/sys_DS17f.txt"]),
    "cosmic_clocks": ("cosmic_clocks", ["Hz_2016.dat"]),
    "bbn": ("bbn", ["PRIMAT_Yp_DH_Error.dat"]),
}


def cut(raw):
    return raw[: len(raw) // 2]


def lost_row(raw):
    lines = raw.split(b"\n")
    return b"\n".join(lines[: len(lines) // 2] + lines[len(lines) // 2 + 1 :])


def a_word(raw):
    at = raw.rfind(b"\n", 0, len(raw) - 3) + 1
    return raw[:at] + b"word " + raw[at:]


def not_a_number(raw):
    """The last number of the file."""
    words = raw.rstrip().rsplit(None, 1)
    return words[0] + b" nan\n"


DAMAGES = {
    "empty": lambda raw: b"",
    "cut": cut,
    "a row lost": lost_row,
    "a word": a_word,
    "not a number": not_a_number,
    "binary": lambda raw: bytes(range(256)) * 4,
    "a page": lambda raw: b"<html><body>404</body></html>",
}


# Where a table of supernovae is struck in columns that are not read (a name, unused numbers) nothing is wrong.
UNREAD = {("lcparam_full.txt", "not a number"), ("lcparam_DS17f.txt", "a word"), ("lcparam_DS17f.txt", "not a number")}
STRUCK = [
    (name, file, damage)
    for name, (_, files) in READ.items()
    for file in files
    for damage in DAMAGES
    if (file.rsplit("/", 1)[-1], damage) not in UNREAD
]


@pytest.mark.parametrize(("name", "file", "damage"), STRUCK)
def test_damaged_files_are_told_in_one_line(data_folder, tmp_path, monkeypatch, name, file, damage):
    data_set = READ[name][0]
    source = data_folder(data_set)
    for each in data_sets.sources()[data_set]["files"]:
        target = tmp_path / data_set / each
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source / each)
    target = tmp_path / data_set / file
    raw = target.read_bytes()
    target.unlink()
    target.write_bytes(DAMAGES[damage](raw))
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as told:
            load_likelihood(name)
    assert "\n" not in str(told.value) and len(str(told.value)) < 700
    assert file.rsplit("/", 1)[-1] in str(told.value) or name in str(told.value) or data_set in str(told.value)


@pytest.mark.parametrize(
    ("name", "file", "change"),
    [
        ("planck_2018_lite", "blmin.dat", lambda t: t + 5),
        ("planck_2018_lite", "blmax.dat", lambda t: t * 40),
        ("planck_2018_lite", "blmax.dat", lambda t: t + 1e200),
        ("planck_2018_lowl_ee", "lognormal_fit_3bins_EE.txt", lambda t: t[::-1]),
        ("planck_2018_lowl_ee", "lognormal_fit_3bins_EE.txt", lambda t: t * [1, 1e200, 1, 1, 1]),
        ("planck_2018_lowl_ee", "lognormal_fit_3bins_EE.txt", lambda t: t * [1.1, 1, 1, 1, 1]),
        ("planck_2018_lowl_ee", "lognormal_fit_3bins_EE.txt", lambda t: t * [1, 1, -1e200, 1, 1]),
        ("planck_2018_lowl_ee", "lognormal_fit_3bins_EE.txt", lambda t: t * [1, 1, 1, 0, 1]),
        ("planck_2018_lensing", "consext8_CMBmarged_cov.dat", lambda t: -t),
        ("cosmic_clocks", "Hz_2016.dat", lambda t: t * [1, 1, -1]),
        ("bbn", "PRIMAT_Yp_DH_Error.dat", lambda t: t * [1, 1, 1, 1, 1, 1, 1, -1]),
        ("sdss_dr16_elg", "sdss/sdss_DR16_ELG_BAO_DVtable.txt", lambda t: t * [1, -1]),
        ("sdss_dr16_elg", "sdss/sdss_DR16_ELG_BAO_DVtable.txt", lambda t: t[::-1]),
        ("sdss_dr16_lyauto", "sdss/sdss_DR16_LYAUTO_BAO_DMDHgrid.txt", lambda t: np.maximum(t, 7.0)),
    ],
)
def test_numbers_that_cannot_be(data_folder, tmp_path, monkeypatch, name, file, change):
    data_set = READ[name][0]
    source = data_folder(data_set)
    for each in data_sets.sources()[data_set]["files"]:
        target = tmp_path / data_set / each
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source / each)
    target = tmp_path / data_set / file
    table = np.loadtxt(target)
    target.unlink()
    np.savetxt(target, change(table))
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    with pytest.raises(InputError) as told:
        load_likelihood(name)
    assert "\n" not in str(told.value)
