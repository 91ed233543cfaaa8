"""The emulator: every output of the exact code that was asked for, at one point or many, with its domain."""

import json
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.surrogate import Domain, Surrogate, ordered
from alfonsine.errors import InputError


class Emulator(eqx.Module):
    """Outputs = basis @ surrogate(theta).

    names       inputs, in order
    surrogate   theta (d,) to amplitudes (K,)
    basis       per output, (m, K); spectra in the units of the exact code
    domain      where it may be asked
    card_text   JSON text of the card: what it was made from
    """

    names: tuple[str, ...] = eqx.field(static=True)
    surrogate: Surrogate
    basis: dict[str, Float[Array, "m K"]]
    domain: Domain
    card_text: str = eqx.field(static=True, default="{}")

    @property
    def card(self) -> dict[str, Any]:
        """What the emulator was made from: exact code, settings, training set, measured errors."""
        return json.loads(self.card_text)

    def amplitudes(self, theta: Float[Array, " d"]) -> Float[Array, " K"]:
        """Short vector in which every output is linear."""
        return self.surrogate(theta)

    def inside(self, theta: Float[Array, " d"]) -> Array:
        """Whether a point lies in the domain."""
        return self.domain.inside(theta)

    def __call__(self, parameters: Mapping[str, Any] | Array | np.ndarray) -> dict[str, Array]:
        """Predict all outputs at one point, (d,) or a mapping of numbers, or at a batch, (n, d) or a mapping of arrays.

        Outside the domain it raises InputError; inside `jit`, `grad` or `vmap`, where a value cannot be looked
        at, the outputs there and their gradients are NaN. It never extrapolates in silence.
        """
        if isinstance(parameters, Mapping):
            missing = [n for n in self.names if n not in parameters]
            unknown = [n for n in parameters if n not in self.names]
            if missing or unknown:
                raise InputError(
                    f"emulator: expected exactly the inputs {', '.join(self.names)}; "
                    + (f"missing {', '.join(missing)}" if missing else f"unknown {', '.join(unknown)}")
                )
        theta = ordered(parameters, self.names)
        if theta.shape[-1:] != (len(self.names),) or theta.ndim not in (1, 2):
            raise InputError(
                f"emulator: expected parameters of shape ({len(self.names)},) or (n, {len(self.names)}), "
                f"got {theta.shape}; the order is {', '.join(self.names)}"
            )
        if not isinstance(theta, jax.core.Tracer):
            self._refuse_outside(np.atleast_2d(np.asarray(theta)))
        return _predict(self.surrogate, self.basis, self.domain, theta)

    def _refuse_outside(self, theta: np.ndarray) -> None:
        inside = np.asarray(_inside(self.domain, jnp.asarray(theta)))
        if not inside.all():
            worst = theta[int(np.argmin(inside))]
            values = ", ".join(f"{n} = {v:.6g}" for n, v in zip(self.names, worst, strict=True))
            raise InputError(
                f"emulator: expected a point inside the training domain, got {values} "
                f"({int((~inside).sum())} of {len(inside)} outside); call the exact code there, or train wider"
            )


@eqx.filter_jit
def _inside(domain: Domain, theta: Array) -> Array:
    return jax.vmap(domain.inside)(theta)


@eqx.filter_jit
def _predict(surrogate: Surrogate, basis: dict[str, Array], domain: Domain, theta: Array) -> dict[str, Array]:
    def single(point: Array) -> dict[str, Array]:
        # a factor, not a choice between two values: so the gradient outside is NaN too, and not zero
        amplitudes = jnp.where(domain.inside(point), 1.0, jnp.nan) * surrogate(point)
        return {name: matrix @ amplitudes for name, matrix in basis.items()}

    return single(theta) if theta.ndim == 1 else jax.vmap(single)(theta)
