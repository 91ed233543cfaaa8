"""From any form of a posterior to another: read whole, made whole, and only then written."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from alfonsine.errors import InputError, nearest
from alfonsine.posterior.formats.anesthetic import anesthetic_texts
from alfonsine.posterior.formats.arviz import write_netcdf
from alfonsine.posterior.formats.chain_files import beside, check_free
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.chains import chain_texts, getdist_texts
from alfonsine.posterior.formats.cobaya_input import input_text
from alfonsine.posterior.formats.covmat import CovarianceMatrix, covmat_text, montepython_covmat_text, read_covmat
from alfonsine.posterior.formats.montepython import montepython_texts
from alfonsine.posterior.formats.read_any import read_posterior, without_burn_in
from alfonsine.posterior.formats.whole_files import write_together

Texts = dict[Path, bytes]


def cobaya_texts(root: Path, chains: ChainSet) -> Texts:
    """Chains that Cobaya's `load_samples(root)` reads, where the priors are known; without them, as for GetDist.

    The input beside them names no joint prior: Cobaya then reads one column of all priors.
    """
    described, priors = input_text(chains), chains.posterior.log_priors
    if priors:
        together = {"0": np.sum(list(priors.values()), axis=0)}
        chains = replace(chains, posterior=replace(chains.posterior, log_priors=together))
    beside_them = {} if described is None else {beside(root, ".updated.yaml"): described.encode()}
    return chain_texts(root, chains) | beside_them


CHAINS: dict[str, Callable[[Path, ChainSet], Texts]] = {
    "getdist": getdist_texts,
    "cobaya": cobaya_texts,
    "montepython": montepython_texts,
    "anesthetic": anesthetic_texts,
}
COVMATS = {"covmat": covmat_text, "covmat-montepython": montepython_covmat_text}
FORMATS = (*CHAINS, "arviz", *COVMATS)


def convert(source: Path, to: str, output: Path, skip: float = 0.0) -> list[Path]:
    """Write the posterior in `source` as `to`, one of FORMATS, at `output`, and return the paths written.

    source   run folder, folder of MontePython's, root of chains, file of ArviZ; or a covariance matrix, for another
    output   root of chains (`out/planck` makes `out/planck_1.txt`, ...), a folder for MontePython, else a file
    skip     share of each chain that is left out as burn-in
    """
    with np.errstate(over="ignore", invalid="ignore"):  # numbers too large to square end in a line of ours
        return _convert(source, to, output, skip)


def _convert(source: Path, to: str, output: Path, skip: float) -> list[Path]:
    if to not in FORMATS:
        raise InputError(f"--to: expected one of {', '.join(FORMATS)}, got '{to}'; {nearest(to, FORMATS)}")
    if source.suffix == ".covmat":
        if to not in COVMATS:
            raise InputError(f"{source}: expected {' or '.join(COVMATS)} for a matrix, got --to {to}")
        return _write_file(output, COVMATS[to](read_covmat(source)).encode())
    chains = read_posterior(source)
    if skip:
        chains = without_burn_in(chains, skip)
    if to in COVMATS:
        return _write_file(output, COVMATS[to](CovarianceMatrix.of(chains.posterior)).encode())
    if to == "arviz":
        _check_new(output)
        written = write_netcdf(output, chains)
        if written is None:
            raise InputError("expected the packages xarray and h5netcdf, found none; pip install 'alfonsine[arviz]'")
        return [written]
    if to == "montepython":
        _check_new(output)
    else:
        check_free(output, ".paramnames", ".ranges", ".updated.yaml", ".input.yaml")
    return write_together(CHAINS[to](output, chains))


def _write_file(path: Path, content: bytes) -> list[Path]:
    _check_new(path)
    return write_together({path: content})


def _check_new(path: Path) -> None:
    """Nothing that exists is written over; an empty folder is as good as none."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"expected a new place, got '{path}', which exists; choose another, or delete it")
