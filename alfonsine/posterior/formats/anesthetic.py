"""A posterior as MCMCSamples of anesthetic, and back: weights, labels, ln L, numbers of chains, edges.

anesthetic keeps labels between dollars, ln L as the column `logL`, and no edges: those go along in `attrs`, as pandas
allows. Its reader of chains takes the second column for -ln L, so that what is written for it has that there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.chains import getdist_texts
from alfonsine.posterior.formats.columns import columns_of, is_prior, listed, log_priors_of
from alfonsine.posterior.posterior import Posterior

OWN = ("logL", "chain")


def to_anesthetic(given: Posterior | ChainSet) -> Any:
    """MCMCSamples of sampled and derived parameters, `minuslogprior`, `chi2` and its parts, `logL`, `chain`."""
    try:
        from anesthetic import MCMCSamples
    except ImportError as missing:
        raise InputError(
            f"expected the package {missing.name}, found none; pip install 'alfonsine[anesthetic]'"
        ) from None
    chains = given if isinstance(given, ChainSet) else ChainSet(given)
    posterior = chains.posterior
    if set(OWN) & {*posterior.names, *posterior.derived}:
        raise InputError("expected no parameter named logL or chain, which anesthetic names its own; rename it")
    columns, labels = columns_of(posterior), listed(posterior, chains.latex).latex
    samples = MCMCSamples(
        data=np.column_stack([*columns.values(), posterior.chain + 1]),
        columns=[*columns, "chain"],
        weights=posterior.weights,
        labels={name: f"${labels[name]}$" for name in columns} | {"chain": r"$n_\mathrm{chain}$"},
        logL=log_likelihood(posterior),
    )
    samples.attrs["limits"] = {name: chains.edges(name) for name in posterior.names}
    samples.attrs["sampled"] = list(posterior.names)
    return samples


def from_anesthetic(samples: Any, sampled: Sequence[str] | None = None) -> ChainSet:
    """The posterior in samples of anesthetic; `sampled` names the parameters that are not derived.

    Without it: those that `to_anesthetic` remembered, else all before ln p and chi-squares. ln p is minus
    `minuslogpost`, or ln L minus `minuslogprior`, or ln L, whichever is there first.
    """
    table = samples.drop_labels() if samples.islabelled() else samples
    names = [str(name) for name in table.columns if str(name) not in OWN]
    columns = {name: np.asarray(table[name], float) for name in names}
    labels = {name: str(samples.get_label(name)).strip("$") if samples.islabelled() else name for name in names}
    attrs = samples.attrs
    end = next((i for i, n in enumerate(names) if n in ("minuslogpost", "minuslogprior", "chi2")), len(names))
    sampled = list(sampled or attrs.get("sampled") or names[:end])
    missing = [name for name in sampled if name not in columns]
    if missing or not sampled:
        raise InputError(f"expected the parameters {', '.join(sampled) or 'sampled'}, got {', '.join(names)}")
    likelihoods = [n for n in names[end:] if n.startswith("chi2__")] if "chi2" in names else []
    if "minuslogpost" in columns:
        height = -columns["minuslogpost"]
    elif "logL" in table.columns:
        height = np.asarray(table["logL"], float) - columns.get("minuslogprior", 0.0)
    else:
        raise InputError("expected the column logL or minuslogpost, got neither; compute it, and set it")
    chain = np.asarray(table["chain"], int) if "chain" in table.columns else np.zeros(len(table), int)
    own = {*sampled, *likelihoods, "chi2", "minuslogpost"}
    posterior = Posterior(
        names=tuple(sampled),
        latex=tuple(labels[n] or n for n in sampled),
        samples=np.column_stack([columns[n] for n in sampled]),
        weights=np.asarray(samples.get_weights(), float),
        log_posterior=height,
        log_likelihoods={n.removeprefix("chi2__"): -0.5 * columns[n] for n in likelihoods},
        chain=np.unique(chain, return_inverse=True)[1].reshape(-1),
        derived={n: columns[n] for n in names if n not in own and not is_prior(n)},
        log_priors=log_priors_of(columns),
    )
    latex = {n: labels[n] or n for n in posterior.derived}
    limits = {str(n): (float(low), float(high)) for n, (low, high) in attrs.get("limits", {}).items()}
    return ChainSet(posterior, latex, limits)


def anesthetic_texts(root: Path, chains: ChainSet) -> dict[Path, bytes]:
    """Chains that anesthetic's `read_chains(root)` reads, with their ln L."""
    return getdist_texts(root, chains, log_likelihood(chains.posterior))


def log_likelihood(posterior: Posterior) -> np.ndarray:
    """Summed ln L; ln p where the likelihoods are not known."""
    values = list(posterior.log_likelihoods.values())
    return np.sum(values, axis=0) if values else posterior.log_posterior
