"""A posterior as ArviZ's InferenceData, and as `posterior.nc`, a file in that layout.

Groups `posterior` (sampled and derived parameters), `sample_stats` (lp) and `log_likelihood` (ln L of each likelihood),
each with dimensions (chain, draw). The layout has no weights, and ArviZ's own functions know none: a weighted posterior
is resampled first, or, where asked, kept as it is with `weight` and the number of the chain among the sample_stats.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.plain_text import shown
from alfonsine.posterior.posterior import Posterior

if TYPE_CHECKING:
    import xarray

GROUPS = ("posterior", "sample_stats", "log_likelihood")
ATTRIBUTES = ("CLASS", "latex", "derived", "lower", "upper")
log = logging.getLogger(__name__)


def write_netcdf(path: Path | str, posterior: Posterior | ChainSet, weighted: bool = False) -> Path | None:
    """Write the file (whole or not at all) and return its path, or None where the optional packages are missing."""
    try:
        import h5netcdf  # noqa: F401 (xarray's engine; imported to learn of its absence before any file is begun)

        groups = datasets(posterior, weighted)
    except ImportError as missing:
        log.warning("%s not written: no %s; pip install alfonsine[arviz]", Path(path).name, missing.name)
        return None
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        mode = "w"
        for group, dataset in groups.items():
            dataset.to_netcdf(temporary, mode=mode, group=group, engine="h5netcdf")
            mode = "a"
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def read_netcdf(path: Path | str) -> ChainSet:
    """Read a file that ArviZ or we wrote; InputError for any other.

    By HDF5 itself: what reads netCDF prints a traceback of its own where a file is damaged.
    """
    h5py = _needed("h5py")
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: expected a file of ArviZ, found none; check the path")
    try:
        with h5py.File(path, "r") as file:
            groups = {name: _stored(file[name]) for name in GROUPS if name in file}
    except Exception as error:  # damaged HDF5 ends in errors of many kinds
        told = shown(str(error).strip().split("\n")[0], 160) if isinstance(error, OSError) else "a damaged one"
        raise InputError(
            f"{path}: expected netCDF of ArviZ, as HDF5, got a damaged file, or another kind ({told}); write it again"
        ) from None
    try:
        return _chain_set(groups)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def to_arviz(posterior: Posterior | ChainSet, weighted: bool = False) -> Any:
    """InferenceData, or the DataTree that has taken its place in ArviZ 1."""
    arviz = _needed("arviz")
    groups = datasets(posterior, weighted)
    if hasattr(arviz, "InferenceData"):
        return arviz.InferenceData(**groups)
    return _needed("xarray").DataTree.from_dict(groups)


def from_arviz(data: Any) -> ChainSet:
    """The posterior in an InferenceData or a DataTree; InputError where it lacks the samples or `lp`.

    Variables with more dimensions than (chain, draw) become one parameter for each element, `name[0]`; of ln L, the sum
    over them is that of the data set.
    """
    groups = {}
    for name in GROUPS:
        if name in _names(data):
            node = data[name]
            groups[name] = node.to_dataset() if hasattr(node, "to_dataset") else node
    return _chain_set(groups)


def datasets(given: Posterior | ChainSet, weighted: bool = False) -> dict[str, "xarray.Dataset"]:
    """The groups, those that would be empty left out."""
    import xarray

    chains = given if isinstance(given, ChainSet) else ChainSet(given)
    posterior, stats = _rectangular(chains.posterior, weighted)
    if {"chain", "draw"} & {*posterior.names, *posterior.derived}:
        raise InputError("expected no parameter named chain or draw, which are dimensions for ArviZ; rename it")
    count = len(np.unique(posterior.chain))
    labels = chains.labels
    variables: dict[str, dict[str, tuple[Any, dict[str, Any]]]] = {
        "posterior": {
            name: (values, {"latex": labels[name], **_limits(chains, name)})
            for name, values in zip(posterior.names, posterior.samples.T, strict=True)
        }
        | {name: (values, {"latex": labels[name], "derived": 1}) for name, values in posterior.derived.items()},
        "sample_stats": {"lp": (posterior.log_posterior, {})} | {name: (v, {}) for name, v in stats.items()},
        "log_likelihood": {name: (values, {}) for name, values in posterior.log_likelihoods.items()},
    }
    place = {"chain": np.arange(count), "draw": np.arange(len(posterior) // count)}
    return {
        group: xarray.Dataset(
            {name: (("chain", "draw"), values.reshape(count, -1), about) for name, (values, about) in columns.items()},
            place,
        )
        for group, columns in variables.items()
        if columns
    }


def _chain_set(groups: Mapping[str, Any]) -> ChainSet:
    if "posterior" not in groups or "lp" not in groups.get("sample_stats", {}):
        raise InputError(
            "expected a group 'posterior', and 'lp' (ln p of each draw) in 'sample_stats', got none; "
            "store them with the samples"
        )
    samples: dict[str, np.ndarray] = {}
    about: dict[str, Mapping[str, Any]] = {}
    for name, variable in groups["posterior"].data_vars.items():
        for key, values in _elements(str(name), variable):
            samples[key], about[key] = values, variable.attrs
    stats = groups["sample_stats"]
    height = stats["lp"]
    shape = height.shape
    if height.ndim != 2 or not height.size or any(v.size != height.size for v in samples.values()):
        raise InputError("expected draws with the dimensions (chain, draw), the same for all, got others")
    likelihoods = {
        str(name): np.asarray(value.values, float).reshape(*shape, -1).sum(axis=2).ravel()
        for name, value in groups["log_likelihood"].data_vars.items()
        if value.shape[:2] == shape
    } if "log_likelihood" in groups else {}  # fmt: skip
    names = [name for name in samples if not about[name].get("derived")]
    if not names or not all(np.all(np.isfinite(samples[name])) for name in names):
        raise InputError("expected at least one sampled parameter, and finite values of it, got none or others")
    chain = np.repeat(np.arange(shape[0]), shape[1])
    if "chain_number" in stats:
        chain = np.asarray(stats["chain_number"].values, int).ravel()
    posterior = Posterior(
        names=tuple(names),
        latex=tuple(str(about[name].get("latex", name)) for name in names),
        samples=np.column_stack([samples[name] for name in names]),
        weights=np.asarray(stats["weight"].values, float).ravel() if "weight" in stats else np.ones(height.size),
        log_posterior=np.asarray(height.values, float).ravel(),
        log_likelihoods=likelihoods,
        chain=chain,
        derived={name: value for name, value in samples.items() if name not in names},
    )
    limits = {
        name: (float(about[name].get("lower", -np.inf)), float(about[name].get("upper", np.inf)))
        for name in names
        if {"lower", "upper"} & about[name].keys()
    }
    return ChainSet(posterior, {n: str(about[n].get("latex", n)) for n in posterior.derived}, limits)


def _stored(group: Any) -> "xarray.Dataset":
    """The variables of a group, without the axes."""
    import xarray

    variables = {}
    for name, stored in group.items():
        about = {key: _plain(value) for key, value in stored.attrs.items() if key in ATTRIBUTES}
        if about.pop("CLASS", "") != "DIMENSION_SCALE":
            values = np.asarray(stored[()], float)
            axes = ["chain", "draw", *(f"{name}_{i}" for i in range(values.ndim - 2))]
            variables[name] = (axes[: values.ndim], values, about)
    return xarray.Dataset({name: xarray.Variable(*given) for name, given in variables.items()})


def _plain(value: Any) -> Any:
    """An attribute as text or number: HDF5 knows either as an array of one, and text as bytes."""
    value = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    return value.decode() if isinstance(value, bytes) else value


def _elements(name: str, variable: Any) -> Iterable[tuple[str, np.ndarray]]:
    """Each element of a variable (chain, draw, ...) as one column."""
    values = np.asarray(variable.values, float)
    if values.ndim == 2:
        yield name, values.ravel()
        return
    flat = values.reshape(values.shape[0] * values.shape[1], -1) if values.ndim > 2 else values.reshape(-1, 1)
    for i, place in enumerate(np.ndindex(values.shape[2:])):
        yield f"{name}[{','.join(map(str, place))}]", flat[:, i]


def _limits(chains: ChainSet, name: str) -> dict[str, float]:
    return {key: edge for key, edge in zip(("lower", "upper"), chains.edges(name), strict=True) if np.isfinite(edge)}


def _rectangular(posterior: Posterior, weighted: bool) -> tuple[Posterior, dict[str, np.ndarray]]:
    """Chains of one length, and what else is to be told of each draw.

    As they are where weights and lengths are equal; else resampled into a single chain, or kept with their weights.
    """
    lengths = np.unique(posterior.chain, return_counts=True)[1]
    if np.ptp(posterior.weights) == 0 and np.ptp(lengths) == 0:
        return posterior, {}
    if weighted:
        stats = {"weight": posterior.weights}
        if np.ptp(lengths) == 0:
            return posterior, stats
        return replace(posterior, chain=np.zeros(len(posterior), int)), stats | {"chain_number": posterior.chain}
    drawn = posterior.resampled(len(posterior), np.random.default_rng(0))  # the same file each time
    return replace(drawn, chain=np.zeros(len(drawn), int)), {}


def _names(data: Any) -> set[str]:
    """Groups of an InferenceData, or children of a DataTree."""
    return set(data.groups()) if callable(data.groups) else set(data.children)


def _needed(name: str, *more: str) -> Any:
    import importlib

    try:
        for other in more:
            importlib.import_module(other)
        return importlib.import_module(name)
    except ImportError as missing:
        raise InputError(f"expected the package {missing.name}, found none; pip install 'alfonsine[arviz]'") from None
