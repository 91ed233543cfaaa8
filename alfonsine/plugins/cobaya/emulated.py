"""A trained emulator as a theory of Cobaya."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from cobaya.log import LoggedError

from alfonsine.emulator.domain import OutsideDomain
from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.hosts import cobaya_words as words
from alfonsine.hosts.cobaya_served import Served
from alfonsine.hosts.numbers import canonical, completed, told
from alfonsine.hosts.outside import FAR, Visited, held
from alfonsine.hosts.quantities import Quantities, named, quantities_of
from alfonsine.hosts.trained_with import trained_with
from alfonsine.theory.class_names import INPUT_ALIASES

FAMILIES = (("H0", "h"), ("A_s", "ln_A_s_1e10"))  # either says the other
SAME = 1e-9  # relative: a parameter is a setting of the training


class Emulated(Served):
    """Serves an emulator file.

    theory:
      alfonsine.plugins.cobaya.Emulated:
        file: emulator.safetensors

    file         the emulator
    extra_args   as for the exact code: each must be as the emulator was trained with

    Its inputs may be given under any of their names (`alfonsine.theory.class_names`), A_s for its logarithm. A point
    outside the emulator's domain has zero likelihood: the log says so of the first, and how many at the end.
    """

    file: str | None = None
    _visited: Visited | None = None

    def initialize(self) -> None:
        """Load the emulator; LoggedError where it is none."""
        super().initialize()
        if not self.file:
            raise LoggedError(self.log, "expected the emulator's file, got none; add 'file: emulator.safetensors'")
        path = Path(self.file).expanduser()
        try:
            self.take(load_emulator(path), path.name)
        except InputError as error:
            raise LoggedError(self.log, "%s", str(error)) from None

    def take(self, emulator: Emulator, source: str) -> None:
        """Serve this emulator from now on."""
        self.emulator, self.source = emulator, source
        self.its = trained_with(emulator)
        for name, value in self.extra_args.items():
            self._as_trained(name, value, self.its.settings)
        centre = np.asarray(emulator.domain.centre)
        values = {name: np.asarray(v, dtype=float) for name, v in emulator.predict(jnp.asarray(centre)).items()}
        self._probe = named(emulator, dict(zip(emulator.names, centre.tolist(), strict=True)), values, source)
        self._visited = Visited(source, self.log.info, self._far())
        self.log.info("the emulator '%s' is the theory, with %s", source, held(emulator))

    def close(self) -> None:
        """Say how many points lay outside the domain."""
        if self._visited is not None:
            self._visited.tell()

    def get_allow_agnostic(self) -> bool:
        """Only its own parameters."""
        return False

    def get_can_support_params(self) -> Iterable[str]:
        """Every name under which an input, or what the exact code was told beside the inputs, may be given."""
        return called((*self.emulator.names, *self.its.settings, *self.its.computed))

    def get_can_provide_params(self) -> Iterable[str]:
        """Every number that it knows, under any of its names."""
        known = set(completed(self._probe.numbers)) - {canonical(name) for name in self.emulator.names}
        hosts = {word for word, name in words.NUMBERS.items() if canonical(name) in known}
        aliases = {alias for alias, name in INPUT_ALIASES.items() if name in known}
        return known | set(self._probe.numbers) - set(self.emulator.names) | hosts | aliases

    def initialize_with_params(self) -> None:
        """LoggedError for an input that the parameters do not say."""
        super().initialize_with_params()
        given = self._inputs(dict.fromkeys(self.input_params, 1.0))
        missing = [name for name in self.emulator.names if canonical(name) not in given]
        if missing:
            # Cobaya tells a theory only of names that it knows: a misspelt one is seen as an input that is missing
            known = ", ".join([missing[0], *sorted(called(missing[:1]) - {missing[0]})])
            raise LoggedError(
                self.log,
                "expected the emulator's input '%s' among params, got %s; add it, or correct its name there (%s)",
                missing[0],
                ", ".join(self.input_params) or "none",
                f"one of {known}" if "," in known else known,
            )

    def probe(self) -> Quantities:
        """The centre of its domain."""
        return self._probe

    def point(self, params: Mapping[str, float]) -> dict[str, float]:
        """The emulator's inputs; LoggedError for a parameter that it was trained with another value of."""
        values = self._inputs(params)
        mine = with_families(self.emulator.names)
        others = {name: value for name, value in params.items() if canonical(words.number(name)) not in mine}
        point = {name: values[canonical(name)] for name in self.emulator.names}
        if others:
            given = {**self.its.settings, **told(self.its.theory, self.its.known(point))}
            for name, value in others.items():
                self._as_trained(name, value, given)
        return point

    def quantities(self, params: Mapping[str, float]) -> Quantities | None:
        """All that the emulator says; None outside its domain."""
        point = self.point(params)
        self._visited.points += 1
        try:
            return quantities_of(self.emulator, point, self.source)
        except OutsideDomain as error:
            self._visited.refused(error)
            return None

    def get_jacobian(self) -> dict[str, np.ndarray]:
        """D output / d input at the current point: name -> (entries, inputs), inputs as in `emulator.names`.

        Require it as {'jacobian': None}; derived numbers are under "derived".
        """
        theta = jnp.array([self.point(self.current_state["params"])[name] for name in self.emulator.names])
        return {name: np.asarray(values) for name, values in _jacobian(self.emulator, theta).items()}

    def _far(self) -> str:
        """What to do where many points are too far from the middle of the training set."""
        return FAR

    @staticmethod
    def _inputs(params: Mapping[str, float]) -> dict[str, float]:
        return completed({words.number(name): value for name, value in params.items()})

    def _as_trained(self, name: str, value: Any, given: Mapping[str, Any]) -> None:
        """LoggedError unless a parameter or setting is as the exact code was `given` it."""
        known = {canonical(key): v for key, v in given.items()}
        ours = canonical(words.number(name))
        if ours not in known:
            raise LoggedError(
                self.log,
                "expected settings and parameters that the emulator was trained with (%s), got '%s'; remove it",
                ", ".join(dict.fromkeys((*self.emulator.names, *self.its.settings, *self.its.computed))),
                name,
            )
        if not _same(known[ours], value):
            raise LoggedError(
                self.log,
                "expected %s: %s, as the emulator was trained with, got %s; train again for another value",
                name,
                known[ours],
                value,
            )


def with_families(names: Iterable[str]) -> set[str]:
    """CLASS's own names of these numbers, and of those that say the same."""
    found = {canonical(name) for name in names}
    return found | {other for family in FAMILIES if found & set(family) for other in family}


def called(names: Iterable[str]) -> set[str]:
    """Every name under which these numbers may be given."""
    found = with_families(names)
    aliases = {alias for alias, name in INPUT_ALIASES.items() if name in found}
    return found | aliases | {word for word, name in words.NUMBERS.items() if canonical(name) in found}


def _same(trained: Any, given: Any) -> bool:
    try:
        return bool(np.isclose(float(trained), float(given), rtol=SAME, atol=0))
    except (TypeError, ValueError):
        return str(trained).strip().lower() == str(given).strip().lower()


@eqx.filter_jit
def _jacobian(emulator: Emulator, theta: jax.Array) -> dict[str, jax.Array]:
    return jax.jacfwd(emulator.predict)(theta)
