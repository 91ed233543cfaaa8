r"""Chains of MontePython: a folder of text files, with the parameters in its `log.param`.

    2026-01-31_10000__1.txt       weight  -ln L  <varying>  <derived>     one file for each chain
    2026-01-31_10000_.paramnames  names and LaTeX, for GetDist
    log.param                     data.parameters['omega_b'] = [mean, min, max, step, scale, 'cosmo']

Columns hold value / scale, and are multiplied by the scale here. Flat priors are not in the second column: its negative
is taken for ln p, up to their constant, and for ln L.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.columns import posterior_of
from alfonsine.posterior.formats.number_table import read_table
from alfonsine.posterior.formats.paramnames import Limits, Listed, paramnames_text, read_paramnames
from alfonsine.posterior.formats.plain_text import read_text, shown
from alfonsine.posterior.formats.same_names import montepython_name

CHAIN = re.compile(r"\d{4}-\d\d-\d\d_\d+__(\d+)\.txt")
ENTRY = re.compile(r"\s*data\.parameters\[(['\"])(?P<name>.+?)\1\]\s*=\s*(?P<value>\[.*\])\s*(#.*)?")
ROLES = ("cosmo", "nuisance", "derived", "derived_lkl")
SCALED = re.compile(r"\s*(\d+~|10\^\{)")  # how a label tells of a scale
TOTAL = "montepython"  # its chains hold one ln L, of all likelihoods


@dataclass(frozen=True)
class Entry:
    """One parameter of log.param: factor from columns to values, hard edges of the value, derived or not."""

    scale: float
    limits: tuple[float, float]
    derived: bool


def montepython_files(folder: Path) -> list[Path]:
    """The chains in a folder, by date and number."""
    found = [(path.name.rsplit("__", 1)[0], int(m[1]), path) for path in _files(folder)
             if (m := CHAIN.fullmatch(path.name))]  # fmt: skip
    return [path for _, _, path in sorted(found)]


def read_montepython(folder: Path | str) -> ChainSet:
    """Read all chains of a folder, also of an earlier run that was continued: as MontePython itself does."""
    folder = Path(folder)
    files = montepython_files(folder)
    if not files:
        raise InputError(f"{folder}: expected chains such as 2026-01-31_10000__1.txt, found none; check the folder")
    log = folder / "log.param"
    entries = _entries(log) if log.exists() else {}
    names = sorted(path for path in _files(folder) if path.name.endswith("_.paramnames"))
    if not entries and not names:
        raise InputError(f"{folder}: expected log.param or a file .paramnames beside the chains, found neither")
    listed = _with_roles(read_paramnames(names[-1]), entries) if names else _of_entries(entries)
    if not entries:
        _check_unscaled(names[-1], listed)
    by_name = {_plain(name): entry for name, entry in entries.items()}
    scales = np.array([1.0, 1.0, *(by_name[n].scale if n in by_name else 1.0 for n in listed.names)])
    tables = []
    for path in files:
        table = read_table(path)[1]
        if table.shape[1] != len(scales):
            raise InputError(
                f"{path}: expected {len(scales)} columns, those of {(names[-1] if names else log).name}, got "
                f"{table.shape[1]}; the files belong to different runs"
            )
        tables.append(table * scales)
    posterior = posterior_of(listed, tables)
    limits: Limits = {n: by_name[n].limits for n in posterior.names if n in by_name}
    latex = {name: listed.latex[name] for name in posterior.derived}
    return ChainSet(replace(posterior, log_likelihoods={TOTAL: posterior.log_posterior}), latex, limits)


def montepython_texts(folder: Path, chains: ChainSet) -> dict[Path, bytes]:
    """The files of a folder that MontePython's `info` reads, with its names of the parameters and without scales."""
    posterior = chains.posterior
    lnl = posterior.log_likelihoods
    height = np.sum(list(lnl.values()), axis=0) if lnl else posterior.log_posterior
    columns = [*posterior.samples.T, *posterior.derived.values()]
    table = np.column_stack([posterior.weights, -height, *columns])
    line = "%.12g  %.12g\t" + "%.11e\t" * len(columns) + "\n"
    numbers = np.unique(posterior.chain)
    steps = max(float(posterior.weights[posterior.chain == number].sum()) for number in numbers)
    root = f"{date.today()}_{max(1, round(steps))}_"
    texts = {}
    for i, number in enumerate(numbers, start=1):
        rows = table[posterior.chain == number]
        texts[folder / f"{root}_{i}.txt"] = (line * len(rows) % tuple(rows.ravel().tolist())).encode()
    names = [montepython_name(name) for name in (*posterior.names, *posterior.derived)]
    for name in names:
        if len(set(name) & set("'\"#[]=\n")):
            raise InputError(f"expected names without quotes, brackets, = or #, got {shown(name)}; rename it")
    labels = dict(zip(map(_plain, names), chains.labels.values(), strict=True))
    if len(labels) < len(names):
        raise InputError("expected parameters that MontePython names differently, got two of one name; rename one")
    derived = frozenset(map(_plain, names[len(posterior.names) :]))
    texts[folder / f"{root}.paramnames"] = paramnames_text(Listed(tuple(labels), derived, labels)).encode()
    texts[folder / "log.param"] = _log(chains, names).encode()
    return texts


def _log(chains: ChainSet, names: list[str]) -> str:
    posterior = chains.posterior
    mean, width = posterior.mean().tolist(), posterior.std().tolist()
    lines = ["#-----CLASS----\n", f"data.experiments = {list(posterior.log_likelihoods) or [TOTAL]}\n"]
    for name, own, x, s in zip(names, posterior.names, mean, width, strict=False):
        edges = [f"{edge!r}" if np.isfinite(edge) else "None" for edge in chains.edges(own)]
        lines.append(f"data.parameters['{name}'] = [{x!r}, {edges[0]}, {edges[1]}, {s!r}, 1, 'cosmo']\n")
    lines += [f"data.parameters['{n}'] = [1, None, None, 0, 1, 'derived']\n" for n in names[len(posterior.names) :]]
    return "".join(lines)


def _entries(path: Path) -> dict[str, Entry]:
    """Parameters that vary or are derived, in the order of the columns: literals, read and never executed."""
    found: dict[str, Entry] = {}
    for number, line in enumerate(read_text(path, "log.param of MontePython").split("\n"), 1):
        match = ENTRY.fullmatch(line)
        if match is None:
            continue
        try:
            value = ast.literal_eval(match["value"])
            *numbers, role = value[:6]
            _, low, high, step, scale = (None if x is None else float(x) for x in numbers)
            if role not in ROLES or scale is None or step is None or not np.isfinite(scale) or scale == 0:
                raise ValueError
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise InputError(
                f"{path}:{number}: expected [mean, min, max, step, scale, role], got {shown(match['value'])}; "
                "correct it"
            ) from None
        derived = role.startswith("derived")
        if step == 0 and not derived:
            continue
        edges = sorted((-np.inf if _no_edge(value[1]) else low * scale, np.inf if _no_edge(value[2]) else high * scale))
        found[match["name"]] = Entry(scale, (edges[0], edges[1]), derived)
    if not found:
        raise InputError(f"{path}: expected lines data.parameters['name'] = [...], got none; is it of MontePython?")
    return dict(sorted(found.items(), key=lambda item: item[1].derived))  # varying ones come first in the chains


def _no_edge(value: float | int | None) -> bool:
    return value is None or (isinstance(value, int) and value == -1)  # a whole -1 stands for none


def _plain(name: str) -> str:
    """A name as columns of text may have it: 100*theta_s is theta_s_100, as for CLASS here."""
    return {"100*theta_s": "theta_s_100", "100theta_s": "theta_s_100"}.get(name, re.sub(r"[$*&\s]", "", name))


def _of_entries(entries: Mapping[str, Entry]) -> Listed:
    names = tuple(map(_plain, entries))
    return Listed(names, frozenset(_plain(n) for n, e in entries.items() if e.derived), {n: n for n in names})


def _with_roles(listed: Listed, entries: Mapping[str, Entry]) -> Listed:
    """MontePython's list of names does not say which are derived; its log does."""
    derived = {_plain(name) for name, entry in entries.items() if entry.derived} | set(map(_plain, listed.derived))
    latex = {_plain(name): label for name, label in listed.latex.items()}
    return Listed(tuple(map(_plain, listed.names)), frozenset(derived) & set(latex), latex)


def _check_unscaled(path: Path, listed: Listed) -> None:
    """Without log.param a scale is told by the label only, and not exactly."""
    for name in listed.names:
        if SCALED.match(listed.latex[name]):
            raise InputError(
                f"{path.parent}: expected log.param, since {shown(name)} is stored in units of its own "
                f"({shown(listed.latex[name])}), found none; copy it from where the chains were made"
            )


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
