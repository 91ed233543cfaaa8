"""The documentation: what it shows is true of the code, and what writes its pages does so."""

import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import toy_studies
import yaml
from pydantic import create_model
from scipy.stats import t as student

import alfonsine
from alfonsine.cli import app
from alfonsine.data_commands import data
from alfonsine.likelihood.cmb_lite import Experiment
from alfonsine.likelihood.registry import LIKELIHOODS
from alfonsine.plugin_commands import plugin
from alfonsine.study.settings import Settings
from alfonsine.study.settings_block import Block

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
pytest.importorskip("sphinx", reason="the site's tools are not here: pip install -e '.[docs]'")
pytest.importorskip("ziamath", reason="the site's tools are not here: pip install -e '.[docs]'")
sys.path.insert(0, str(ROOT / "docs" / "extensions"))
import command_help  # noqa: E402
import drawn_maths  # noqa: E402
import house_docstrings  # noqa: E402
import names_and_units  # noqa: E402
import self_contained  # noqa: E402
import study_blocks  # noqa: E402


def fenced(path: Path, language: str) -> list[str]:
    """Blocks of code of a page."""
    found = re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return found


SHOWN = [(path, text) for path in PAGES for text in fenced(path, "yaml")]


@pytest.mark.parametrize(("path", "text"), SHOWN, ids=[f"{p.stem}-{i}" for i, (p, _) in enumerate(SHOWN)])
def test_every_piece_of_a_study_that_is_shown_is_accepted(path, text):
    blocks = yaml.safe_load(text)
    if "band_powers" in blocks:  # not a study: what describes a folder of data
        Experiment.model_validate(blocks)
        return
    assert blocks.keys() <= Settings.model_fields.keys()
    fields = {name: (Settings.model_fields[name].annotation, Settings.model_fields[name]) for name in blocks}
    create_model("Piece", __base__=Block, **fields).model_validate(blocks)


def test_there_are_pieces_to_check_and_a_wrong_one_is_seen():
    assert len(SHOWN) > 10
    with pytest.raises(ValueError, match="walltme"):
        test_every_piece_of_a_study_that_is_shown_is_accepted(
            None, "compute: {dask: {slurm: {jobs: 1, cores: 1, memory: 1GB, walltme: '1'}}}"
        )


@pytest.mark.slow
def test_the_likelihood_of_the_how_to_page_is_one(tmp_path, monkeypatch):
    first = next(
        text for text in fenced(ROOT / "docs" / "howto" / "likelihood.md", "python") if "class Student" in text
    )
    (tmp_path / "heavy.py").write_text(first, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    from heavy import heavy

    likelihood = heavy(first=130)
    spectrum = np.linspace(0.2, 0.05, 1029)
    bands = np.array([spectrum[lo - 2 : lo + 48].mean() for lo in range(130, 1030, 50)])
    assert np.allclose(likelihood.bands({"tt": spectrum}), bands, rtol=1e-12)
    truth = student.logpdf((0.1 - 0.9 * bands) / 0.01, 4).sum() - len(bands) * student.logpdf(0, 4)
    assert float(likelihood.log_likelihood(bands, np.array([0.9]))) == pytest.approx(truth, rel=1e-12)
    matrix = np.random.default_rng(1).normal(size=(len(bands), 3))
    amplitudes = np.array([0.1, -0.2, 0.3])
    folded = likelihood.fold(matrix)(amplitudes, np.array([0.9]))
    assert float(folded) == pytest.approx(float(likelihood.log_likelihood(matrix @ amplitudes, np.array([0.9]))))

    monkeypatch.setitem(LIKELIHOODS, "heavy", heavy)
    (tmp_path / "sky.py").write_text(
        "import numpy as np\n\n"
        "def sky(p):\n    return {'tt': p['height'] * (1 + p['tilt'] * np.linspace(-1, 1, 1029))}\n"
    )
    monkeypatch.chdir(tmp_path)
    study = toy_studies.linear(
        theory={"python": {"function": "sky:sky", "inputs": ["height", "tilt"]}},
        likelihood={"heavy": {"first": 30}},
        params={
            "height": {"prior": [0.01, 1], "ref": 0.11, "proposal": 0.005},
            "tilt": {"prior": [-1, 1], "ref": 0.05, "proposal": 0.05},
            "calibration": {"prior": {"dist": "norm", "loc": 1, "scale": 0.01}},
        },
    )
    found = alfonsine.run(study, quiet=True)
    assert found.certificate.passed
    assert found.posterior.mean()[0] == pytest.approx(0.1, abs=0.01)  # the data are 0.1 throughout


def test_the_reference_of_the_study_has_every_key():
    text = study_blocks.reference()
    for path, block in study_blocks.blocks("", Settings):
        if not path.startswith("theory.camb."):
            assert all(f"`{name}`\n" in text for name in block.model_fields), path
    assert "limit on the 95 % upper limit of KL" in text and "default 0.01" in text
    assert text.count("## theory.classy.matter_power.k\n") == 1 and "theory.classy.background.z\n" not in text


def test_words_on_a_key_that_is_gone_are_told(monkeypatch):
    monkeypatch.setitem(study_blocks.WORDS, ("PointsSettings", "heat"), "how wide")
    with pytest.raises(ValueError, match="heat"):
        study_blocks.reference()


def test_the_reference_of_the_commands_has_every_command():
    text = command_help.reference()
    for name in ("run", "plan", "data install", "demo"):
        assert f"## alfonsine {name}\n" in text
    assert "`-o, --output FOLDER`" in text and "\\x1b" not in text and " <" not in text
    for each in [*app.registered_commands, *data.registered_commands, *plugin.registered_commands]:
        said = inspect.getdoc(each.callback)
        assert said in text, each.name  # the whole of it, and not only what help has room for


@pytest.mark.parametrize("what", names_and_units.TABLES)
def test_every_table_of_names_is_written(what):
    rows = names_and_units.names(what).strip().splitlines()
    assert len(rows) > 4 and all(row.startswith("|") for row in rows[:4])


def test_a_name_without_words_or_of_nothing_is_told(monkeypatch):
    monkeypatch.setitem(names_and_units.class_names.DERIVED, "sigma12", "sigma12")
    monkeypatch.setattr(
        names_and_units.class_names, "KNOWN_DERIVED", {*names_and_units.class_names.KNOWN_DERIVED, "sigma12"}
    )
    with pytest.raises(ValueError, match="sigma12"):
        names_and_units.names("numbers")
    monkeypatch.undo()
    monkeypatch.setitem(names_and_units.NUMBERS, "sigma13", ("", "nothing"))
    with pytest.raises(ValueError, match="sigma13"):
        names_and_units.names("numbers")


def test_aligned_lists_become_definitions_and_notation_stays():
    found = house_docstrings.converted(
        [
            "Half of |l|, as theta_ says.",
            "",
            "kl       limit on f_",
            "         of all",
            "a, b     two",
            "",
            "The `end`.",
        ]
    )
    assert found == [
        "Half of \\|l\\|, as theta\\_ says.", "", "``kl``", "    limit on f\\_ of all", "``a``, ``b``", "    two", "",
        "The ``end``.", "",
    ]  # fmt: skip
    formula = ["with", "", ".. math:: a_b | c", "   + d", "", "so"]
    assert house_docstrings.converted(formula)[2:4] == formula[2:4]


def test_formulas_are_drawn_on_the_line_and_divided_at_wide_spaces():
    drawn = drawn_maths.drawing(r"x_{95} < \frac{a}{b}", inline=True)
    assert drawn.startswith("<svg") and "currentColor" in drawn and "vertical-align:-" in drawn
    assert 'aria-label="x_{95} &lt; \\frac{a}{b}"' in drawn and "ns0" not in drawn
    assert "black" not in drawn_maths.drawing(r"\overline{q}", inline=False)  # dark pages
    assert drawn_maths.parts(r"a, \qquad {b \qquad c} \qquad d") == ["a,", r"{b \qquad c}", "d"]
    with pytest.raises(ValueError, match="expected TeX that can be drawn"):
        drawn_maths.drawing(r"\frac{a}{", inline=False)


def test_content_from_elsewhere_is_seen_and_links_are_not():
    text = '<script src="https://x.org/a.js"></script><a href="https://y.org">y</a><img src="z.png">'
    assert self_contained.outside(text) == ["https://x.org/a.js"]
    assert self_contained.outside("@import url(//fonts.org/a.css); a { background: url(b.png) }") == [
        "//fonts.org/a.css"
    ]
