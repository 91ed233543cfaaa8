"""Valid files of every kind that alfonsine reads, for `fuzz.py` to damage: data, chains, matrices, emulators, runs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from fuzz_samples import COSMOLOGY, FLAT, ROOT, TO, Sample, Stock, studies_with_files, toy, toy_studies, without


def small_experiment(folder: Path, windows: dict[str, Any]) -> None:
    """A CMB-lite folder: EE in three bands, a template, an offset and a calibration."""
    folder.mkdir()
    ell = np.arange(2, 81)
    matrix = np.exp(-0.5 * ((ell - np.array([[15.0], [25.0], [45.0]])) / 8) ** 2)
    np.savetxt(folder / "bands.txt", np.column_stack([[15, 27, 47], [0.3, 0.2, 0.1]]))
    np.savez(folder / "cov.npz", cov=0.01 * np.eye(3) + 0.002)
    np.savetxt(folder / "windows.txt", matrix / matrix.sum(axis=1, keepdims=True))
    np.savetxt(folder / "weight.txt", np.full(99, 0.1))
    spectrum = {
        "spectrum": "ee",
        "bands": 3,
        "windows": windows,
        "ell": [15.0, 27.0, 47.0],
        "calibration": {"A_map": 2},
    }
    described = {
        "units": "D_l",
        "band_powers": {"file": "bands.txt", "column": 2},
        "covariance": {"file": "cov.npz", "array": "cov"},
        "spectra": [spectrum],
        "templates": {"A_dust": [0.0, 0.002, 0.001]},
        "offset": [0.1, 0.1, 0.0],
        "simulations": 200,
        "cite": "nobody",
    }
    (folder / "data.yaml").write_text(yaml.safe_dump(described, sort_keys=False))


# likelihood -> data set, its folder in it, observable that a toy can give; None: CLASS
TABLES = {
    "planck_2018_lowl_ee": ("planck2018_lowl", ".", "l"),
    "planck_2018_lensing": ("planck2018_lensing", ".", "l"),
    "spt3g_2018_lensing": ("spt3g_2018_lensing", ".", "l"),
    "act_dr6_lensing": ("act_dr6_lensing", ".", "l"),
    "desi_dr2_bao": ("bao", "desi_dr2", None),
    "sdss_dr16_lrg": ("bao", "sdss", None),
    "sdss_dr16_lyauto": ("bao", "sdss", None),
    "union3": ("sn", "union3", None),
    "pantheon_2018_binned": ("sn", "pantheon2018_binned", None),
    "cosmic_clocks": ("cosmic_clocks", ".", None),
    "bbn": ("bbn", ".", None),
}


def read_files(likelihood: str, name: str, source: Path) -> tuple[str, ...]:
    """Files of a data set, small enough to be damaged a thousand times."""
    _, inner, _ = TABLES[likelihood]
    own = {
        "sdss_dr16_lrg": "DR16_LRG_BAO",
        "sdss_dr16_lyauto": "DR16_LYAUTO",
        "desi_dr2_bao": "ALL",
        "planck_2018_lowl_ee": "EE",
    }.get(likelihood, "")
    found = sorted(
        str(path.relative_to(source)) for path in (source / inner).glob("*") if own in path.name and path.is_file()
    )
    return tuple(f"data/{name}/{path}" for path in found if (source / path).stat().st_size < 5e6)


def data_folders(stock: Stock, data: Path | None, with_class: bool) -> list[str]:
    """Folders of data: two of CMB-lite, and those of published data sets that are here; names of those that are not."""
    twisted = {"toy": {"name": "twisted", "bands": 8000}}
    nuisance = {"A_map": {"prior": {"min": 0.5, "max": 1.5}}, "A_dust": 0.0, "A_fg": 1.0}
    params = {"x": FLAT, "y": FLAT} | nuisance
    two = {"cmb_lite.bins": {"folder": "bins"}, "cmb_lite.matrix": {"folder": "matrix", "spectra": ["ee"]}}
    files = ("bins/data.yaml", "matrix/data.yaml") * 3 + (
        "bins/bands.txt",
        "bins/cov.npz",
        "bins/weight.txt",
        "matrix/windows.txt",
        "matrix/cov.npz",
        "matrix/bands.txt",
    )
    folder = stock.study(
        "cmb-lite", toy(theory=twisted, likelihood=two, params=without(params, "A_fg")), "data folder", files
    )
    small_experiment(
        folder / "bins", {"first": [10, 20, 35], "last": [19, 34, 60], "weight": "weight.txt", "weight_first_l": 2}
    )
    small_experiment(folder / "matrix", {"matrix": "windows.txt", "first_l": 2})
    absent = []
    for likelihood, (name, inner, axis) in TABLES.items():
        source = (data or Path("nowhere")) / name
        if not (source / inner).is_dir():
            absent.append(name)
            continue
        if axis is None and not with_class:
            continue
        spectrum = "" if axis else f"theory:\n  classy:\nlikelihood:\n  {likelihood}:\nparams:\n{COSMOLOGY}"
        own = params if likelihood.startswith("spt") else without(params, "A_fg")
        blocks = spectrum or toy(theory=twisted, likelihood={likelihood: None}, params=without(own, "A_map", "A_dust"))
        folder = stock.study(
            f"data-{likelihood}", blocks, "data folder", read_files(likelihood, name, source), data=True
        )
        shutil.copytree(
            source, folder / "data" / name, ignore=lambda _, files: [f for f in files if f.endswith("prob_table.npz")]
        )
    return sorted(set(absent))


def checked_sets(stock: Stock, data: Path | None) -> None:
    """`alfonsine data check`, which accepts nothing but the published bytes."""
    for name in ("bbn", "cosmic_clocks"):
        source = (data or Path("nowhere")) / name
        if source.is_dir():
            folder = stock.place(f"check-{name}")
            shutil.copytree(source, folder / "data" / name)
            files = tuple(f"data/{name}/{path.name}" for path in source.iterdir())
            stock.samples.append(
                Sample("data folder", f"check-{name}", folder, (("data", "check", name),), files, data=True)
            )


def chains(stock: Stock) -> None:
    """One posterior in every form in which it can be read."""
    from alfonsine.posterior.formats.arviz import write_netcdf
    from alfonsine.posterior.formats.chain_set import ChainSet
    from alfonsine.posterior.formats.chains import chain_texts, getdist_texts
    from alfonsine.posterior.formats.convert import cobaya_texts
    from alfonsine.posterior.formats.montepython import montepython_texts
    from alfonsine.posterior.formats.whole_files import write_together
    from alfonsine.posterior.posterior import Posterior

    rng, total = np.random.default_rng(0), 60
    values = {"planck_2018": -500 + rng.normal(size=total), "bao": rng.normal(size=total)}
    found = ChainSet(
        Posterior(
            names=("omega_b", "H0"),
            latex=(r"\Omega_\mathrm{b} h^2", "H_0"),
            samples=rng.normal(size=(total, 2)) * [1e-4, 1.0] + [0.0224, 67.0],
            weights=rng.integers(1, 4, total).astype(float),
            log_posterior=sum(values.values()) - 3.0,
            log_likelihoods=values,
            chain=np.repeat(np.arange(3), total // 3),
            derived={"sigma8": rng.normal(size=total) * 0.01 + 0.81},
        ),
        {"sigma8": r"\sigma_8"},
        {"omega_b": (0.01, 0.05), "H0": (20.0, 100.0)},
    )

    def sample(name: str, source: str, *skip: str) -> Path:
        folder = stock.place(f"chains-{name}")
        commands = tuple(
            ("convert", source, "--to", to, "--output", "out" if to == "montepython" else f"out{end}", *skip)
            for to, end in zip(TO, ("", "", "", "", ".nc", ".covmat", ".covmat"), strict=True)
        )
        stock.samples.append(Sample("chains", name, folder, commands, ()))
        return folder

    write_together(getdist_texts(sample("getdist", "planck", "--skip", "0.3") / "planck", found))
    write_together(cobaya_texts(sample("cobaya", "planck") / "planck", found))
    (folder := sample("run-folder", "earlier") / "earlier").mkdir()
    write_together(chain_texts(folder / "chain", found))
    (folder / "study.yaml").write_text(
        yaml.safe_dump(
            {
                "params": {
                    "omega_b": {"prior": {"min": 0.01, "max": 0.05}},
                    "H0": {"prior": {"dist": "norm", "loc": 67, "scale": 9, "min": 20, "max": 100}},
                }
            }
        )
    )
    (folder := sample("montepython", "planck") / "planck").mkdir()
    write_together(montepython_texts(folder, found))
    if write_netcdf(sample("netcdf", "posterior.nc") / "posterior.nc", found) is None:
        stock.samples.pop()
    for position, each in enumerate(stock.samples):
        if each.kind == "chains":
            files = tuple(sorted(str(p.relative_to(each.folder)) for p in each.folder.rglob("*") if p.is_file()))
            stock.samples[position] = Sample(each.kind, each.name, each.folder, each.commands, files)


def covariance_matrices(stock: Stock) -> None:
    """In the forms of Cobaya and of MontePython."""
    from alfonsine.posterior.formats.covmat import CovarianceMatrix, covmat_text, montepython_covmat_text

    width = np.array([1.5e-4, 1.2e-3, 0.6, 0.016, 0.004])
    matrix = CovarianceMatrix(
        ("omega_b", "omega_cdm", "H0", "logA", "n_s"), (0.7 * np.eye(5) + 0.3) * np.outer(width, width)
    )
    for name, text in (("cobaya", covmat_text(matrix)), ("montepython", montepython_covmat_text(matrix))):
        folder = stock.place(f"covmat-{name}")
        (folder / "first.covmat").write_text(text)
        commands = tuple(("convert", "first.covmat", "--to", to, "--output", "out.covmat") for to in TO[-2:])
        stock.samples.append(Sample("covariance matrix", name, folder, commands, ("first.covmat",)))


def emulators(stock: Stock) -> None:
    """Files of every kind and format, also of a network that is made with a file of the user's own."""
    golden, name = ROOT / "tests" / "emulator" / "golden", "emulator.safetensors"
    for path in [
        *sorted(golden.glob("*.safetensors")),
        ROOT / "tests" / "plugins" / "golden" / "small_class.safetensors",
    ]:
        folder = stock.place(f"emulator-{path.stem}")
        shutil.copy(path, folder / name)
        own = path.stem.endswith("network")
        if own:
            shutil.copy(golden / "my_parts.py", folder)
        command = ("card", name, "--parts", ".") if own else ("card", name)
        files = (name, name, "my_parts.py") if own else (name,)
        stock.samples.append(Sample("emulator", path.stem, folder, (command,), files))


def run_folders(stock: Stock, finished: Path) -> None:
    """A finished run, of which another study begins, and which the same study would resume."""
    records = tuple(
        f"run/{name}" for name in ("archive.sqlite", "certificate.json", "history.json", "emulator.safetensors")
    ) + tuple(
        str(Path("run") / path.relative_to(finished))
        for path in sorted(finished.rglob("*.json"))
        if path.parent != finished
    )
    folder = stock.study("resumed", (finished / "study.yaml").read_text(encoding="utf-8"), "run folder", records)
    shutil.copytree(finished, folder / "run")
    blocks = toy(warm_start=[{"run": "earlier", "at": {"z": 0.0}}], params={"x": FLAT, "y": FLAT})
    del blocks["warm_start"][0]["at"]
    files = (
        "study.yaml",
        *(name.replace("run/", "earlier/") for name in records[:4]),
        "earlier/study.yaml",
        "earlier/posterior.npz",
        "earlier/chain.1.txt",
    )
    folder = stock.study("warm", blocks, "run folder", files)
    shutil.copytree(finished, folder / "earlier")


def light(root: Path, data: Path | None = None) -> Iterator[Sample]:
    """Samples that cost little: no CLASS, no run."""
    stock = Stock(root)
    toy_studies(stock)
    studies_with_files(stock)
    stock.samples = [sample for sample in stock.samples if sample.name != "python"]  # asks its function in a process
    data_folders(stock, data, with_class=False)
    chains(stock)
    covariance_matrices(stock)
    emulators(stock)
    yield from stock.samples


def data_place() -> Path | None:
    """Where published data sets are on this machine."""
    named = os.environ.get("ALFONSINE_DATA")
    return Path(named).expanduser().resolve() if named else None
