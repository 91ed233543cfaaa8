"""How the inputs of a surrogate around a posterior lie in a file: which features of the parameters they are."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.around.cheap import HIGHEST, CheapQuantities
from alfonsine.emulator.around.features import Features
from alfonsine.emulator.stored.layout import WHOLE, Layout, Wanted, counts

CHEAP = ("lower", "upper", "table", "coefficients")


def record(features: Features) -> dict[str, Any]:
    """Which entry of the pool each input is."""
    return {"chosen": list(features.chosen)}


def arrays(features: Features) -> dict[str, Any]:
    """All arrays under names that tell where they belong."""
    cheap = {f"features.{name}": getattr(features.cheap, name) for name in CHEAP}
    return {"features.positive": features.positive, **cheap}


def layout(record: Mapping[str, Any] | None, stored: Mapping[str, np.ndarray], d: int) -> Layout:
    """Shapes that fit together; nothing for a file from before there were features."""
    if record is None:
        return {}
    quantities, terms, _ = stored["features.table"].shape
    if len(counts(record["chosen"], 2 * d + d * d + quantities)) != d:
        raise ValueError(f"its features are {len(record['chosen'])} and not {d}")
    if not ((stored["features.table"] >= 0) & (stored["features.table"] < HIGHEST)).all():
        raise ValueError("a degree in it is out of range")
    if not (stored["features.upper"] > stored["features.lower"]).all():
        raise ValueError("the box of its cheap quantities is empty")
    return {
        "features.positive": Wanted((d,)),
        "features.lower": Wanted((d,)),
        "features.upper": Wanted((d,)),
        "features.table": Wanted((quantities, terms, d), WHOLE),
        "features.coefficients": Wanted((quantities, terms)),
    }


def build(record: Mapping[str, Any] | None, stored: Mapping[str, np.ndarray], d: int) -> Features:
    """The features that were taken apart."""
    if record is None:
        return Features.identity(d)
    cheap = CheapQuantities(*(jnp.asarray(stored[f"features.{name}"]) for name in CHEAP))
    return Features.of(record["chosen"], stored["features.positive"], cheap)
