"""The emulator: every output of the exact code that was asked for, at one point or many, with its domain."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.surrogate import Surrogate
from alfonsine.emulator.box.surrogate import ChebyshevSurrogate
from alfonsine.emulator.domain import Domain, OutsideDomain, ordered
from alfonsine.emulator.networks.normalisations import Normalisation
from alfonsine.emulator.networks.own import NetworkSurrogate
from alfonsine.emulator.networks.surrogate import DenseSurrogate
from alfonsine.emulator.transform import FORWARD
from alfonsine.errors import InputError
from alfonsine.theory.output import Output

PIECE = 128  # points of a batch taken together: what lies between theta and amplitudes then fits a processor's cache
AnySurrogate = Surrogate | ChebyshevSurrogate | DenseSurrogate | NetworkSurrogate


class Shown(NamedTuple):
    """How one output is made of the amplitudes: transform(basis @ amplitudes[first:stop]).

    transform   a name of `FORWARD`, or "module:Class" of a normalisation of the user's own
    """

    first: int
    stop: int
    transform: str = "identity"


class Emulator(eqx.Module):
    """Outputs = transform(basis @ surrogate(theta)).

    names          inputs, in order
    surrogate      theta (d,) to amplitudes (K,)
    basis          per output, (m, k) for the k amplitudes that it is made of; in the units of the exact code
    domain         where it may be asked
    card_text      JSON text of the card: what it was made from
    shown          per output, which amplitudes, and what is done to the sum; all amplitudes and nothing if not given
    outputs_text   JSON text of the outputs' units and axes
    offsets        per output whose transform needs them, (2, m)
    undone         per output with a normalisation of the user's own: that normalisation, of m entries
    digests        module and digest of each file of the user's own that it is made with
    """

    names: tuple[str, ...] = eqx.field(static=True)
    surrogate: AnySurrogate
    basis: dict[str, Float[Array, "m k"]]
    domain: Domain
    card_text: str = eqx.field(static=True, default="{}")
    shown: tuple[tuple[str, Shown], ...] = eqx.field(static=True, default=())
    outputs_text: str = eqx.field(static=True, default="{}")
    offsets: dict[str, Float[Array, "2 m"]] = eqx.field(default_factory=dict)
    undone: dict[str, Normalisation] = eqx.field(default_factory=dict)
    digests: tuple[tuple[str, str], ...] = eqx.field(static=True, default=())

    def made_of(self, name: str) -> Shown:
        """Which amplitudes an output is made of, and how."""
        return dict(self.shown).get(name) or Shown(0, sum(self.surrogate.sizes))

    @property
    def outputs(self) -> dict[str, Output]:
        """Units and axes of the outputs."""
        return dict(_described(self.outputs_text))

    def is_linear(self, name: str) -> bool:
        """Whether an output is linear in the amplitudes."""
        return self.made_of(name).transform == "identity"

    def linear(self, name: str) -> Float[Array, "m K"]:
        """Matrix from all amplitudes to an output; InputError for one that is not linear in them."""
        first, stop, _ = self.made_of(name)
        if not self.is_linear(name):
            raise InputError(
                f"expected an output that is emulated linearly, got '{name}', of which a function is emulated"
            )
        matrix = self.basis[name].astype(float)
        return jnp.pad(matrix, ((0, 0), (first, sum(self.surrogate.sizes) - stop)))

    @property
    def card(self) -> dict[str, Any]:
        """What the emulator was made from: exact code, settings, training set, measured errors."""
        return json.loads(self.card_text)

    def predict(self, theta: Float[Array, " d"]) -> dict[str, Array]:
        """All outputs at one point, for compiled code that has itself asked whether it lies in the domain."""
        return self.formed(self.surrogate(theta))

    def formed(self, amplitudes: Float[Array, " K"]) -> dict[str, Array]:
        """All outputs made of given amplitudes."""
        found = {}
        for name, matrix in self.basis.items():
            first, stop, transform = self.made_of(name)
            combined = matrix @ amplitudes[first:stop].astype(matrix.dtype)
            if name in self.undone:
                found[name] = self.undone[name].after(combined)
            else:
                found[name] = FORWARD[transform](combined, self.offsets.get(name))
        return found

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
        return _predict(self, theta)

    def _refuse_outside(self, theta: np.ndarray) -> None:
        inside = np.asarray(_inside(self.domain, jnp.asarray(theta)))
        if not inside.all():
            first = theta[int(np.argmin(inside))]
            reason, beyond = self.domain.reason(first, self.names), self.domain.beyond(first, self.names)
            raise OutsideDomain(reason, beyond, int((~inside).sum()), len(inside))


@lru_cache(maxsize=16)
def _described(text: str) -> dict[str, Output]:
    """Read once: thousands of multipoles take milliseconds, and a host asks at each step of its chain."""
    return {name: Output.of_record(name, record) for name, record in json.loads(text).items()}


@eqx.filter_jit
def _inside(domain: Domain, theta: Array) -> Array:
    return jax.vmap(domain.inside)(theta)


@eqx.filter_jit
def _predict(emulator: Emulator, theta: Array) -> dict[str, Array]:
    def amplitudes(point: Array) -> Array:
        # a factor, not a choice between two values: so the gradient outside is NaN too, and not zero
        factor = jnp.where(emulator.domain.inside(point), 1.0, jnp.nan)
        return factor * emulator.surrogate(point)

    if theta.ndim == 1:
        return emulator.formed(amplitudes(theta))
    few = len(theta) <= PIECE
    found = jax.vmap(amplitudes)(theta) if few else jax.lax.map(amplitudes, theta, batch_size=PIECE)
    return jax.vmap(emulator.formed)(found)
