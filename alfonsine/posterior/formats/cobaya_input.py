"""What an input of Cobaya says of its parameters: labels and priors. Read as plain values, and written.

`root.updated.yaml` is the input that Cobaya keeps beside its chains; the `study.yaml` of a run folder has the same
block `params`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.paramnames import Limits
from alfonsine.posterior.formats.plain_text import read_text, shown

ENDINGS = (".updated.yaml", ".input.yaml")


@dataclass(frozen=True)
class Described:
    """Per parameter, where the input says so: LaTeX, prior as it stands there, hard edges; and which are sampled."""

    sampled: tuple[str, ...]
    latex: Mapping[str, str]
    priors: Mapping[str, Mapping[str, Any]]
    limits: Limits


def read_input(path: Path) -> Described:
    """Read the block `params`; InputError where the file has none, or is no YAML of plain values."""
    try:
        given = yaml.safe_load(read_text(path, "an input of Cobaya"))
        params = given["params"]
        items = list(params.items())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where is not None else ""
        raise InputError(f"{path}{line}: expected YAML of plain values, got something else; correct it") from None
    except (TypeError, KeyError, AttributeError):
        raise InputError(f"{path}: expected the block params of an input of Cobaya, got none; correct it") from None
    sampled, latex, priors, limits = [], {}, {}, {}
    for name, entry in items:
        if not isinstance(entry, Mapping):
            latex |= {str(name): entry} if isinstance(entry, str) and not entry.startswith("lambda") else {}
            continue
        if isinstance(entry.get("latex"), str):
            latex[str(name)] = entry["latex"]
        if entry.get("prior") is not None:
            sampled.append(str(name))
            prior = _prior(path, str(name), entry["prior"])
            priors[str(name)] = prior
            limits[str(name)] = (prior.get("min", -np.inf), prior.get("max", np.inf))
    return Described(tuple(sampled), latex, priors, limits)


def input_text(chains: ChainSet) -> str | None:
    """An input for Cobaya's own reader of chains, or None where the prior of a sampled parameter is not known.

    Cobaya reads no chain without a proper prior of every sampled parameter.
    """
    posterior, labels = chains.posterior, chains.labels
    params: dict[str, Any] = {}
    for name in posterior.names:
        prior = chains.priors.get(name)
        if prior is None:
            low, high = chains.edges(name)
            if not (np.isfinite(low) and np.isfinite(high)):
                return None
            prior = {"min": float(low), "max": float(high)}
        params[name] = {"prior": dict(_for_cobaya(prior)), "latex": labels[name]}
    for name in posterior.derived:
        params[name] = {"derived": True, "latex": labels[name]}
    given = {"params": params, "likelihood": {name: None for name in posterior.log_likelihoods}}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True)


def _prior(path: Path, name: str, prior: Any) -> dict[str, Any]:
    """`[0, 1]` means `{min: 0, max: 1}`; of the numbers of a prior, those that are such."""
    if isinstance(prior, list | tuple) and len(prior) == 2:
        prior = {"min": prior[0], "max": prior[1]}
    if not isinstance(prior, Mapping):
        raise InputError(f"{path}: params.{name}: expected a prior such as {{min: 0, max: 1}}, got {shown(str(prior))}")
    prior = {str(key): _number(value) for key, value in prior.items()}
    for key in ("min", "max"):
        if key in prior and not isinstance(prior[key], float):
            raise InputError(
                f"{path}: params.{name}: expected a number for {key} of its prior, got {shown(str(prior[key]))}"
            )
    return prior


def _number(value: Any) -> Any:
    """YAML 1.1 takes 1e-10 for text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _for_cobaya(prior: Mapping[str, Any]) -> Mapping[str, Any]:
    """A normal that is cut at edges has another name in Cobaya, and counts them from its centre, in its widths."""
    edges = {"min", "max"} & prior.keys()
    if prior.get("dist") != "norm" or not edges:
        return prior
    loc, scale = prior["loc"], prior["scale"]
    cut = {key: (prior.get(edge, none) - loc) / scale for key, edge, none in
           (("a", "min", -np.inf), ("b", "max", np.inf))}  # fmt: skip
    return {"dist": "truncnorm", **cut, "loc": loc, "scale": scale}
