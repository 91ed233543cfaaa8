"""The likelihoods by name: the `likelihood` block of a study."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood import cmb_compressed, desi, gaussian_data, mock_cmb, planck_lite, planck_lowl
from alfonsine.likelihood.cobaya_names import known_to_cobaya
from alfonsine.likelihood.likelihood import Likelihood

LIKELIHOODS: dict[str, Callable[..., Likelihood]] = {
    "planck_2018_lite": planck_lite.planck_lite,
    "planck_2018_lowl_tt": planck_lowl.planck_lowl_tt,
    "planck_2018_lowl_ee": planck_lowl.planck_lowl_ee,
    "cmb_compressed": cmb_compressed.cmb_compressed,
    "desi_dr1_bao": desi.desi_dr1_bao,
    "desi_dr2_bao": desi.desi_dr2_bao,
    "desi_dr2_bao_table": desi.desi_dr2_bao_table,
    "mock_cmb": mock_cmb.mock_cmb,
    "gaussian": gaussian_data.gaussian_data,
}


def load_likelihood(name: str, options: Mapping[str, Any] | None = None) -> Likelihood:
    """Make a likelihood. InputError for unknown names and options, naming the nearest, or missing data."""
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
        if wanted in (str, bool) and not isinstance(value, wanted):
            kind = "true or false" if wanted is bool else "a word"
            raise InputError(f"{name}: expected {option}: {kind}, got {value!r}")
    for option, facts in known.items():
        if facts.default is facts.empty and option not in options:
            raise InputError(f"{name}: expected the option '{option}', got {sorted(options) or 'none'}; add it")
    return LIKELIHOODS[name](**options)
