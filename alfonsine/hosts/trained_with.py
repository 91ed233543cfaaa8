"""What an emulator's exact code was told beside the sampled parameters: from the emulator's card.

A study fixes parameters (omega_b: 0.0224) and computes others (h: 'lambda H0: H0/100'). A host must not give another
value for these, and whoever calls the exact code again has to give it the same ones.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError
from alfonsine.space.expression import Expression, in_order


@dataclass(frozen=True)
class TrainedWith:
    """The way from an emulator's inputs to those of its exact code.

    theory    code, version, settings; empty where the card does not say
    fixed     name -> value
    computed  name -> expression, in an order in which each can be evaluated
    dropped   names that the code was not given
    """

    theory: Mapping[str, Any]
    fixed: Mapping[str, float]
    computed: Mapping[str, Expression]
    dropped: frozenset[str]

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the code, and fixed parameters, which for a host are the same."""
        return {**dict(self.theory.get("settings") or {}), **self.fixed}

    def known(self, point: Mapping[str, float]) -> dict[str, float]:
        """Sampled, fixed and computed parameters at a point of the emulator's inputs."""
        values = {**self.fixed, **point}
        for name, expression in self.computed.items():
            values[name] = float(expression(values))
        return values

    def inputs(self, point: Mapping[str, float]) -> dict[str, float]:
        """What the exact code was called with at a point, beside its settings."""
        return {name: value for name, value in self.known(point).items() if name not in self.dropped}


def trained_with(emulator: Emulator) -> TrainedWith:
    """What the card says; InputError where that is of another form than alfonsine writes."""
    return _read(emulator.card_text)


@lru_cache(maxsize=16)
def _read(card_text: str) -> TrainedWith:
    card = json.loads(card_text)
    try:
        way = card.get("params") or {}
        computed = {str(name): Expression.parse(text) for name, text in (way.get("computed") or {}).items()}
        fixed = {str(name): float(value) for name, value in (way.get("fixed") or {}).items()}
        dropped = frozenset(map(str, way.get("dropped") or ()))
        theory = MappingProxyType(dict(card.get("theory") or {}))
        ordered = in_order(computed, {*fixed, *map(str, card.get("inputs") or ())})  # JSON may be sorted by name
        if unknown := [name for name in computed if name not in ordered]:
            raise InputError(f"'{unknown[0]}' computed from {', '.join(computed[unknown[0]].arguments)}, not all known")
    except (TypeError, ValueError, AttributeError, InputError) as error:
        raise InputError(
            f"expected an emulator whose card says what its exact code was told, as alfonsine writes it, got {error}; "
            "train it again"
        ) from None
    return TrainedWith(theory, fixed, ordered, dropped)
