"""The likelihoods by name: the `likelihood` block of a study."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood import (
    bbn,
    cmb_compressed,
    cmb_lite,
    cosmic_clocks,
    desi,
    gaussian_data,
    lensing,
    mock_cmb,
    planck_lite,
    planck_lowl,
    sdss,
    sdss_tables,
    sroll2,
    supernovae,
)
from alfonsine.likelihood.cobaya_names import known_to_cobaya
from alfonsine.likelihood.likelihood import Likelihood

LIKELIHOODS: dict[str, Callable[..., Likelihood]] = {
    "planck_2018_lite": planck_lite.planck_lite,
    "planck_2018_lowl_tt": planck_lowl.planck_lowl_tt,
    "planck_2018_lowl_ee": planck_lowl.planck_lowl_ee,
    "planck_2018_lowl_ee_sroll2": sroll2.planck_lowl_ee_sroll2,
    "planck_2018_lensing": lensing.planck_lensing,
    "act_dr6_lensing": lensing.act_lensing,
    "spt3g_2018_lensing": lensing.spt_lensing,
    "cmb_compressed": cmb_compressed.cmb_compressed,
    "cmb_lite": cmb_lite.cmb_lite,
    "desi_dr1_bao": desi.desi_dr1_bao,
    "desi_dr2_bao": desi.desi_dr2_bao,
    "desi_dr2_bao_table": desi.desi_dr2_bao_table,
    "sdss_dr7_mgs": sdss_tables.mgs,
    "sdss_dr12_consensus": sdss.dr12_consensus,
    "sdss_dr12_lrg": sdss.dr12_lrg,
    "sdss_dr16_lrg": sdss.dr16_lrg,
    "sdss_dr16_qso": sdss.dr16_qso,
    "sdss_dr16_elg": sdss_tables.elg,
    "sdss_dr16_lyauto": sdss_tables.lyman_alpha_auto,
    "sdss_dr16_lyxqso": sdss_tables.lyman_alpha_quasars,
    "union3": supernovae.union3,
    "pantheon_2018_binned": supernovae.pantheon_binned,
    "cosmic_clocks": cosmic_clocks.cosmic_clocks,
    "bbn": bbn.bbn,
    "mock_cmb": mock_cmb.mock_cmb,
    "gaussian": gaussian_data.gaussian_data,
}

KINDS = {str: "a word", bool: "true or false", float: "a number", float | bool: "a number, or true or false"}
SEVERAL = (
    "cmb_lite",
    "gaussian",
)  # data of the user's: may be there more than once, as gaussian.first, gaussian.second


def load_likelihood(name: str, options: Mapping[str, Any] | None = None) -> Likelihood:
    """Make a likelihood. InputError for unknown names and options, naming the nearest, or missing data."""
    kind, _, given = name.partition(".")
    if kind in SEVERAL and given:
        try:
            return replace(load_likelihood(kind, options), name=name)
        except InputError as error:
            raise InputError(f"{name}: {str(error).removeprefix(f'{kind}: ')}") from None
    if name not in LIKELIHOODS and known_to_cobaya(name):
        from alfonsine.likelihood.cobaya import cobaya_likelihood

        return cobaya_likelihood(name, options or {})
    if name not in LIKELIHOODS:
        raise InputError(f"expected the name of a likelihood, got '{name}'; {nearest(name, LIKELIHOODS)}")
    options = dict(options or {})
    known = inspect.signature(LIKELIHOODS[name]).parameters
    for option, value in options.items():
        if option not in known:
            advice = nearest(option, known) if known else "it has none"
            raise InputError(f"{name}: expected a known option, got '{option}'; {advice}")
        wanted = known[option].annotation
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = {str: isinstance(value, str), bool: isinstance(value, bool), float: number}
        if wanted in KINDS and not any(fits[kind] for kind in get_args(wanted) or (wanted,)):
            raise InputError(f"{name}: expected {option}: {KINDS[wanted]}, got {value!r}")
    for option, facts in known.items():
        if facts.default is facts.empty and option not in options:
            raise InputError(f"{name}: expected the option '{option}', got {sorted(options) or 'none'}; add it")
    return LIKELIHOODS[name](**options)
