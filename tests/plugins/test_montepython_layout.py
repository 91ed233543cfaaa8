"""The folder that MontePython takes for CLASS: found as versions 3.5 and 3.6 look for it, in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import call
from small_class import GOLDEN, POINT
from typer.testing import CliRunner

from alfonsine.cli import app
from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.plugins.montepython.layout import lay_out

ROOT = Path(__file__).parents[2]


def found_by(version: str, folder: Path) -> str:
    """The search of MontePython's initialise.py, in our words."""
    found = ""
    for name in os.listdir(folder / "python" / "build"):
        if "lib." in name and (version == "3.5" or sys.version in name):
            found = str(folder / "python" / "build" / name)
    return found


def version_read(folder: Path) -> str:
    """How MontePython's data.py reads the version: the last word of the first line that defines it."""
    for line in (folder / "include" / "common.h").read_text().splitlines():
        if "_VERSION_" in line:
            return line.split()[-1].replace('"', "")
    return ""


def run(folder: Path, code: str, **change: str) -> subprocess.CompletedProcess:
    """Python beside the folder, as MontePython would start: its path first."""
    setup = f"import sys; sys.path.insert(1, {found_by('3.6', folder)!r}); from classy import *; import classy\n"
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | change
    return subprocess.run(
        [sys.executable, "-c", setup + code], capture_output=True, text=True, env=environment, cwd=folder
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("montepython") / "class_emulated"
    arguments = ["plugin", "montepython", str(folder), "--emulator", str(GOLDEN), "--ignore", "sBBN file"]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    assert found.output == f"path['cosmo'] = '{folder}'\n"
    return folder


def test_both_versions_find_it(folder):
    assert (folder / "main" / "class.c").is_file()
    assert version_read(folder) == "v3.4.1.0-emulated"
    assert float(version_read(folder)[1]) > 2  # asked by MontePython for the place of the BBN tables
    assert found_by("3.5", folder) == found_by("3.6", folder) != ""
    assert (Path(found_by("3.5", folder)) / "classy.py").is_file()


def test_the_module_and_the_real_class_live_in_one_process(folder, small):
    """The real CLASS finds its own files, though the name classy is ours; and it stays ours."""
    pars = {**small.pars, "sBBN file": "/nowhere/sBBN.dat"}
    pars["A_s"] = float(pars["A_s"])
    code = f"""
cosmo = Class()
cosmo.set({pars!r})
cosmo.compute()
print(cosmo.h(), cosmo.Omega_m(), cosmo.age(), cosmo.get_current_derived_parameters(["YHe"])["YHe"])
assert sys.modules["classy"] is classy and classy.Class is Class
cosmo.set({{"omega_cdm": 1.0}})
for _ in range(5):
    try:
        cosmo.compute()
    except CosmoComputationError as error:
        print(error)
import alfonsine.plugins.montepython.exact as exact
with exact.named_classy() as real:
    print(real.__file__)
"""
    found = run(folder, code)
    assert found.returncode == 0, found.stderr
    numbers, *outside, real = found.stdout.splitlines()
    exact = small.cosmo.get_current_derived_parameters(["h", "Omega_m", "age", "YHe"])
    assert [float(x) for x in numbers.split()] == pytest.approx(list(exact.values()), rel=1e-4)
    assert outside == 5 * ["alfonsine: outside the emulator's domain, no likelihood"]
    assert str(folder) not in real
    said = [line for line in found.stderr.splitlines() if line.startswith("alfonsine: ")]
    assert said[0].startswith(
        "alfonsine: the emulator 'small_class.safetensors' takes the place of CLASS, with D_A, H, "
    )
    assert said[0].endswith(" te, tt and the numbers sigma8, rs_drag, z_reio, Omega_m")
    assert said[1] == "alfonsine: 'sBBN file' is ignored where the parameter file sets it, as --ignore asked for"
    computed = "cosmo.age is not in the emulator 'small_class.safetensors': the real CLASS computes it"
    assert sum(computed in line for line in said) == 1
    assert sum("omega_cdm = 1, beyond 0.116 to 0.124" in line for line in said) == 3
    assert "5 of 6 points lay outside the domain of the emulator 'small_class.safetensors' (83 %)" in said[-1]
    assert "give omega_cdm a wider prior" in said[-1]
    assert POINT["omega_cdm"] == pars["omega_cdm"]


def test_without_alfonsine_it_says_so(folder, tmp_path):
    (tmp_path / "alfonsine.py").write_text("raise ImportError('no module named alfonsine')")
    found = run(folder, "", PYTHONPATH=str(tmp_path))
    assert found.returncode != 0
    assert re.search(r"RuntimeError: expected alfonsine in .*python.*, got .*; install it there", found.stderr)


def test_laid_out_again_it_is_the_same_folder(folder):
    before = sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in str(path))
    lay_out(folder, folder / "emulator.safetensors", background=False)
    assert sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in str(path)) == before
    assert "background: none" in (folder / "alfonsine.yaml").read_text()
    assert load_emulator(folder / "emulator.safetensors").names == load_emulator(GOLDEN).names


REFUSED = {
    "foo": "expected an input that CLASS reads, got 'foo'; ",
    "sBBN fiel": "expected an input that CLASS reads, got 'sBBN fiel'; did you mean 'sBBN_file'?",
    "m_ncdn": "expected an input that CLASS reads, got 'm_ncdn'; did you mean 'm_ncdm'?",
    "omega_cdm": "expected a setting that the emulator does not vary, got its input 'omega_cdm'",
    "ln10^{10}A_s": r"expected a setting that the emulator does not vary, got its input 'ln10^{10}A_s'",
    "output": "expected a setting of the cosmology, got 'output', which says what is to be computed",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_be_ignored_is_refused_in_one_line(name, tmp_path, monkeypatch, capsys):
    arguments = ["plugin", "montepython", str(tmp_path / "new"), "--emulator", str(GOLDEN), "--ignore", name]
    assert call(monkeypatch, *arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"alfonsine: --ignore: {REFUSED[name]}")
    assert said.count("\n") == 1
    assert not (tmp_path / "new").exists()


# what MontePython's own parameter files and likelihoods set beside the parameters of a run
NAMES_OF_MONTEPYTHON = ["sBBN file", "sBBN_file", "N_ncdm", "T_ncdm", "deg_ncdm", "k_pivot", "l_linstep", "non linear"]
NAMES_OF_MONTEPYTHON += ["tol_background_integration", "YHe", "use_ppf", "Omega_Lambda", "reio_parametrization"]


def test_names_that_class_reads_can_be_ignored(tmp_path):
    lay_out(tmp_path / "new", GOLDEN, ignored=NAMES_OF_MONTEPYTHON)


def test_where_class_has_no_source_any_name_can_be_ignored(tmp_path, monkeypatch):
    monkeypatch.setattr("alfonsine.plugins.montepython.ignored.precision", dict)
    lay_out(tmp_path / "new", GOLDEN, ignored=["name_of_a_fork"])


def test_what_is_not_ours_is_not_overwritten(tmp_path):
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "class.c").write_text("int main() {}")
    with pytest.raises(InputError, match="expected a new folder, or one that was laid out before"):
        lay_out(tmp_path, GOLDEN)
    assert (tmp_path / "main" / "class.c").read_text() == "int main() {}"
    with pytest.raises(InputError, match="no such file"):
        lay_out(tmp_path / "new", tmp_path / "none.safetensors")
    foreign = ROOT / "tests" / "emulator" / "golden" / "format-3.safetensors"
    with pytest.raises(InputError, match=r"expected an emulator of CLASS in .format-3.safetensors., got"):
        lay_out(tmp_path / "new", foreign)
    assert not (tmp_path / "new").exists()
