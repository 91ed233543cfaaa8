"""Valid files, each with the commands that read them; and studies of every kind. `fuzz_stock.py` has the others."""

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
    )


def built_in_studies(stock: Stock) -> None:
    """Studies of CLASS and CAMB that need no data, our examples among them; each asks the code in a process."""
    for name in ("desi_w0wa", "mock_cmb", "pk_wide", "pk_nonlinear"):
        stock.study(
            f"example-{name}",
            (ROOT / "examples" / f"{name}.yaml").read_text(encoding="utf-8"),
            "study of CLASS or CAMB",
        )
    stock.study(
        "class",
        "theory:\n  classy:\n    extra_args: {N_ur: 3.044}\nlikelihood:\n  desi_dr2_bao_table:\n  cmb_compressed:\n"
        f"params:\n{COSMOLOGY}  rs_drag: {{derived: true}}\naccuracy: {{calls: 60}}\n",
        "study of CLASS or CAMB",
    )


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
