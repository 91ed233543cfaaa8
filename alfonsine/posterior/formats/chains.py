r"""Chains as text, in the layout of Cobaya, which GetDist and anesthetic read too; and in GetDist's own.

`root.1.txt`, `root.2.txt`, ... hold one chain each, with the columns of `columns` and their names in the first line.
`root.paramnames` lists all columns after the second with their labels, derived ones marked with *; `root.ranges` the
hard edges. GetDist's own layout has `root_1.txt`, ... and no first line. Every file appears whole or not at all.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_files import beside, chain_files
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.cobaya_input import ENDINGS, Described, read_input
from alfonsine.posterior.formats.columns import columns_of, listed, posterior_of
from alfonsine.posterior.formats.number_table import read_table
from alfonsine.posterior.formats.paramnames import Listed, paramnames_text, ranges_text, read_paramnames, read_ranges
from alfonsine.posterior.formats.whole_files import write_together
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
    none = np.full(len(posterior.names), np.inf)
    edges = zip(-none if lower is None else lower, none if upper is None else upper, strict=True)
    limits = dict(zip(posterior.names, ((float(a), float(b)) for a, b in edges), strict=True))
    written = write_together(chain_texts(root, ChainSet(posterior, derived_latex or {}, limits)))
    for stale in set(chain_files(root, r"\.(\d+)\.txt")) - set(written):
        stale.unlink()
    return written


def chain_texts(root: Path, chains: ChainSet) -> dict[Path, bytes]:
    """The files in Cobaya's layout."""
    columns = listed(chains.posterior, chains.latex)
    header = " ".join(f"{name:>{DIGITS + 6}}" for name in ("weight", "minuslogpost", *columns.names))
    return _texts(chains, columns, lambda i: beside(root, f".{i}.txt"), f"#{header[1:]}\n") | _names(root, chains)


def getdist_texts(root: Path, chains: ChainSet, height: Float[np.ndarray, " n"] | None = None) -> dict[Path, bytes]:
    """The files in GetDist's layout; `height` stands for ln p in the second column, for those who read it so."""
    columns = listed(chains.posterior, chains.latex)
    return _texts(chains, columns, lambda i: beside(root, f"_{i}.txt"), "", height) | _names(root, chains)


def read_chains(root: Path | str) -> Posterior:
    """Read chains in either layout; diagnostics are not stored."""
    return read_chain_set(root).posterior


def read_chain_set(root: Path | str) -> ChainSet:
    """Read chains of Cobaya, GetDist or CosmoMC, with labels, edges and priors where files beside them tell.

    Which columns are derived is told by `root.paramnames`, or by Cobaya's `root.updated.yaml`; without either, by
    nobody: all of the first line's are then taken for sampled.
    """
    root = Path(root)
    files, names = chain_files(root), beside(root, ".paramnames")
    described = next((read_input(p) for e in ENDINGS if (p := beside(root, e)).exists()), None)
    if not files:
        raise InputError(
            f"{root}: expected chains {root.name}.1.txt or {root.name}_1.txt, ..., found none; check the root"
        )
    read = [read_table(path) for path in files]
    known = read_paramnames(names) if names.exists() else _from_header(files[0], read[0][0], described)
    for path, (header, table) in zip(files, read, strict=True):
        wide = len(known.names) + 2
        if table.shape[1] != wide or (header and header[2:] != known.names):
            told = f"{table.shape[1]}{' with other names' if table.shape[1] == wide else ''}"
            raise InputError(
                f"{path}: expected {wide} columns, as {names.name if names.exists() else files[0].name} lists, "
                f"got {told}; the files belong to different runs"
            )
    try:
        posterior = posterior_of(known, [table for _, table in read])
    except InputError as error:
        raise InputError(f"{root}: {error}") from None
    limits = (described.limits if described else {}) | read_ranges(beside(root, ".ranges"))
    labels = {name: known.latex[name] for name in posterior.derived}
    return ChainSet(posterior, labels, limits, described.priors if described else {})


def _from_header(path: Path, header: tuple[str, ...], described: Described | None) -> Listed:
    """What the first line lists, and Cobaya's input explains."""
    names = header[2:]
    if not names:
        raise InputError(
            f"{path}: expected a list of names beside it (.paramnames), or a first line '# weight minuslogpost ...', "
            "got neither; write one"
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{path}:1: expected each column once, got '{repeated[0]}' twice; rename one")
    end = next((i for i, n in enumerate(names) if n in ("minuslogprior", "chi2")), len(names))
    sampled = set(names[:end]) if described is None else set(described.sampled) & set(names[:end])
    latex = {name: name for name in names} | (dict(described.latex) if described else {})
    return Listed(names, frozenset(names) - sampled, latex)


def _names(root: Path, chains: ChainSet) -> dict[Path, bytes]:
    posterior = chains.posterior
    limits = {name: chains.edges(name) for name in posterior.names}
    return {
        beside(root, ".paramnames"): paramnames_text(listed(posterior, chains.latex)).encode(),
        beside(root, ".ranges"): ranges_text(limits).encode(),
    }


def _texts(
    chains: ChainSet,
    columns: Listed,
    path: Callable[[int], Path],
    first_line: str,
    height: Float[np.ndarray, " n"] | None = None,
) -> dict[Path, bytes]:
    posterior = chains.posterior
    values = columns_of(posterior)
    height = posterior.log_posterior if height is None else height
    table = np.column_stack([posterior.weights, -height, *(values[name] for name in columns.names)])
    line = " ".join([f"%{DIGITS + 6}.{DIGITS}g"] * table.shape[1]) + "\n"
    texts = {}
    for i, number in enumerate(np.unique(posterior.chain), start=1):
        rows = table[posterior.chain == number]
        texts[path(i)] = (first_line + line * len(rows) % tuple(rows.ravel().tolist())).encode()
    return texts
