"""Valid files of every kind that alfonsine reads, each with the commands that read it, for `fuzz.py` to damage."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
PLAN = (("plan", "study.yaml", "--output", "run"),)
TO = ("getdist", "cobaya", "montepython", "anesthetic", "arviz", "covmat", "covmat-montepython")
FLAT = {"prior": {"min": -5.0, "max": 5.0}, "ref": 0.5, "proposal": 0.2}
GAUSSIAN = {"observable": "data", "value": [0.6, 0.1], "covariance": [[0.04, 0.01], [0.01, 0.05]]}
COSMOLOGY = """\
  omega_b: {prior: {min: 0.019, max: 0.026}, ref: 0.0224, proposal: 0.00015, latex: '\\omega_b'}
  omega_cdm: {prior: {min: 0.09, max: 0.15}, ref: 0.12, proposal: 0.0012}
  H0: {prior: [40, 100], ref: {loc: 67, scale: 1}}
  logA: {prior: {min: 2.7, max: 3.4}, ref: 3.05, proposal: 0.016, drop: true}
  A_s: {value: 'lambda logA: 1e-10*np.exp(logA)'}
"""
OSCILLATION = """\
import numpy as np

t = np.linspace(0, 10, 40)


def signal(p):
    return {"signal": p["amplitude"] * np.exp(-p["rate"] * t) * np.cos(p["frequency"] * t)}


def timescales(p):
    return {"period": 2 * np.pi / p["frequency"]}
"""


@dataclass(frozen=True)
class Sample:
    """Valid files, and how they are read.

    folder    where they are; a case works on a copy of it
    commands  of alfonsine, run inside the copy: one of them is chosen
    files     those that are damaged: one of them in each case
    data      whether the folder `data` in it is ALFONSINE_DATA; else that is empty
    """

    kind: str
    name: str
    folder: Path
    commands: tuple[tuple[str, ...], ...]
    files: tuple[str, ...]
    data: bool = False

    @property
    def writes(self) -> bool:
        """Whether the commands write files when all is well."""
        return self.commands[0][0] == "convert"


@dataclass
class Stock:
    """Makes samples below a folder, and keeps them."""

    root: Path
    samples: list[Sample] = field(default_factory=list)

    def place(self, name: str) -> Path:
        """A new folder for a sample."""
        path = self.root / name
        path.mkdir(parents=True)
        return path

    def study(
        self, name: str, blocks: dict[str, Any] | str, kind: str = "study", files: tuple[str, ...] = (), **other: Any
    ) -> Path:
        """A study; `files` beside it are damaged in its place where there are any."""
        folder = self.place(name)
        text = blocks if isinstance(blocks, str) else yaml.safe_dump(blocks, sort_keys=False)
        (folder / "study.yaml").write_text(text, encoding="utf-8")
        self.samples.append(Sample(kind, name, folder, PLAN, files or ("study.yaml",), **other))
        return folder


def toy(**blocks: Any) -> dict[str, Any]:
    """A study of two numbers linear in two parameters; `blocks` replace or add blocks."""
    linear = {"name": "linear", "matrix": [[1.0, 0.5], [0.2, 1.0]], "offset": [0.1, -0.2]}
    return {
        "theory": {"toy": linear},
        "likelihood": {"gaussian": GAUSSIAN},
        "params": {"x": FLAT, "y": FLAT},
        "seed": 3,
    } | blocks


def without(blocks: dict[str, Any], *names: str) -> dict[str, Any]:
    """All but some."""
    return {name: block for name, block in blocks.items() if name not in names}


def toy_studies(stock: Stock) -> None:
    """Studies with closed-form theories: every block of a study is in one of them."""
    normal = {"prior": {"dist": "norm", "loc": 0.0, "scale": 1.0, "min": -4.0, "max": 4.0}, "latex": "x_1"}
    stock.study("toy", toy())
    stock.study(
        "toy-all",
        toy(
            prior={"joint": "lambda x, y: -0.5*((x - y)/2)**2", "edge": "lambda x, y: np.log(x + y < 9)"},
            params={
                "x": normal,
                "y": FLAT,
                "s": {"derived": "lambda x, y: np.sqrt(x**2 + y**2)", "latex": "s"},
                "total": "t",
            },
            sampler={"nuts": {"chains": 8, "effective_samples": 2000}},
            emulator={"network": "never", "max_order": 4},
            accuracy={"kl": 0.02, "shift": 0.2, "calls": 90, "judging": 16},
            points={"batch": 4, "temperature": 1.5, "start": "sobol"},
            compute={"workers": 2, "timeout": 20.0, "memory": 4},
            output="runs/all",
            published={"label": "earlier", "parameters": {"x": [0.4, 0.2, 0.2]}},
        ),
    )
    bent = {
        "x": FLAT | {"drop": True},
        "y": FLAT | {"drop": True},
        "a": {"value": "lambda x: np.exp(x) - 0.5"},
        "b": "lambda y: y",
    }
    stock.study(
        "banana",
        toy(theory={"toy": {"name": "banana", "bend": 0.3}}, params=bent, sampler={"ensemble": {"walkers": 32}}),
    )
    stock.study(
        "iterative",
        toy(
            points={"iterative": {"temperature": [20.0, 5.0]}},
            emulator={"preset": "connect", "options": {"epochs": 30, "fractions": [0.8, 0.1, 0.1]}},
        ),
    )
    stock.study("iterative-short", toy(points="iterative"))
    stock.study(
        "design",
        {
            k: v
            for k, v in toy(design={"kind": "sobol", "number": 64, "held_out": 16, "density": "edges"}).items()
            if k != "likelihood"
        },
    )
    stock.study(
        "dask", toy(compute={"dask": {"slurm": {"jobs": 2, "cores": 8, "memory": "16GB", "walltime": "01:00:00"}}})
    )
    multipoles = [2, 4, 6, 8]
    stock.study(
        "multipoles",
        toy(
            theory={"toy": {"matrix": [[1.0, 0.1 * ell] for ell in multipoles], "multipoles": multipoles}},
            likelihood={"gaussian.first": {"observable": "tt", "value": [0.1] * 7, "error": 0.5}},
        ),
    )  # fmt: skip


def built_in_studies(stock: Stock) -> None:
    """Studies of CLASS and CAMB that need no data, our examples among them; each asks the code in a process: seconds."""
    for name in ("desi_w0wa", "mock_cmb", "pk_wide", "pk_nonlinear"):
        stock.study(
            f"example-{name}",
            (ROOT / "examples" / f"{name}.yaml").read_text(encoding="utf-8"),
            "study of CLASS or CAMB",
        )
    stock.study("class", "theory:\n  classy:\n    extra_args: {N_ur: 3.044}\nlikelihood:\n  desi_dr2_bao_table:\n  cmb_compressed:\n"
                f"params:\n{COSMOLOGY}  rs_drag: {{derived: true}}\naccuracy: {{calls: 60}}\n", "study of CLASS or CAMB")  # fmt: skip


def studies_with_files(stock: Stock) -> None:
    """Studies that name files: data, a covariance matrix, a module."""
    rng, kind = np.random.default_rng(5), "file beside a study"
    value = rng.normal(size=6)
    matrix = {"matrix": rng.normal(size=(6, 2)).round(3).tolist()}
    gaussian = {"observable": "data", "value": "data.txt", "covariance": "cov.txt"}
    folder = stock.study(
        "tables", toy(theory={"toy": matrix}, likelihood={"gaussian": gaussian}), kind, ("data.txt", "cov.txt")
    )
    np.savetxt(folder / "data.txt", value)
    np.savetxt(folder / "cov.txt", np.eye(6) + 0.2)
    folder = stock.study("covmat-beside", toy(sampler={"nuts": {"covmat": "first.covmat"}}), kind, ("first.covmat",))
    (folder / "first.covmat").write_text("# x y\n0.04 0.01\n0.01 0.05\n")
    theory = {
        "python": {
            "function": "oscillation:signal",
            "cheap": "oscillation:timescales",
            "inputs": ["amplitude", "rate", "frequency"],
        }
    }
    params = {
        name: {"prior": {"min": 0.0, "max": 3.0}, "ref": 1.0, "proposal": 0.02} for name in theory["python"]["inputs"]
    }
    blocks = toy(
        theory=theory,
        likelihood={"gaussian": {"observable": "signal", "value": "data.txt", "error": 0.05}},
        params=params,
    )
    folder = stock.study("python", blocks, kind, ("oscillation.py", "data.txt", "study.yaml"))
    (folder / "oscillation.py").write_text(OSCILLATION)
    np.savetxt(folder / "data.txt", np.cos(np.linspace(0, 20, 40)))


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
}  # fmt: skip


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
    """Folders of data: a CMB-lite folder, and those of published data sets that are here. Names of those that are not."""
    twisted = {"toy": {"name": "twisted", "bands": 8000}}
    nuisance = {"A_map": {"prior": {"min": 0.5, "max": 1.5}}, "A_dust": 0.0, "A_fg": 1.0}
    params = {"x": FLAT, "y": FLAT} | nuisance
    two = {"cmb_lite.bins": {"folder": "bins"}, "cmb_lite.matrix": {"folder": "matrix", "spectra": ["ee"]}}
    files = ("bins/data.yaml", "matrix/data.yaml") * 3 + (
        "bins/bands.txt", "bins/cov.npz", "bins/weight.txt", "matrix/windows.txt", "matrix/cov.npz", "matrix/bands.txt")  # fmt: skip
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
        commands = tuple(("convert", source, "--to", to, "--output", "out" if to == "montepython" else f"out{end}", *skip)
                         for to, end in zip(TO, ("", "", "", "", ".nc", ".covmat", ".covmat"), strict=True))  # fmt: skip
        stock.samples.append(Sample("chains", name, folder, commands, ()))
        return folder

    write_together(getdist_texts(sample("getdist", "planck", "--skip", "0.3") / "planck", found))
    write_together(cobaya_texts(sample("cobaya", "planck") / "planck", found))
    (folder := sample("run-folder", "earlier") / "earlier").mkdir()
    write_together(chain_texts(folder / "chain", found))
    (folder / "study.yaml").write_text(yaml.safe_dump({"params": {
        "omega_b": {"prior": {"min": 0.01, "max": 0.05}}, "H0": {"prior": {"dist": "norm", "loc": 67, "scale": 9, "min": 20, "max": 100}}}}))  # fmt: skip
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
    records = tuple(f"run/{name}" for name in ("archive.sqlite", "certificate.json", "history.json", "emulator.safetensors")) + tuple(
        str(Path("run") / path.relative_to(finished)) for path in sorted(finished.rglob("*.json")) if path.parent != finished)  # fmt: skip
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
