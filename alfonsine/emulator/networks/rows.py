"""What one network sees of a training set: its inputs, and its outputs side by side, row by row."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import CubicSpline

from alfonsine.emulator.networks.losses import Entries
from alfonsine.emulator.networks.model_set import ModelSet, chunks
from alfonsine.emulator.networks.plan import Plan
from alfonsine.errors import InputError
from alfonsine.theory.output import Output


@dataclass(frozen=True)
class Rows:
    """A view of a training set: a row is a model, or, where redshift is an input, a model at one redshift.

    With r redshifts of each model, row i belongs to model i // r; all rows of a model are in the same part of the
    split.
    """

    model_set: ModelSet
    plan: Plan

    def __post_init__(self) -> None:
        for name in self.plan.outputs:
            if name not in self.model_set.outputs:
                known = ", ".join(self.model_set.outputs)
                raise InputError(f"expected one of the outputs {known}, got '{name}'; check the plan")
        if self.plan.z_per_model is not None:
            self._check_surface()
        for name in self.plan.nodes:
            self._columns(name)
        self._check_derivatives()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return self.model_set.names + (("z",) if self.plan.z_per_model is not None else ())

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What a row predicts in the end, all multipoles included."""
        found = [self.model_set.outputs[name] for name in self.plan.outputs]
        if self.plan.z_per_model is not None:
            found = [Output(o.name, o.unit, tuple(a for a in o.axes if a.name != "z"), o.labels) for o in found]
        return tuple(found)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Entries of each output that the network itself predicts."""
        return tuple(o.size if (columns := self._columns(o.name)) is None else len(columns) for o in self.outputs)

    @property
    def splines(self) -> tuple[Float[np.ndarray, "full nodes"] | None, ...]:
        """For each output, the matrix from its nodes to all its multipoles; None where all are nodes."""
        return tuple(
            None if name not in self.plan.nodes else spline(self.plan.nodes[name], o.axis("l").array)
            for name, o in zip(self.plan.outputs, self.outputs, strict=True)
        )

    def part(self, name: str) -> Int[np.ndarray, " n"]:
        """Rows of "train", "validation" or "test"."""
        kept, plan = self.model_set, self.plan
        models = kept.split(plan.split_seed, plan.fractions)[name]
        if self.plan.z_per_model is None:
            return models
        r = self.plan.z_per_model
        return (models[:, None] * r + np.arange(r)).reshape(-1)

    def theta(self, rows: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b d"]:
        """Inputs of some rows."""
        if self.plan.z_per_model is None:
            return self._theta[rows]
        r = self.plan.z_per_model
        return np.column_stack([self._theta[rows // r], self._z_axis[1][self._redshifts[rows // r, rows % r]]])

    def values(self, rows: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b m"]:
        """Outputs of some rows side by side, as they are in the set."""
        if self.plan.z_per_model is not None:
            r = self.plan.z_per_model
            models = rows // r
            at = (self._z_axis[0], self._redshifts[models, rows % r])
            return self.model_set.values(self.plan.outputs[0], models, at)
        pieces = []
        for name in self.plan.outputs:
            columns = self._columns(name)
            values = self.model_set.values(name, rows)
            pieces.append(values if columns is None else values[:, columns])
        return pieces[0] if len(pieces) == 1 else np.hstack(pieces)

    def derivatives(self, rows: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b p m"]:
        """Given derivatives along the plan's directions, in the order of `values`."""
        given = self.plan.derivatives
        assert given is not None
        pieces = []
        for name in self.plan.outputs:
            values = self.model_set.values(given.outputs[name], rows).reshape(len(rows), len(given.directions), -1)
            columns = self._columns(name)
            pieces.append(values if columns is None else values[:, :, columns])
        return np.concatenate(pieces, axis=2)

    def chunks(self, rows: Int[np.ndarray, " n"], size: int = 64 << 20) -> Iterator[Float[np.ndarray, "b m"]]:
        """One pass over the outputs of some rows, `size` bytes in 64-bit numbers at a time."""
        step = max(1, size // (8 * sum(self.sizes)))
        return (self.values(piece) for piece in chunks(rows, step))

    def multipoles(self) -> Float[np.ndarray, " m"]:
        """The multipole l of each entry, NaN where it has none."""
        found = []
        for name, size, output in zip(self.plan.outputs, self.sizes, self.outputs, strict=True):
            if len(output.axes) == 1 and output.axes[0].name == "l":
                columns = self._columns(name)
                ell = output.axes[0].array
                found.append(ell if columns is None else ell[columns])
            else:
                found.append(np.full(size, np.nan))
        return np.concatenate(found)

    def entries(self, scale: Float[np.ndarray, " k"]) -> Entries:
        """What a loss may know; principal components have no multipole."""
        ell = self.multipoles() if self.plan.components is None else np.full(len(scale), np.nan)
        return Entries(ell, scale)

    @cached_property
    def _theta(self) -> Float[np.ndarray, "n d"]:
        return self.model_set.theta

    @cached_property
    def _z_axis(self) -> tuple[int, Float[np.ndarray, " z"]]:
        axes = self.model_set.outputs[self.plan.outputs[0]].axes
        place = [axis.name for axis in axes].index("z")
        return place, axes[place].array

    @cached_property
    def _redshifts(self) -> Int[np.ndarray, "n r"]:
        """Which redshifts of each model: different ones, drawn once from the seed."""
        rng = np.random.default_rng(self.plan.z_seed)
        order = rng.random((self.model_set.n, len(self._z_axis[1]))).argsort(axis=1)
        return order[:, : self.plan.z_per_model]

    def _columns(self, name: str) -> Int[np.ndarray, " c"] | None:
        """Which entries of an output are nodes."""
        if name not in self.plan.nodes:
            return None
        ell, nodes = self.model_set.outputs[name].axis("l").array, np.asarray(self.plan.nodes[name])
        columns = np.searchsorted(ell, nodes).clip(max=len(ell) - 1)
        whole = len(nodes) > 3 and np.all(np.diff(nodes) > 0) and np.array_equal(ell[columns], nodes)
        if not whole or nodes[0] != ell[0] or nodes[-1] != ell[-1]:
            raise InputError(
                f"output '{name}': expected increasing nodes among its multipoles, from {ell[0]:g} to {ell[-1]:g}, "
                f"four at least, got {self.plan.nodes[name]!r:.60}"
            )
        return columns

    def _check_surface(self) -> None:
        plan = self.plan
        axes = self.model_set.outputs[plan.outputs[0]].axes
        if len(plan.outputs) > 1 or len(axes) < 2 or "z" not in [axis.name for axis in axes]:
            raise InputError(
                "expected one output with an axis 'z' and another where z is an input; set z_per_model: null"
            )
        if plan.nodes or plan.derivatives:
            raise InputError("expected neither nodes nor derivatives where z is an input, got them; leave them out")
        if not 1 <= plan.z_per_model <= len(self._z_axis[1]):
            raise InputError(f"expected z_per_model from 1 to {len(self._z_axis[1])}, got {plan.z_per_model}")
        if "z" in self.model_set.names:
            raise InputError("expected 'z' to be an axis alone, got it among the inputs too; rename the input")

    def _check_derivatives(self) -> None:
        given = self.plan.derivatives
        if given is None:
            return
        d, p = len(self.model_set.names), len(given.directions)
        if not p or any(len(direction) != d for direction in given.directions):
            raise InputError(f"expected directions of {d} numbers each for the derivatives; check them")
        for name in self.plan.outputs:
            size = p * self.model_set.outputs[name].size
            held = self.model_set.outputs.get(given.outputs.get(name, ""))
            if held is None or held.size != size:
                raise InputError(f"expected an output of {size} numbers with the {p} derivatives of '{name}'; add it")


def spline(nodes: tuple[float, ...], ell: Float[np.ndarray, " full"]) -> Float[np.ndarray, "full nodes"]:
    """Matrix of the cubic spline of l(l+1) times a spectrum, from the nodes to all multipoles."""
    at = np.asarray(nodes)
    return CubicSpline(at, np.diag(at * (at + 1)))(ell) / (ell * (ell + 1))[:, None]
