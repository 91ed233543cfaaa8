"""What no file of a network says, and must be known: logarithm or not, unit, axis, ranges of the inputs.

It comes from a table that the user writes in YAML, or from `published.yaml` for networks that are public and were
recognised by the digest of their weights, or named by the user. Sizes and names alone are never enough: a network that
somebody trained anew after a tutorial has those of the published one, and other ranges.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jaxtyping import Float

from alfonsine.emulator.imported.network import ImportedNetwork
from alfonsine.errors import InputError, nearest

REQUIRED = ("output", "log", "unit", "ranges")
OPTIONAL = ("axis", "labels", "factor", "form", "names", "pca", "code", "about", "published")
MATCH = ("fingerprints", "modes", "components")  # of published.yaml only
FORMS = ("c_l", "d_l", "d_l_lensing")
NONE = "none"


@dataclass(frozen=True)
class SideTable:
    """One network's entry.

    output   name under which the emulator gives it: tt, te, ee, pp, pk_lin, ...; derived for numbers with labels
    log      whether the features are logarithms to base ten
    unit     of the output, once multiplied by `factor`
    ranges   name in the file -> (lower, upper): where it was trained
    axis     name and unit of the modes
    labels   names of the features, where they are numbers and not a function of an axis
    factor   the output is this times what was learned: T_CMB^2 in muK^2, for dimensionless spectra
    form     c_l: as it is; d_l: l(l+1)/2pi times C_l was learned; d_l_lensing: [l(l+1)]^2/2pi times C_l
    names    name in the file -> name of the emulator's input, where that is to differ
    pca      layout C: where the principal components lie ({matrix, mean, std, modes}), or "none"
    code     exact code and version that it learned from
    """

    output: str
    log: bool
    unit: str
    ranges: Mapping[str, tuple[float, float]]
    axis: tuple[str, str] | None = None
    labels: tuple[str, ...] = ()
    factor: float = 1.0
    form: str = "c_l"
    names: Mapping[str, str] = field(default_factory=dict)
    pca: Mapping[str, Any] | str | None = None
    code: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    def rows(self, modes: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """Factor of every feature: `factor` over what was multiplied before learning."""
        if self.form == "c_l":
            return np.full(len(modes), self.factor)
        scale = modes * (modes + 1.0)
        if not np.all(scale > 0):
            raise InputError(f"expected multipoles above zero for form {self.form}, got {modes.min():g}")
        return self.factor * 2.0 * np.pi / (scale if self.form == "d_l" else scale**2)

    def record(self) -> dict[str, Any]:
        """Plain values for the card."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", (), {})}


def side_table(network: ImportedNetwork, file: Path, given: Mapping[str, Any] | None = None) -> SideTable:
    """The entry for a network: what the user gives, over what is published of it.

    given   the user's entry; it may name a published network under `published`
    """
    given = dict(given or {})
    where = f"the table of '{file.name}'"
    for key in given:
        if key not in (*REQUIRED, *OPTIONAL):
            raise InputError(
                f"expected known keys in {where}, got '{key}'; {nearest(str(key), [*REQUIRED, *OPTIONAL])}"
            )
    chosen = given.pop("published", None)
    if chosen is not None and not (isinstance(chosen, str) and chosen in published()):
        raise InputError(
            f"expected a published network in {where}, got '{chosen}'; {nearest(str(chosen), published())}"
        )
    name = chosen or recognised(network)
    if name is None and not all(key in given for key in REQUIRED):
        raise _unknown(network, file, [key for key in REQUIRED if key not in given])
    known = {k: v for k, v in (published()[name] if name else {}).items() if k not in MATCH}
    return checked_table({**known, **given}, network, where)


@lru_cache(maxsize=1)
def published() -> dict[str, dict[str, Any]]:
    """Name -> entry of every published network that is known."""
    text = (Path(__file__).parent / "published.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["networks"]


def recognised(network: ImportedNetwork) -> str | None:
    """The published network that has these weights, or None."""
    for name, entry in published().items():
        if network.fingerprint in entry.get("fingerprints", ()):
            return name
    return None


def alike(network: ImportedNetwork) -> list[str]:
    """Published networks with these inputs and modes: a hint for a message, and never more."""
    found = []
    for name, entry in published().items():
        first, last, number = entry.get("modes") or (0.0, 0.0, 0)
        same = network.size == number and bool(np.allclose(network.modes[[0, -1]], (first, last), rtol=1e-3))
        if same and set(network.parameters) <= set(entry["ranges"]) and bool(network.components) == entry["components"]:
            found.append(name)
    return found


def checked_table(entry: Mapping[str, Any], network: ImportedNetwork, where: str) -> SideTable:
    """The entry as a record; InputError in one line for a value that is not of its kind."""
    if not isinstance(entry["log"], bool):
        raise InputError(f"expected log: true or false in {where}, got {entry['log']!r:.40}")
    for key in ("output", "unit"):
        if not isinstance(entry[key], str) or (key == "output" and not entry[key].isidentifier()):
            raise InputError(f"expected {key} as a word in {where}, got {entry[key]!r:.40}")
    for key, kind in (("labels", list), ("names", dict), ("code", dict)):
        if not isinstance(entry.get(key) or kind(), kind):
            raise InputError(f"expected {key} as a {kind.__name__} in {where}, got {entry[key]!r:.40}")
    axis, labels = entry.get("axis"), tuple(entry.get("labels") or network.labels)
    if axis is not None and not (
        isinstance(axis, dict) and all(isinstance(axis.get(k), str) for k in ("name", "unit"))
    ):
        raise InputError(f"expected axis: {{name: k, unit: 1/Mpc}} in {where}, got {axis!r:.60}")
    if not labels and axis is None:
        raise InputError(
            f"expected what the modes are in {where}, got neither axis nor labels; try axis: {{name: l, unit: ''}}"
        )
    if labels and (len(labels) != network.size or not all(isinstance(label, str) for label in labels)):
        raise InputError(f"expected {network.size} labels in {where}, got {len(labels)}")
    form = entry.get("form", "c_l")
    if form not in FORMS:
        raise InputError(f"expected one of the forms {', '.join(FORMS)} in {where}, got {form!r:.40}")
    factor = _number(entry.get("factor", 1.0), f"factor in {where}")
    if factor == 0 or (entry["log"] and factor < 0):
        raise InputError(f"expected a factor above zero in {where}, got {factor:g}")
    names = entry.get("names") or {}
    for name in names:
        if name not in (*network.parameters, *entry["ranges"]):
            raise InputError(f"expected inputs of the network under names in {where}, got '{name}'")
    return SideTable(
        output=entry["output"],
        log=entry["log"],
        unit=entry["unit"],
        ranges=_ranges(entry["ranges"], network, where),
        axis=None if axis is None or labels else (axis["name"], axis["unit"]),
        labels=labels,
        factor=factor,
        form=form,
        names={str(k): str(v) for k, v in names.items() if k in network.parameters},
        pca=entry.get("pca"),
        code={str(k): str(v) for k, v in (entry.get("code") or {}).items()},
        about=str(entry.get("about", "")),
    )


def _ranges(ranges: Any, network: ImportedNetwork, where: str) -> dict[str, tuple[float, float]]:
    if not isinstance(ranges, dict):
        raise InputError(f"expected ranges: {{name: [lower, upper]}} in {where}, got {ranges!r:.40}")
    found = {}
    for name in network.parameters:
        if name not in ranges:
            raise InputError(f"expected the range of '{name}' in {where}, got none; add {name}: [lower, upper]")
        pair = ranges[name]
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise InputError(f"expected {name}: [lower, upper] in {where}, got {pair!r:.40}")
        lower, upper = (_number(edge, f"the range of '{name}' in {where}") for edge in pair)
        if not lower < upper:
            raise InputError(f"expected lower below upper for '{name}' in {where}, got {lower:g} and {upper:g}")
        found[name] = (lower, upper)
    return found


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)  # YAML takes 1e-4 for a word
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number) or isinstance(value, bool):
        raise InputError(f"expected a number for {what}, got {value!r:.40}")
    return number


def _unknown(network: ImportedNetwork, file: Path, missing: list[str]) -> InputError:
    what = {
        "output": "which output it is",
        "log": "whether it learned logarithms",
        "unit": "the unit",
        "ranges": f"the ranges of {', '.join(network.parameters)}",
    }
    similar = alike(network)
    hint = f" (or, if it is one of these, --table {' or '.join(similar)})" if similar else ""
    return InputError(
        f"expected to be told of '{file.name}' what such a file does not say: {'; '.join(what[k] for k in missing)}; "
        f"fill the table that 'alfonsine template {file.name}' prints and give it with --table{hint}"
    )


def template(network: ImportedNetwork, file: Path) -> str:
    """A table for a network, in YAML, to be filled in."""
    first = f"{network.modes[0]:g} to {network.modes[-1]:g}" if len(network.modes) else ", ".join(network.labels)[:60]
    lines = [
        f"{_key(file.name)}:",
        "  output:            # its name: tt, te, ee, pp, pk_lin, pk_nl, ...; derived for numbers with labels",
        "  log:               # true if the network learned logarithms to base ten, else false",
        "  unit:              # of the output times factor: muK^2, Mpc^3, '' for none",
        "  factor: 1          # 7.42835025e+12 makes muK^2 of dimensionless spectra, at T_CMB = 2.7255 K",
        "  form: c_l          # c_l: as it is; d_l: l(l+1)C_l/2pi was learned; d_l_lensing: [l(l+1)]^2 C_l/2pi",
    ]
    if not network.labels:
        lines.append(
            f"  axis: {{name: , unit: }}   # of the {network.size} modes, {first}; or labels: [...], one for each"
        )
    if network.layout == "C":
        lines.append(
            "  pca:               # none, or {matrix: FILE.npy, mean: FILE.npy, std: FILE.npy, modes: [2, 2508]}"
        )
    lines.append("  ranges:            # where it was trained; nothing is predicted outside")
    for name, mean, std in zip(network.parameters, network.input_mean, network.input_std, strict=True):
        seen = f"# training set: mean {mean:.6g}, standard deviation {std:.3g}"
        lines.append(f"    {_key(name)}: [ , ]   {seen}")
    return "\n".join(lines)


def _key(name: str) -> str:
    """A word as a key of YAML, in quotes where it needs them."""
    return yaml.safe_dump(name, width=1000).splitlines()[0]


def read_tables(path: Path) -> dict[str, Any]:
    """The user's YAML: file name -> entry; InputError in one line for anything else."""
    try:
        tables = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"expected a table, or the name of a published network, got '{path}'; {nearest(str(path), published())}"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(
            f"expected a table in YAML in '{path.name}', got {' '.join(str(error).split())[:120]}"
        ) from None
    if not isinstance(tables, dict) or not all(isinstance(v, dict) and isinstance(k, str) for k, v in tables.items()):
        raise InputError(f"expected a table in '{path.name}': a file name, and beneath it output, log, unit, ranges")
    return tables
