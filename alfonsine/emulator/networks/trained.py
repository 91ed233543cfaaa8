"""A trained network as a record that needs nothing of what it was trained with."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.networks.blueprint import arrays
from alfonsine.emulator.networks.chain import OutputChain
from alfonsine.emulator.networks.dense import Architecture
from alfonsine.emulator.networks.normalisations import outer_of
from alfonsine.theory.output import Output


class LinearParts(NamedTuple):
    """The network as arrays: outputs[name] = transform[name](basis[name] @ amplitudes).

    inputs        names of the inputs
    shift, scale  u = (theta - shift)/scale
    hidden        "layers[0].weight" and so on -> array with a leading axis, one entry per member: what gives the
                  amplitudes: [1, last hidden layer of each member], or [1, principal components]
    basis         output -> (m, 1 + K), members, components and normalisation folded in
    transform     output -> "identity", "exp10", "double_exp", or the name of the user's own
    parameters    output -> what its transform needs: "first" and "second" for "double_exp"
    """

    inputs: tuple[str, ...]
    shift: Float[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    hidden: dict[str, np.ndarray]
    basis: dict[str, Float[np.ndarray, "_ K"]]
    transform: dict[str, str]
    parameters: dict[str, dict[str, np.ndarray]]


class TrainedNetwork(eqx.Module):
    r"""One or several networks (members) that predict the same outputs.

    The prediction is the mean of the members before the last elementwise function (so of logarithms, where these are
    learned): it stays linear in the members' hidden layers.

    inputs       names, in order
    outputs      what is predicted
    sizes        entries of each output that the networks themselves predict
    shift, scale standardisation of the inputs
    network      an `Architecture` whose arrays have a leading axis, one entry per member
    chain        from predictions to outputs
    splines      for each output the matrix from nodes to all entries, or None
    factors      for each output the factor by which the spread of the members understates the error (`calibrate`)
    card         JSON: plan; module -> digest of its file for parts of the user's own; rows, losses
    """

    inputs: tuple[str, ...] = eqx.field(static=True)
    outputs: tuple[Output, ...] = eqx.field(static=True)
    sizes: tuple[int, ...] = eqx.field(static=True)
    shift: Float[Array, " d"]
    scale: Float[Array, " d"]
    network: Architecture
    chain: OutputChain
    splines: tuple[Float[Array, "full nodes"] | None, ...]
    factors: tuple[float, ...] = eqx.field(static=True)
    card: str = eqx.field(static=True)

    @property
    def plan(self) -> Mapping[str, Any]:
        """The record of what it was made from."""
        return json.loads(self.card)["plan"]

    @property
    def digests(self) -> Mapping[str, str]:
        """Module -> digest of its file, for parts of the user's own."""
        return json.loads(self.card).get("parts", {})

    @property
    def members(self) -> int:
        """Number of networks."""
        return self.network.bias.shape[0]

    @property
    def by_components(self) -> bool:
        """Whether the amplitudes are the principal components: where they are fewer than the hidden units."""
        compression = self.chain.compression
        return compression is not None and len(compression.shift) < self.members * self.network.weight.shape[-1]

    def each(self, theta: Float[Array | np.ndarray, "*n d"]) -> dict[str, Float[Array, "e *n _"]]:
        """What each member says before the last elementwise function."""
        u = self._standardised(theta)
        predicted = eqx.filter_vmap(lambda network: network(u))(self.network).astype(float)
        return self._split(self.chain.inner(predicted))

    def __call__(self, theta: Float[Array | np.ndarray, "*n d"]) -> dict[str, Float[Array, "*n _"]]:
        """Predict all outputs."""
        means = {name: jnp.mean(values, axis=0) for name, values in self.each(theta).items()}
        return {name: self._outer(name, mean) for name, mean in means.items()}

    def spread(self, theta: Float[Array | np.ndarray, "*n d"]) -> dict[str, Float[Array, "*n _"]]:
        """Calibrated 68 % error of each output before the last elementwise function; needs two members."""
        each = self.each(theta)
        return {
            name: factor * jnp.std(each[name], axis=0, ddof=1) for name, factor in zip(each, self.factors, strict=True)
        }

    def amplitudes(self, theta: Float[Array | np.ndarray, "*n d"]) -> Float[Array, "*n v"]:
        """What the outputs are linear in: 1 first, then hidden units of all members, or principal components."""
        u = self._standardised(theta)
        one = jnp.ones((*u.shape[:-1], 1))
        if self.by_components:
            assert self.chain.compression is not None
            predicted = eqx.filter_vmap(lambda network: network(u))(self.network).astype(float)
            return jnp.concatenate([one, self.chain.compression.coefficients(predicted.mean(axis=0))], axis=-1)
        hidden = eqx.filter_vmap(lambda network: network.hidden(u))(self.network).astype(float)
        return jnp.concatenate([one, *hidden], axis=-1)

    def linear_parts(self) -> LinearParts:
        """Take the record apart into plain arrays."""
        if self.by_components:
            basis = self.chain.basis_of_components()
        else:
            weight, bias = self.network.weight.astype(float) / self.members, self.network.bias.astype(float)
            basis = self.chain.basis_of_layer(jnp.concatenate(list(weight), axis=-1), bias.mean(axis=0))
        pieces = {name: np.asarray(piece.T) for name, piece in self._split(basis.T).items()}
        parameters: dict[str, dict[str, np.ndarray]] = {}
        for name in pieces:
            first, last = self.place(name)
            found = self.chain.normalisation.parameters()
            parameters[name] = {key: np.asarray(values[first:last]) for key, values in found.items()}
        return LinearParts(
            self.inputs,
            np.asarray(self.shift),
            np.asarray(self.scale),
            {name: np.asarray(values) for name, values in arrays(self.network).items()},
            pieces,
            dict.fromkeys(pieces, outer_of(type(self.chain.normalisation), self.plan["normalisation"])),
            parameters,
        )

    def with_factors(self, factors: dict[str, float]) -> "TrainedNetwork":
        """The same with calibrated errors."""
        known = tuple(float(factors.get(o.name, f)) for o, f in zip(self.outputs, self.factors, strict=True))
        values: dict[str, Any] = {**vars(self), "factors": known}
        return TrainedNetwork(**values)

    def _standardised(self, theta: Float[Array | np.ndarray, "*n d"]) -> Float[Array, "*n d"]:
        return ((jnp.asarray(theta, float) - self.shift) / self.scale).astype(jnp.float32)

    def _split(self, inner: Float[Array, "*n m"]) -> dict[str, Float[Array, "*n _"]]:
        found = {}
        for output, spline in zip(self.outputs, self.splines, strict=True):
            first, last = self.place(output.name)
            piece = inner[..., first:last]
            found[output.name] = piece if spline is None else piece @ spline.T
        return found

    def _outer(self, name: str, inner: Float[Array, "*n _"]) -> Float[Array, "*n _"]:
        first, last = self.place(name)
        if self.splines[self._number(name)] is not None:
            return inner
        padded = jnp.zeros((*inner.shape[:-1], sum(self.sizes))).at[..., first:last].set(inner)
        return self.chain.outer(padded)[..., first:last]

    def _number(self, name: str) -> int:
        return [output.name for output in self.outputs].index(name)

    def place(self, name: str) -> tuple[int, int]:
        """First entry of an output among those of the network, and the one after its last."""
        ends = np.cumsum((0, *self.sizes))
        i = self._number(name)
        return int(ends[i]), int(ends[i + 1])
