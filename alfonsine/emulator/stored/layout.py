"""What an emulator file must hold: every array by name, shape and kind. All of it follows from a few sizes.

A wrong shape is not left to be noticed by the arithmetic: much of it would broadcast to a wrong number.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

UNBOUNDED = ("domain.lower", "domain.upper")  # the only numbers that may be infinite
POSITIVE = ("coordinates.scale", "domain.radius")

Shapes = dict[str, tuple[int, ...]]


def check(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError, KeyError, TypeError or IndexError for anything that does not make up a whole emulator."""
    check_header(header)
    wanted = shapes(header, arrays)
    if wanted.keys() != arrays.keys():
        raise ValueError(f"it lacks or adds {', '.join(sorted(wanted.keys() ^ arrays.keys()))}")
    for name, shape in wanted.items():
        kind = "int64" if name == "table" else "float64"
        if arrays[name].shape != shape or arrays[name].dtype != kind:
            raise ValueError(f"{name} is {arrays[name].dtype} of shape {arrays[name].shape}, not {kind} of {shape}")
    for name, values in arrays.items():
        if np.isnan(values).any() or not (name in UNBOUNDED or np.isfinite(values).all()):
            raise ValueError(f"{name} holds values that are not numbers")
    if not all((arrays[name] > 0).all() for name in POSITIVE) or not (np.diag(arrays["domain.cholesky"]) > 0).all():
        raise ValueError("a width in it is not positive")
    if not ((arrays["table"] >= 0) & (arrays["table"] <= len(header["names"]))).all():
        raise ValueError("its table names inputs that it does not have")


def check_header(header: Mapping[str, Any]) -> None:
    """Raise ValueError for a header whose entries are not of their kind."""
    names = header["names"]
    if not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        raise ValueError("its names are not a list of names")
    if len(set(names)) < len(names):
        raise ValueError("a name is in it twice")
    if not all(depth is None or (isinstance(depth, int) and depth >= 0) for depth in header["networks"]):
        raise ValueError("its networks are not numbers of layers")
    if not (isinstance(header["outputs"], dict) and isinstance(header["card"], dict)):
        raise ValueError("its outputs or its card are no table")


def shapes(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Shapes:
    """The shapes that fit together, given the sizes that are free: terms, components, units, members."""
    d = len(header["names"])
    terms, order = arrays["table"].shape
    found: Shapes = {
        "coordinates.centre": (d,),
        "coordinates.scale": (d,),
        "table": (terms, order),
        "domain.centre": (d,),
        "domain.cholesky": (d, d),
        "domain.radius": (),
        "domain.lower": (d,),
        "domain.upper": (d,),
    }
    amplitudes = 0
    for i, depth in enumerate(header["networks"]):
        components = arrays[f"block{i}.coefficients"].shape[1]
        amplitudes += 1 + components
        found |= {f"block{i}.{name}": (d,) for name in ("origin", "slope", "power")}
        found[f"block{i}.coefficients"] = (terms, components)
        if depth is not None:
            found |= network_shapes(f"block{i}.network", depth, d, components, arrays)
    return found | {f"basis.{name}": (rows, amplitudes) for name, (rows, _) in header["outputs"].items()}


def network_shapes(at: str, depth: int, d: int, components: int, arrays: Mapping[str, np.ndarray]) -> Shapes:
    """Shapes of one network: layers that take what the one before gives, all members alike."""
    members, width = arrays[f"{at}.weight"].shape[0], d
    if members < 1:
        raise ValueError(f"{at} has no members")
    found: Shapes = {}
    for j in range(depth):
        units = arrays[f"{at}.layer{j}.bias"].shape[1]
        found[f"{at}.layer{j}.weight"] = (members, units, width)
        found |= {f"{at}.layer{j}.{name}": (members, units) for name in ("bias", "alpha", "beta")}
        width = units
    return found | {
        f"{at}.weight": (members, components, width),
        f"{at}.bias": (members, components),
        f"{at}.scale": (components,),
    }
