"""Chains as `posterior.nc`, the InferenceData layout that ArviZ reads.

Groups `posterior` (sampled and derived parameters), `sample_stats` (lp) and `log_likelihood` (ln L of each likelihood),
each with dimensions (chain, draw). The layout has no weights: a weighted posterior is resampled first.
"""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from alfonsine.posterior.posterior import Posterior

log = logging.getLogger(__name__)


def write_netcdf(path: Path | str, posterior: Posterior) -> Path | None:
    """Write the file (whole or not at all) and return its path, or None where the optional packages are missing."""
    try:
        import h5netcdf  # noqa: F401 (xarray's engine; imported to learn of its absence before any file is begun)
        import xarray
    except ImportError as missing:
        log.warning("%s not written: no %s; pip install alfonsine[arviz]", Path(path).name, missing.name)
        return None
    path = Path(path)
    posterior = _rectangular(posterior)
    chains = len(np.unique(posterior.chain))
    groups = {
        "posterior": {
            **dict(zip(posterior.names, posterior.samples.T, strict=True)),
            **posterior.derived,
        },
        "sample_stats": {"lp": posterior.log_posterior},
        "log_likelihood": dict(posterior.log_likelihoods),
    }
    labels = dict(zip(posterior.names, posterior.latex, strict=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        mode = "w"
        for group, columns in groups.items():
            variables = {
                name: (("chain", "draw"), values.reshape(chains, -1), {"latex": labels.get(name, name)})
                for name, values in columns.items()
            }
            if variables:
                draws = len(posterior) // chains
                dataset = xarray.Dataset(variables, {"chain": np.arange(chains), "draw": np.arange(draws)})
                dataset.to_netcdf(temporary, mode=mode, group=group, engine="h5netcdf")
                mode = "a"
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _rectangular(posterior: Posterior) -> Posterior:
    """Chains of one length and equal weights: as they are, or resampled into a single chain."""
    lengths = np.unique(posterior.chain, return_counts=True)[1]
    if np.ptp(posterior.weights) == 0 and np.ptp(lengths) == 0:
        return posterior
    drawn = posterior.resampled(len(posterior), np.random.default_rng(0))  # the same file each time
    return replace(drawn, chain=np.zeros(len(drawn), int))
