r"""A posterior as the named columns of Cobaya, and back.

    weight  minuslogpost  <sampled>  <derived>  minuslogprior  minuslogprior__0  minuslogprior__<joint prior> ...
    chi2  chi2__<likelihood> ...

where chi2 = -2 ln L (Cobaya's use of the name), and minuslogpost = minuslogprior + chi2/2. minuslogprior__0 is of all
priors of one parameter. What stands before `chi2` and is called `chi2__<something>` is a sum over some of the
likelihoods, which Cobaya reports: a derived parameter.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.posterior.formats.paramnames import Listed
from alfonsine.posterior.posterior import Posterior

PRIOR = "minuslogprior"
ROUNDED = 1e-10  # relative: a difference of ln p and ln L, of twelve digits each, that varies no more is constant


def columns_of(posterior: Posterior) -> dict[str, Float[np.ndarray, " n"]]:
    """Every column after the second; InputError for names that a file of columns cannot hold."""
    columns = dict(zip(posterior.names, posterior.samples.T, strict=True)) | dict(posterior.derived)
    likelihoods = posterior.log_likelihoods
    if likelihoods:
        total = np.sum(list(likelihoods.values()), axis=0)
        priors = _minus_log_priors(posterior, total)
        columns |= {PRIOR: np.sum(list(priors.values()), axis=0)}
        columns |= {f"{PRIOR}__{name}": value for name, value in priors.items()}
        columns |= {"chi2": -2.0 * total} | {f"chi2__{name}": -2.0 * value for name, value in likelihoods.items()}
    for name in columns:
        if not name or re.search(r"[\s*#]", name):
            raise InputError(f"expected parameter names without space, * or #, got '{name}'; rename it")
    own = 2 + len(likelihoods) + len(priors) if likelihoods else 0
    if len(columns) < len(posterior.names) + len(posterior.derived) + own:
        raise InputError("expected every column once, got a derived parameter named as another column; rename it")
    return columns


def _minus_log_priors(posterior: Posterior, total: Float[np.ndarray, " n"]) -> dict[str, Float[np.ndarray, " n"]]:
    """What is known of the priors; else what ln p holds beside ln L.

    GetDist leaves out a column that is constant to twelve digits, and fails on one that is constant but for noise.
    """
    if posterior.log_priors:
        return {name: 0.0 - value for name, value in posterior.log_priors.items()}  # 0, and not -0
    rest = total - posterior.log_posterior
    noise = ROUNDED * np.max(np.abs(total) + np.abs(posterior.log_posterior))
    return {"0": np.full_like(rest, np.median(rest)) if np.ptp(rest) <= noise else rest}


def listed(posterior: Posterior, latex: Mapping[str, str]) -> Listed:
    """The list of these columns; `latex` labels derived ones."""
    names = tuple(columns_of(posterior))
    labels = {name: name for name in names}
    labels |= {PRIOR: r"-\log\pi", f"{PRIOR}__0": r"-\log\pi_0", "chi2": r"\chi^2"}
    labels |= {f"{PRIOR}__{n}": rf"-\log\pi_\mathrm{{{n.replace('_', ' ')}}}" for n in posterior.log_priors if n != "0"}
    labels |= {f"chi2__{n}": rf"\chi^2_\mathrm{{{n.replace('_', ' ')}}}" for n in posterior.log_likelihoods}
    labels |= {name: latex[name] for name in posterior.derived if latex.get(name)}
    labels |= dict(zip(posterior.names, posterior.latex, strict=True))
    return Listed(names, frozenset(names) - frozenset(posterior.names), {name: labels[name] for name in names})


def posterior_of(
    listed: Listed,
    tables: Sequence[Float[np.ndarray, "_ column"]],
) -> Posterior:
    """The posterior in tables of weight, -ln p and the listed columns, one table for each chain."""
    table = np.concatenate(tables)
    columns = dict(zip(listed.names, table.T[2:], strict=True))
    sampled = [name for name in listed.names if name not in listed.derived]
    if not sampled:
        raise InputError("expected at least one sampled parameter among the columns, got none")
    end = listed.names.index("chi2") if "chi2" in listed.names else len(listed.names)
    likelihoods = [name for name in listed.names[end + 1 :] if name.startswith("chi2__")]
    own = {"chi2", *likelihoods}
    derived = [n for n in listed.names if n in listed.derived - own and not is_prior(n)]
    for name in sampled:
        if not np.all(np.isfinite(columns[name])):
            raise InputError(f"expected finite values of the parameter '{name}', got others; the chain is damaged")
    return Posterior(
        names=tuple(sampled),
        latex=tuple(listed.latex[n] for n in sampled),
        samples=np.column_stack([columns[n] for n in sampled]),
        weights=table[:, 0],
        log_posterior=-table[:, 1],
        log_likelihoods={n.removeprefix("chi2__"): -0.5 * columns[n] for n in likelihoods},
        chain=np.concatenate([np.full(len(t), i) for i, t in enumerate(tables)]),
        derived={n: columns[n] for n in derived},
        log_priors=log_priors_of(columns),
    )


def is_prior(name: str) -> bool:
    """Whether a column is of a prior."""
    return name == PRIOR or name.startswith(f"{PRIOR}__")


def log_priors_of(columns: Mapping[str, Float[np.ndarray, " n"]]) -> dict[str, Float[np.ndarray, " n"]]:
    """Ln of each prior that has a column of its own."""
    return {n.removeprefix(f"{PRIOR}__"): 0.0 - v for n, v in columns.items() if is_prior(n) and n != PRIOR}
