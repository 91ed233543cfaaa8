"""The sampled parameters: names, LaTeX, prior, reference point, proposal steps.

Every prior is a (possibly infinite) box times an optional normal density; together they form one record of
arrays, so that a prior is evaluated under `jit`, `grad` and `vmap` like any other density. Beside these there may be
priors of several parameters together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Float, PRNGKeyArray

from alfonsine.errors import InputError
from alfonsine.space.expression import Expression


class Parameter(eqx.Module):
    """One sampled parameter.

    The prior is uniform on [lower, upper] where `scale` is infinite, otherwise normal(loc, scale) truncated to
    that interval. `reference` is where the first exact call is made, `step` the length of the first step
    (about one posterior standard deviation).
    """

    name: str
    lower: float
    upper: float
    reference: float
    step: float
    latex: str
    loc: float = 0.0
    scale: float = float("inf")

    def __check_init__(self) -> None:
        if not self.lower < self.upper:
            raise InputError(
                f"parameter '{self.name}': expected min below max, got min {self.lower:g}, max {self.upper:g}; "
                "exchange or correct them"
            )
        if not self.scale > 0:
            raise InputError(f"parameter '{self.name}': expected a positive prior scale, got {self.scale:g}")
        if not np.isfinite(self.scale) and not (np.isfinite(self.lower) and np.isfinite(self.upper)):
            raise InputError(
                f"parameter '{self.name}': expected a proper prior, got an unbounded uniform one; "
                "give min and max, or dist: norm with loc and scale"
            )
        if not self.lower < self.reference < self.upper:
            raise InputError(
                f"parameter '{self.name}': expected a reference inside the prior "
                f"({self.lower:g}, {self.upper:g}), got {self.reference:g}; move ref or widen the prior"
            )
        if not (self.step > 0 and np.isfinite(self.step)):
            raise InputError(
                f"parameter '{self.name}': expected a positive proposal, got {self.step:g}; "
                "about one posterior standard deviation serves well"
            )


FIELDS = ("lower", "upper", "loc", "scale", "reference", "step", "log_mass")


def log_mass(columns: Mapping[str, Float[Array, " d"]]) -> Float[Array, " d"]:
    """Integral over the box of exp(-(theta - loc)^2 / 2 scale^2), or of one, in logarithm."""
    lower, upper, loc, scale = (columns[name] for name in ("lower", "upper", "loc", "scale"))
    uniform = jnp.isinf(scale)
    width = jnp.where(uniform, 1.0, scale)
    mass = ndtr((upper - loc) / width) - ndtr((lower - loc) / width)
    normal = jnp.log(jnp.where(uniform, 1.0, mass) * jnp.sqrt(2 * jnp.pi) * width)
    return jnp.where(uniform, jnp.log(jnp.where(uniform, upper - lower, 1.0)), normal)


class ParameterSpace(eqx.Module):
    """The space of sampled parameters, in a fixed order.

    names, latex   (d,) labels
    lower, upper   (d,) hard edges, infinite where there is none
    loc, scale     (d,) normal prior; scale is infinite where the prior is uniform
    reference      (d,) first exact call
    step           (d,) first step along each parameter
    log_mass       (d,) ln of the integral of each prior before it is normalised
    joint          log densities of several parameters together, added as they are: not normalised
    """

    names: tuple[str, ...] = eqx.field(static=True)
    latex: tuple[str, ...] = eqx.field(static=True)
    lower: Float[Array, " d"]
    upper: Float[Array, " d"]
    loc: Float[Array, " d"]
    scale: Float[Array, " d"]
    reference: Float[Array, " d"]
    step: Float[Array, " d"]
    log_mass: Float[Array, " d"]
    joint: tuple[Expression, ...] = eqx.field(static=True, default=())

    @classmethod
    def of(cls, parameters: Sequence[Parameter], joint: Sequence[Expression] = ()) -> "ParameterSpace":
        """Collect single parameters into one record of arrays."""
        if not parameters:
            raise InputError("expected at least one sampled parameter, got none; give one of them a prior")
        names = tuple(p.name for p in parameters)
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            raise InputError(f"expected distinct parameter names, got '{repeated[0]}' twice")
        columns = {
            field: jnp.array([getattr(p, field) for p in parameters], dtype=float)
            for field in ("lower", "upper", "loc", "scale", "reference", "step")
        }
        latex = tuple(p.latex for p in parameters)
        return cls(names=names, latex=latex, log_mass=log_mass(columns), joint=tuple(joint), **columns)

    @property
    def dimension(self) -> int:
        """Number of sampled parameters d."""
        return len(self.names)

    def index(self, names: Sequence[str]) -> tuple[int, ...]:
        """Positions of `names` in the order of this space."""
        return tuple(self.names.index(n) for n in names)

    def select(self, names: Sequence[str]) -> "ParameterSpace":
        """The sub-space of `names`, in the order given, with the joint priors of these alone."""
        keep = jnp.array(self.index(names), dtype=int)
        arrays = {f: getattr(self, f)[keep] for f in FIELDS}
        latex = tuple(self.latex[i] for i in self.index(names))
        joint = tuple(each for each in self.joint if set(each.arguments) <= set(names))
        return ParameterSpace(names=tuple(names), latex=latex, joint=joint, **arrays)

    def log_prior(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        r"""Log prior density, :math:`-\infty` outside the box; normalised but for the joint priors.

        .. math:: \ln\pi = \sum_i \ln\frac{N(\theta_i|\mu_i,s_i)}{\Phi(u_i)-\Phi(l_i)}
           \quad\text{or}\quad -\ln(u_i-l_i)
        """
        inside = jnp.all((theta >= self.lower) & (theta <= self.upper))
        # where the prior is uniform the scale is infinite, and the first term vanishes
        log_density = jnp.sum(-0.5 * ((theta - self.loc) / self.scale) ** 2 - self.log_mass)
        if self.joint:
            values = dict(zip(self.names, theta, strict=True))
            together = jnp.sum(jnp.stack([each.traced(values) for each in self.joint]))
            inside &= together > -jnp.inf  # also where it is nan
            log_density += jnp.where(inside, together, 0.0)
        return jnp.where(inside, log_density, -jnp.inf)

    @property
    def separate(self) -> "ParameterSpace":
        """The space without its joint priors."""
        return replace(self, joint=())

    def from_unit_cube(self, unit: Float[Array, "*n d"]) -> Float[Array, "*n d"]:
        """Map the unit cube to the prior by its inverse distribution function, one parameter at a time."""
        uniform = jnp.isinf(self.scale)
        scale = jnp.where(uniform, 1.0, self.scale)
        low, high = ndtr((self.lower - self.loc) / scale), ndtr((self.upper - self.loc) / scale)
        normal = self.loc + scale * ndtri(low + unit * (high - low))
        lower, width = jnp.where(uniform, self.lower, 0.0), jnp.where(uniform, self.upper - self.lower, 1.0)
        return jnp.where(uniform, lower + unit * width, normal)

    def sample(self, key: PRNGKeyArray, n: int) -> Float[Array, "n d"]:
        """Draw n points from the prior."""
        return self.from_unit_cube(jax.random.uniform(key, (n, self.dimension)))
