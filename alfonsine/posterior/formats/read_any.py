"""Whatever holds a posterior: a run folder, a folder of MontePython's, the root of chains, a file of ArviZ."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from alfonsine.errors import InputError
from alfonsine.posterior.formats.arviz import read_netcdf
from alfonsine.posterior.formats.chain_files import chain_files
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.chains import read_chain_set
from alfonsine.posterior.formats.cobaya_input import read_input
from alfonsine.posterior.formats.montepython import montepython_files, read_montepython

OURS = "chain"  # root of the chains in a run folder


def read_posterior(source: Path | str) -> ChainSet:
    """Read it; InputError, in one line, where there is nothing that is known."""
    source = Path(source)
    if source.suffix == ".nc":
        return read_netcdf(source)
    if not source.is_dir() or chain_files(source):
        return read_chain_set(source)
    if chain_files(source / OURS):
        chains, study = read_chain_set(source / OURS), source / "study.yaml"
        if not study.exists():
            return chains
        described = read_input(study)
        own = chains.posterior.names
        return replace(
            chains,
            priors={name: prior for name, prior in described.priors.items() if name in own},
            limits={n: e for n, e in described.limits.items() if n in own} | chains.limits,
        )
    if montepython_files(source):
        return read_montepython(source)
    raise InputError(
        f"{source}: expected a run folder with chain.1.txt, or a folder of MontePython's, found neither; "
        f"name the root of the chains: {source}/NAME"
    )


def without_burn_in(chains: ChainSet, share: float) -> ChainSet:
    """The same without the first part of the rows of each chain, `share` of them."""
    posterior = chains.posterior
    rows = []
    for number in dict.fromkeys(posterior.chain.tolist()):
        own = (posterior.chain == number).nonzero()[0]
        rows.extend(own[int(share * len(own)) :].tolist())
    kept = posterior.weights[rows].sum() > 0
    if not kept:
        raise InputError(f"expected rows after the first {share:.0%} of each chain, got none; skip fewer")
    return replace(chains, posterior=posterior.take(np.array(rows)))
