"""Wrong emulators of Gaussian posteriors: everything about them is known in closed form."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import multivariate_normal


@dataclass(frozen=True)
class Pair:
    """Emulated posterior N(mean_e, cov_e), exact posterior N(mean_p, cov_p), and ln Z_exact - ln Z_emulated."""

    mean_e: np.ndarray
    cov_e: np.ndarray
    mean_p: np.ndarray
    cov_p: np.ndarray
    delta_log_evidence: float

    def log_ratio(self, theta):
        """L = ln L_exact - ln L_emulated, from two normalised densities."""
        exact = multivariate_normal(self.mean_p, self.cov_p).logpdf(theta)
        emulated = multivariate_normal(self.mean_e, self.cov_e).logpdf(theta)
        return exact - emulated + self.delta_log_evidence

    def draw(self, rng, n):
        """Draws of the emulated posterior."""
        return rng.multivariate_normal(self.mean_e, self.cov_e, size=n)

    @property
    def forward(self):
        return kl(self.mean_p, self.cov_p, self.mean_e, self.cov_e)

    @property
    def reverse(self):
        return kl(self.mean_e, self.cov_e, self.mean_p, self.cov_p)

    @property
    def shift(self):
        return (self.mean_p - self.mean_e) / np.sqrt(np.diag(self.cov_e))

    @property
    def width(self):
        return np.sqrt(np.diag(self.cov_p) / np.diag(self.cov_e))


def kl(mean, cov, other_mean, other_cov):
    """D(N(mean, cov) || N(other_mean, other_cov)), the textbook formula."""
    inverse = np.linalg.inv(other_cov)
    difference = mean - other_mean
    log_det = np.linalg.slogdet(other_cov)[1] - np.linalg.slogdet(cov)[1]
    return float(0.5 * (np.trace(inverse @ cov) - len(mean) + difference @ inverse @ difference + log_det))


def wrong(seed, d, size):
    """A random correlated emulated posterior, and an exact one moved and deformed by about `size` of a sigma."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(d, d)) + 2 * np.eye(d)
    deformed = mixing @ (np.eye(d) + 0.3 * size * rng.normal(size=(d, d)))
    mean = 10 * rng.normal(size=d)
    moved = mean + size * mixing @ rng.normal(size=d) / np.sqrt(d)
    return Pair(mean, mixing @ mixing.T, moved, deformed @ deformed.T, 0.7)
