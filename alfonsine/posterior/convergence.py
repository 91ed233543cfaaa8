r"""Have the chains converged, and how many independent draws are they worth?

Rank-normalised split R-hat and bulk and tail effective size of Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021
(arXiv:1903.08008); autocorrelations by FFT, truncated by Geyer's initial monotone sequence.

Arrays have the shape (chain, draw, parameter) throughout.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri
from scipy.stats import rankdata

Chains = Float[np.ndarray, "chain draw d"]


def r_hat(chains: Chains) -> Float[np.ndarray, " d"]:
    """Rank-normalised split R-hat, the larger of bulk and folded (spread); at most 1.01 is the usual demand."""
    halves = _split(chains)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.maximum(_r_hat(_rank_normalise(halves)), _r_hat(_rank_normalise(folded)))


def between_over_within(samples: Sequence[Float[np.ndarray, "_ d"]]) -> Float[np.ndarray, " d"]:
    r"""What CONNECT and MontePython call R - 1, for two or more samples of any lengths.

    .. math:: R - 1 = {\rm Var}(\bar x_1, \bar x_2, \ldots) / \overline{{\rm Var}(x_j)}

    Two samples whose means differ by s standard deviations have s^2 / 2, so 0.01 is a shift of 0.14. Source: Gelman &
    Rubin 1992, where R is the root of one plus this for long chains.
    """
    within = np.mean([x.var(axis=0, ddof=1) for x in samples], axis=0)
    return np.var([x.mean(axis=0) for x in samples], axis=0, ddof=1) / within


def ess_bulk(chains: Chains) -> Float[np.ndarray, " d"]:
    """Effective size for the centre of each marginal: that of the rank-normalised draws."""
    return effective_size(_rank_normalise(_split(chains)))


def ess_tail(chains: Chains, tail: float = 0.05) -> Float[np.ndarray, " d"]:
    """Effective size for the tails: the smaller of those of the two indicator functions of the tail quantiles."""
    low, high = np.quantile(chains, [tail, 1.0 - tail], axis=(0, 1))
    return np.minimum(*(effective_size(_split((chains <= q).astype(float))) for q in (low, high)))


def ess_mean(chains: Chains) -> Float[np.ndarray, " d"]:
    """Effective size for the mean of each parameter, var/ess being the squared error of the mean."""
    return effective_size(_split(chains))


def effective_size(chains: Chains) -> Float[np.ndarray, " d"]:
    r"""Effective size of several chains, mixing within- and between-chain variance.

    .. math:: n_{\rm eff} = \frac{mn}{\tau},\quad \tau = -1 + 2\sum_k \hat P_k,\quad
       \hat P_k = \min_{j\le k}(\hat\rho_{2j} + \hat\rho_{2j+1})
    """
    m, n, d = chains.shape
    if n < 4 or not np.all(np.isfinite(chains)):
        return np.full(d, np.nan)
    covariance = _autocovariance(chains).mean(axis=0)  # (draw, d), over n
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (np.var(chains.mean(axis=1), axis=0, ddof=1) if m > 1 else 0.0)
    constant = total <= 1e-300
    total = np.where(constant, 1.0, total)
    rho = 1.0 - (within - covariance) / total
    rho[0] = 1.0
    even, odd = rho[0 : 2 * (n // 2) : 2], rho[1 : 2 * (n // 2) : 2]
    pairs = (even + odd)[: max(1, (n - 1) // 2)]
    # an initial sequence ends at the first pair that is not positive ...
    negative = pairs <= 0.0
    end = np.where(negative.any(axis=0), negative.argmax(axis=0), len(pairs) - 1)
    kept = np.arange(len(pairs))[:, None] < end
    # ... and decreases; the even term after its end is the last bit that is more signal than noise
    tau = -1.0 + 2.0 * np.sum(np.minimum.accumulate(pairs, axis=0), axis=0, where=kept)
    tau += np.maximum(even[end, np.arange(d)], 0.0)
    tau = np.maximum(tau, 1.0 / np.log10(m * n))  # antithetic chains gain, but no more than this
    return np.where(constant, m * n, m * n / tau)


def _autocovariance(chains: Chains) -> Chains:
    n = chains.shape[1]
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(chains - chains.mean(axis=1, keepdims=True), size, axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :n] / n


def _r_hat(chains: Chains) -> Float[np.ndarray, " d"]:
    n = chains.shape[1]
    within = np.var(chains, axis=1, ddof=1).mean(axis=0)
    between = np.var(chains.mean(axis=1), axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(between / within + (n - 1) / n)


def _split(chains: Chains) -> Float[np.ndarray, "half_chain half d"]:
    """Cut every chain into its two halves, dropping the middle draw of an odd number."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _rank_normalise(chains: Chains) -> Chains:
    """Replace draws by normal scores of their pooled ranks (offset 3/8 of Blom)."""
    rank = rankdata(chains.reshape(-1, chains.shape[-1]), axis=0).reshape(chains.shape)
    return ndtri((rank - 0.375) / (chains.shape[0] * chains.shape[1] + 0.25))
