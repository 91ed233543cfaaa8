r"""What shape l has over the posterior: draws of quadratic forms that could have produced the values seen.

A Bayesian linear regression of l on the linear and quadratic features of the whitened parameters, with the rest as
normal noise. Coefficients have normal priors; their variances relative to the noise run over a grid that is averaged by
its evidence, and the features' trace |z|^2 (all widths wrong by the same factor) has a variance of its own.

Where there are fewer draws than coefficients, an isotropic prior spreads what it cannot determine over all directions.
The error of an emulator is rarely like that: one direction it has not learned carries most of it, l has a heavy
tail, and the spread-out answer is too sanguine. So the prior is then also tried in the eigenframe of the fit itself,
with variances following its eigenvalues, again and again with less and less let through outside the leading
directions (iteratively reweighted least squares, as for low-rank recovery). Such a frame was chosen by looking at the
draws: its log evidence is charged with `FRAME_PENALTY`, without which pure noise is taken for a few steep directions.

The noise may have heavy tails: which Student t it follows is drawn from what the residuals say.

The draws are used for the *shape* of l alone; its size is measured without any model (`limits`).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t

from alfonsine.certificate.quadratic_form import TAILS, QuadraticForms, eigenframe, features, matrices, pairs

_VARIANCE = (0.0, 0.5, 10.0, 1e3, 1e6)  # prior variance of all linear (all quadratic) features over that of noise
_TRACE = (0.0, 1.0, 30.0, 1e5)
GRID = np.array([(u, v, w) for u in _VARIANCE for v in _VARIANCE for w in _TRACE])
FRAME_GRID = np.array([(u, v, 0.0) for u in _VARIANCE for v in _VARIANCE])
FRAMES = 12
OPEN, CLOSED = 0.3, 0.003  # share of the prior left to every direction, in the first and the last frame
# In nats; measured: below 10 noise is over-read in eight dimensions, above 20 single directions are missed.
FRAME_PENALTY = 15.0
TAIL_PRIOR = (0.7, 0.1, 0.1, 0.1)
NOISE_FLOOR = 1e-7  # of the variance of l: an exactly quadratic l must not divide by zero


@dataclass(frozen=True)
class _Regression:
    """One frame's features and priors, and how well each prior does. P priors, p features, m values.

    The coefficients' posterior mean under a prior is prior * (dual @ features); rss is y (1 + F V F')^-1 y.
    """

    features: Float[np.ndarray, "m p"]
    values: Float[np.ndarray, " m"]
    prior: Float[np.ndarray, "P p"]
    kernel: Float[np.ndarray, "P m m"]
    dual: Float[np.ndarray, "P m"]
    rss: Float[np.ndarray, " P"]
    log_evidence: Float[np.ndarray, " P"]
    residual: Float[np.ndarray, " n"]
    rotation: Float[np.ndarray, "p p"] | None  # back to the plain quadratic features, where these were rotated


def draw_shapes(
    log_ratio: Float[np.ndarray, " n"],
    whitened: Float[np.ndarray, "n d"],
    weight: Float[np.ndarray, " n"],
    draws: int,
    rng: np.random.Generator,
) -> QuadraticForms:
    """`draws` quadratic forms from the posterior over shapes; `whitened` has mean 0 and covariance 1 under P_E."""
    n, d = whitened.shape
    root = np.sqrt(n * weight)
    values = root * (log_ratio - weight @ log_ratio)
    scale = float(np.sqrt(values @ values / (n - 1)))
    values = values / scale

    def centred(z: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n p"]:
        f = features(z)
        return root[:, None] * (f - weight @ f)

    plain = centred(whitened)
    models = [_isotropic(plain, values, n, d)]
    if plain.shape[1] >= n - 1:
        models += _framed(models[0], centred, whitened, values)
    return _draw(models, scale, n, d, draws, rng)


def _isotropic(plain: Float[np.ndarray, "n p"], values: Float[np.ndarray, " n"], n: int, d: int) -> _Regression:
    quadratic = plain.shape[1] - d
    rotation = np.eye(d + quadratic)
    rotation[d:, d:] = _trace_first(d)
    prior = np.concatenate(
        [
            np.repeat(GRID[:, :1] / d, d, axis=1),
            GRID[:, 2:] + GRID[:, 1:2] / quadratic,
            np.repeat(GRID[:, 1:2] / quadratic, quadratic - 1, axis=1),
        ],
        axis=1,
    )
    return _regress(plain @ rotation, values, prior, 0.0, rotation)


def _trace_first(d: int) -> Float[np.ndarray, "t t"]:
    """Orthonormal basis of the quadratic features whose first member is the trace, |z|^2 - d."""
    i, j, _ = pairs(d)
    trace = (i == j) / np.sqrt(d)
    basis = np.eye(len(trace))
    basis[:, 0] = trace
    return np.linalg.qr(basis)[0]


def _framed(isotropic: _Regression, centred, whitened, values) -> list[_Regression]:
    """The prior bent to the eigenframe of the previous fit, ever more closely."""
    d = whitened.shape[1]
    i, j, _ = pairs(d)
    frame = np.eye(d)
    found: list[_Regression] = []
    previous = isotropic
    for step in range(FRAMES):
        fit = _mean(previous)
        gradient, curvature = frame @ fit[:d], frame @ matrices(fit[None], d)[0] @ frame.T
        # the mean of (dl/dz)(dl/dz)' over N(0, 1): large along directions in which l varies
        size, frame = np.linalg.eigh(np.outer(gradient, gradient) + curvature @ curvature)
        size = np.maximum(size, 0.0)
        share = size / max(size.sum(), 1e-300) + OPEN * (CLOSED / OPEN) ** (step / (FRAMES - 1))
        share = share / share.sum()
        product = share[i] * share[j]
        prior = np.concatenate([FRAME_GRID[:, :1] * share, FRAME_GRID[:, 1:2] * product / product.sum()], axis=1)
        previous = _regress(centred(whitened @ frame), values, prior, FRAME_PENALTY, None)
        found.append(previous)
    return found


def _regress(f, values, prior, penalty: float, rotation) -> _Regression:
    r"""Evidence of y ~ N(0, s^2 (1 + F V F')) with the noise s^2 maximised, for every prior V at once."""
    freedom = len(values) - 1
    left_over = 0.0
    all_features, all_values = f, values
    if f.shape[1] < len(values) - 1:  # p numbers hold all that the features can say: smaller matrices
        basis, f = np.linalg.qr(f)
        total, values = values @ values, basis.T @ values
        left_over = max(float(total - values @ values), 0.0)
    m = len(values)
    kernel = (f * prior[:, None, :]) @ f.T
    kernel[:, np.arange(m), np.arange(m)] += 1.0
    factor = np.linalg.cholesky(kernel)
    dual = np.linalg.solve(kernel, np.broadcast_to(values[:, None], (len(prior), m, 1)))[..., 0]
    rss = dual @ values + left_over + NOISE_FLOOR * freedom
    log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    log_evidence = -0.5 * freedom * np.log(rss) - 0.5 * log_det - penalty
    mean = prior[np.argmax(log_evidence)] * (dual[np.argmax(log_evidence)] @ f)
    residual = all_values - all_features @ mean
    return _Regression(f, values, prior, kernel, dual, rss, log_evidence, residual, rotation)


def _mean(model: _Regression) -> Float[np.ndarray, " p"]:
    """Posterior mean of the plain coefficients, averaged over the priors by their evidence."""
    weight = np.exp(model.log_evidence - model.log_evidence.max())
    weight /= weight.sum()
    mean = weight @ (model.prior * (model.dual @ model.features))
    return mean if model.rotation is None else model.rotation @ mean


def _draw(
    models: list[_Regression], scale: float, n: int, d: int, draws: int, rng: np.random.Generator
) -> QuadraticForms:
    """Draws of prior, noise and coefficients; the last by correcting a draw of the prior for what was seen."""
    log_evidence = np.concatenate([m.log_evidence for m in models])
    which, where = _labels(models)
    weight = np.exp(log_evidence - log_evidence.max())
    cumulative = np.cumsum(weight) / weight.sum()
    picked = np.searchsorted(cumulative, (np.arange(draws) + 0.5) / draws).clip(max=len(weight) - 1)
    forms = []
    for number in np.unique(which[picked]):
        model, chosen = models[number], where[picked[which[picked] == number]]
        prior, k = model.prior[chosen], len(chosen)
        noise = model.rss[chosen] / rng.chisquare(n - 1, size=k)
        sigma = np.sqrt(noise)[:, None]
        start = sigma * np.sqrt(prior) * rng.normal(size=prior.shape)
        seen = start @ model.features.T + sigma * rng.normal(size=(k, len(model.values)))
        dual = np.linalg.solve(model.kernel[chosen], (model.values - seen)[..., None])[..., 0]
        coefficients = start + prior * (dual @ model.features)
        if model.rotation is not None:
            coefficients = coefficients @ model.rotation.T
        forms.append(eigenframe(scale * coefficients, scale * sigma[:, 0], _draw_tails(model.residual, k, rng), d))
    return QuadraticForms(*(np.concatenate([getattr(f, x) for f in forms]) for x in ("b", "a", "s", "tail")))


def _draw_tails(residual: Float[np.ndarray, " n"], draws: int, rng: np.random.Generator) -> Int[np.ndarray, " m"]:
    """Which Student t the residuals could come from: its posterior, with the scale maximised."""
    scaled = residual / max(float(np.sqrt(np.mean(residual**2))), 1e-300)
    scales = np.geomspace(0.4, 1.3, 12)[:, None]
    log_weight = [
        np.max(np.sum(t.logpdf(scaled / scales, tail), axis=1) - len(scaled) * np.log(scales[:, 0])) for tail in TAILS
    ]
    weight = np.array(TAIL_PRIOR) * np.exp(np.array(log_weight) - max(log_weight))
    return rng.choice(len(TAILS), size=draws, p=weight / weight.sum())


def _labels(models: list[_Regression]) -> tuple[Int[np.ndarray, " g"], Int[np.ndarray, " g"]]:
    sizes = [len(m.log_evidence) for m in models]
    return np.repeat(np.arange(len(models)), sizes), np.concatenate([np.arange(size) for size in sizes])
