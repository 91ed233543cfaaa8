"""Whatever holds a posterior: a run folder, a folder of MontePython's, the root of chains, a file of ArviZ."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from alfonsine.errors import InputError, closest
from alfonsine.posterior.formats.arviz import read_netcdf
from alfonsine.posterior.formats.chain_files import chain_files
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.chains import read_chain_set
from alfonsine.posterior.formats.cobaya_input import read_input
from alfonsine.posterior.formats.montepython import montepython_files, read_montepython

OURS = "chain"  # root of the chains in a run folder
NUMBERED = re.compile(r"(?P<root>.+)[._]\d+\.txt")


def read_posterior(source: Path | str) -> ChainSet:
    """Read it; InputError, in one line, where there is nothing that is known."""
    source = Path(source)
    if source.suffix == ".nc":
        return read_netcdf(source)
    if chain_files(source):
        return read_chain_set(source)
    if not source.is_dir():
        raise InputError(f"{source}: expected a run folder or the root of chains, {_absent(source)}")
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
        f"{source}: expected a run folder with {OURS}.1.txt, or a folder of MontePython's, {_without_chains(source)}"
    )


def _absent(source: Path) -> str:
    """What was found in the place of a folder or of chains, and what to give instead."""
    if source.is_file():
        if chain := NUMBERED.fullmatch(source.name):
            return f"got a file of one chain; give the root of all: {source.with_name(chain['root'])}"
        return "got a file; give the folder that a run writes, which 'alfonsine plan STUDY.yaml' names"
    told = f"found neither such a folder nor {source.name}.1.txt or {source.name}_1.txt"
    if not source.parent.is_dir():
        return f"{told}; there is no folder '{source.parent}': check the path"
    alike = closest(
        source.name, [*_roots(source.parent), *(p.name for p in _entries(source.parent) if p.is_dir())], 0.6
    )
    return f"{told}; did you mean '{source.with_name(alike)}'?" if alike else f"{told}; check the path"


def _without_chains(folder: Path) -> str:
    """What was found in a folder without chains that are known, and what to give instead, or to do first."""
    if roots := _roots(folder):
        return f"found other chains; give their root: {' or '.join(str(folder / root) for root in roots[:3])}"
    if (folder / "study.yaml").exists():
        return (
            "found a run that has not written its chains; finish it by 'alfonsine run', or sample the emulator of "
            "'alfonsine train' by 'alfonsine sample'"
        )
    return f"found neither; give the folder of a run, or the root of chains: {folder}/NAME"


def _roots(folder: Path) -> list[str]:
    """Of all chains in a folder."""
    return sorted({found["root"] for path in _entries(folder) if (found := NUMBERED.fullmatch(path.name))})


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


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
