r"""Chains as text, in the layout of Cobaya, which GetDist reads.

`root.1.txt`, `root.2.txt`, ... hold one chain each, with the columns

    weight  minuslogpost  <sampled>  <derived>  minuslogprior  chi2  chi2__<likelihood> ...

where chi2 = -2 ln L (Cobaya's use of the name). `root.paramnames` lists all columns after the second with their
labels, derived ones marked with *; `root.ranges` the hard edges. Every file appears whole or not at all.
"""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.posterior.posterior import Posterior

DIGITS = 12  # a chi2 of 1e3 keeps nine decimals


def write_chains(
    root: Path | str,
    posterior: Posterior,
    lower: Float[np.ndarray, " d"] | None = None,
    upper: Float[np.ndarray, " d"] | None = None,
    derived_latex: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the files of a posterior and return their paths, chains first; old chains of the same root are removed."""
    root = Path(root)
    columns, labels = _columns(posterior, derived_latex or {})
    for name in columns:
        if re.search(r"[\s*#]", name):
            raise InputError(f"expected parameter names without space, * or #, got '{name}'; rename it")
    table = np.column_stack([posterior.weights, -posterior.log_posterior, *columns.values()])
    header = " ".join(f"{name:>{DIGITS + 6}}" for name in ("weight", "minuslogpost", *columns))
    paths = []
    for i, number in enumerate(np.unique(posterior.chain), start=1):
        rows = table[posterior.chain == number]
        paths.append(_beside(root, f".{i}.txt"))
        write_atomically(paths[-1], lambda f, rows=rows: _write_table(f, header, rows))
    for stale in set(_chain_files(root)) - set(paths):
        stale.unlink()
    sampled = set(posterior.names)
    names = "".join(f"{n}{'' if n in sampled else '*'}\t{labels[n]}\n" for n in columns)
    write_atomically(_beside(root, ".paramnames"), lambda f: f.write(names.encode()))
    edges = zip(posterior.names, _edges(lower, posterior), _edges(upper, posterior), strict=True)
    ranges = "".join(f"{n}\t{_edge(low)}\t{_edge(high)}\n" for n, low, high in edges)
    write_atomically(_beside(root, ".ranges"), lambda f: f.write(ranges.encode()))
    return [*paths, _beside(root, ".paramnames"), _beside(root, ".ranges")]


def read_chains(root: Path | str) -> Posterior:
    """Read what `write_chains` wrote (or Cobaya chains with a .paramnames file); diagnostics are not stored."""
    root = Path(root)
    files, listing = _chain_files(root), _beside(root, ".paramnames")
    if not files or not listing.exists():
        raise InputError(
            f"expected chains {root.name}.1.txt, ... and {root.name}.paramnames in {root.parent}, got "
            f"{len(files)} chains and {'a' if listing.exists() else 'no'} list of names; check the root"
        )
    lines = [line.split(None, 1) for line in listing.read_text().splitlines() if line.strip()]
    try:
        tables = [np.loadtxt(f, ndmin=2) for f in files]
    except ValueError as error:
        raise InputError(f"expected numbers in the chains {root}, got: {error}; the file is damaged") from None
    chain = np.concatenate([np.full(len(t), i) for i, t in enumerate(tables)])
    widths = {t.shape[1] for t in tables}
    if widths != {len(lines) + 2}:
        raise InputError(
            f"expected {len(lines) + 2} columns in the chains {root}, got {sorted(widths)}; "
            "the chains and .paramnames belong to different runs"
        )
    table = np.concatenate(tables)
    columns = {line[0]: table[:, i] for i, line in enumerate(lines, start=2)}
    labels = {line[0]: line[1].strip() if len(line) > 1 else line[0] for line in lines}
    sampled = [n for n in columns if not n.endswith("*")]
    rest = {n[:-1]: v for n, v in columns.items() if n.endswith("*")}
    return Posterior(
        names=tuple(sampled),
        latex=tuple(labels[n] for n in sampled),
        samples=np.column_stack([columns[n] for n in sampled]),
        weights=table[:, 0],
        log_posterior=-table[:, 1],
        log_likelihoods={n.removeprefix("chi2__"): -0.5 * v for n, v in rest.items() if n.startswith("chi2__")},
        chain=chain,
        derived={n: v for n, v in rest.items() if not re.match(r"chi2(__|$)|minuslogprior(__|$)", n)},
    )


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside its place and move it there, so that a reader or a crash never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp is for secrets; chains are to be shared
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _columns(posterior: Posterior, derived_latex: Mapping[str, str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    columns = dict(zip(posterior.names, posterior.samples.T, strict=True))
    labels = dict(zip(posterior.names, posterior.latex, strict=True))
    for name, value in posterior.derived.items():
        columns[name], labels[name] = value, derived_latex.get(name, name)
    if posterior.log_likelihoods:
        total = np.sum(list(posterior.log_likelihoods.values()), axis=0)
        columns["minuslogprior"], labels["minuslogprior"] = total - posterior.log_posterior, r"-\log\pi"
        columns["chi2"], labels["chi2"] = -2.0 * total, r"\chi^2"
        for name, value in posterior.log_likelihoods.items():
            key = f"chi2__{name}"
            columns[key], labels[key] = -2.0 * value, rf"\chi^2_\mathrm{{{name.replace('_', ' ')}}}"
    return columns, labels


def _write_table(file: IO[bytes], header: str, rows: Float[np.ndarray, "n column"]) -> None:
    file.write(f"#{header[1:]}\n".encode())
    line = " ".join([f"%{DIGITS + 6}.{DIGITS}g"] * rows.shape[1]) + "\n"
    file.write((line * len(rows) % tuple(rows.ravel().tolist())).encode())


def _chain_files(root: Path) -> list[Path]:
    """The chains of a root, in the order of their numbers."""
    pattern = re.compile(re.escape(root.name) + r"\.(\d+)\.txt")
    found = [(int(m[1]), p) for p in root.parent.glob("*.txt") if (m := pattern.fullmatch(p.name))]
    return [p for _, p in sorted(found)]


def _beside(root: Path, ending: str) -> Path:
    return root.with_name(root.name + ending)  # not with_suffix: a root may contain a dot


def _edges(edges: Float[np.ndarray, " d"] | None, posterior: Posterior) -> Float[np.ndarray, " d"]:
    return np.full(len(posterior.names), np.inf) if edges is None else np.asarray(edges)


def _edge(value: float) -> str:
    return f"{value:.12g}" if np.isfinite(value) else "N"
