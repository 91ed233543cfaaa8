"""The record this room hands on: weighted samples of a posterior, with what was found out about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from alfonsine.errors import InputError, nearest
from alfonsine.posterior import convergence

Column = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Posterior:
    """Samples of the sampled parameters, chain after chain, each chain in the order it was drawn.

    names, latex     (d,) labels
    samples          (n, d) parameters theta
    weights          (n,) importance weights, not negative; ones for a plain chain
    log_posterior    (n,) ln of the sampled density
    log_likelihoods  ln L of each likelihood, (n,) each
    log_priors       ln of each prior, (n,) each, where known: "0" of all that are of one parameter, a joint one by name
    chain            (n,) number of the chain each sample belongs to, ascending
    derived          derived parameters, (n,) each
    diagnostics      r_hat, ess_bulk, ess_tail: one number per name; divergences, acceptance and the like: numbers
    """

    names: tuple[str, ...]
    latex: tuple[str, ...]
    samples: Float[np.ndarray, "n d"]
    weights: Column
    log_posterior: Column
    log_likelihoods: Mapping[str, Column]
    chain: Int[np.ndarray, " n"]
    derived: Mapping[str, Column] = field(default_factory=dict)
    diagnostics: dict = field(default_factory=dict)
    log_priors: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        d = self.samples.shape[1]
        if not len(self.names) == len(self.latex) == d:
            raise InputError(
                f"expected one name and one label for each of {d} columns, got {len(self.names)} and {len(self.latex)}"
            )
        if not (np.all(self.weights >= 0) and np.sum(self.weights) > 0):
            raise InputError("expected weights that are not negative and not all zero")
        if np.any(np.diff(self.chain) < 0):
            raise InputError("expected samples ordered by chain; sort them by 'chain' first")

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        latex: Sequence[str],
        chains: Float[np.ndarray, "chain draw d"],
        log_posterior: Float[np.ndarray, "chain draw"],
        diagnostics: Mapping | None = None,
    ) -> "Posterior":
        """Chains of equal length as a record; adds R-hat and effective sizes to the diagnostics."""
        m, n, d = chains.shape
        found = {
            measure.__name__: dict(zip(names, measure(chains).tolist(), strict=True))
            for measure in (convergence.r_hat, convergence.ess_bulk, convergence.ess_tail)
        }
        return cls(
            names=tuple(names),
            latex=tuple(latex),
            samples=np.ascontiguousarray(chains.reshape(m * n, d)),
            weights=np.ones(m * n),
            log_posterior=log_posterior.reshape(m * n).copy(),
            log_likelihoods={},
            chain=np.repeat(np.arange(m), n),
            diagnostics={"chains": m, "draws": n, **found, **dict(diagnostics or {})},
        )

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def normalised(self) -> Column:
        """Weights that sum to one."""
        return self.weights / np.sum(self.weights)

    @property
    def ess(self) -> float:
        """The smallest effective size of any parameter, bulk or tail, times Kish's efficiency of the weights."""
        sizes = [*self.diagnostics.get("ess_bulk", {}).values(), *self.diagnostics.get("ess_tail", {}).values()]
        kish = 1.0 / np.sum(self.normalised**2)
        return float(min(sizes) * kish / len(self)) if sizes else float(kish)

    def mean(self) -> Float[np.ndarray, " d"]:
        """Posterior mean."""
        return self.normalised @ self.samples

    def covariance(self) -> Float[np.ndarray, "d d"]:
        """Posterior covariance (maximum-likelihood form: weights need no degrees of freedom)."""
        difference = self.samples - self.mean()
        return (difference * self.normalised[:, None]).T @ difference

    def std(self) -> Float[np.ndarray, " d"]:
        """Posterior standard deviation."""
        return np.sqrt(np.diag(self.covariance()))

    def quantile(self, q: float | Sequence[float]) -> Float[np.ndarray, "*q d"]:
        """Weighted quantiles of each marginal, linear between samples."""
        out = []
        for column in self.samples.T:
            order = np.argsort(column, kind="stable")
            weight = self.normalised[order]
            out.append(np.interp(q, np.cumsum(weight) - 0.5 * weight, column[order]))
        return np.stack(out, axis=-1)

    def column(self, name: str) -> Column:
        """Values of one sampled or derived parameter."""
        if name in self.names:
            return self.samples[:, self.names.index(name)]
        if name in self.derived:
            return self.derived[name]
        raise InputError(f"unknown parameter '{name}'; {nearest(name, (*self.names, *self.derived))}")

    def best(self) -> int:
        """Row of the largest log posterior."""
        return int(np.argmax(np.where(self.weights > 0, self.log_posterior, -np.inf)))

    def take(self, rows: Int[np.ndarray, " k"] | slice) -> "Posterior":
        """Some of the samples, with everything that belongs to them."""
        return replace(
            self,
            samples=self.samples[rows],
            weights=self.weights[rows],
            log_posterior=self.log_posterior[rows],
            log_likelihoods={k: v[rows] for k, v in self.log_likelihoods.items()},
            chain=self.chain[rows],
            derived={k: v[rows] for k, v in self.derived.items()},
            log_priors={k: v[rows] for k, v in self.log_priors.items()},
        )

    def reweighted(self, log_ratio: Column) -> "Posterior":
        """The posterior times exp(log_ratio), as weights: an exact likelihood in place of an emulated one."""
        weights = self.weights * np.exp(log_ratio - np.max(log_ratio))
        return replace(self, weights=weights, log_posterior=self.log_posterior + log_ratio)

    def thinned(self, n: int) -> "Posterior":
        """At most n samples, equally spaced in drawing order (weights kept)."""
        rows = np.unique(np.linspace(0, len(self) - 1, min(n, len(self))).round().astype(int))
        return self.take(rows)

    def resampled(self, n: int, rng: np.random.Generator) -> "Posterior":
        """Draw n samples of equal weight, systematically: a sample of weight w comes floor(nw) or ceil(nw) times."""
        edges = np.cumsum(self.normalised)
        rows = np.searchsorted(edges, (rng.random() + np.arange(n)) / n * edges[-1], side="right")
        return replace(self.take(np.minimum(rows, len(self) - 1)), weights=np.ones(n))
