"""How the small network that corrects a trend lies in a file: layers that take what the one before gives."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.around.network import Ensemble, Layer, Network
from alfonsine.emulator.stored.layout import Layout, Wanted

LAYER = ("weight", "bias", "alpha", "beta")


def ensemble_arrays(at: str, ensemble: Ensemble | None) -> dict[str, Any]:
    """Its arrays under `at`; none where there is no network."""
    if ensemble is None:
        return {}
    members = ensemble.members
    found = {f"{at}.scale": ensemble.scale, f"{at}.weight": members.weight, f"{at}.bias": members.bias}
    for j, layer in enumerate(members.hidden):
        found |= {f"{at}.layer{j}.{f}": getattr(layer, f) for f in LAYER}
    return found


def ensemble_layout(at: str, depth: int | None, d: int, components: int, stored: Mapping[str, np.ndarray]) -> Layout:
    """Shapes of one network of d inputs, all members alike."""
    if depth is None:
        return {}
    members, width = stored[f"{at}.weight"].shape[0], d
    if members < 1:
        raise ValueError(f"{at} has no members")
    found: Layout = {}
    for j in range(depth):
        units = stored[f"{at}.layer{j}.bias"].shape[1]
        found[f"{at}.layer{j}.weight"] = Wanted((members, units, width))
        found |= {f"{at}.layer{j}.{name}": Wanted((members, units)) for name in ("bias", "alpha", "beta")}
        width = units
    return found | {
        f"{at}.weight": Wanted((members, components, width)),
        f"{at}.bias": Wanted((members, components)),
        f"{at}.scale": Wanted((components,)),
    }


def load_ensemble(at: str, depth: int | None, stored: Mapping[str, np.ndarray]) -> Ensemble | None:
    """The network that was taken apart."""
    if depth is None:
        return None
    hidden = tuple(Layer(*(jnp.asarray(stored[f"{at}.layer{j}.{f}"]) for f in LAYER)) for j in range(depth))
    members = Network(hidden, jnp.asarray(stored[f"{at}.weight"]), jnp.asarray(stored[f"{at}.bias"]))
    return Ensemble(members, jnp.asarray(stored[f"{at}.scale"]))
