"""The studies that we ship are read, and mean what they say."""

from pathlib import Path

import numpy as np
import pytest

from alfonsine.study.parameters import parameter_space, parameters
from alfonsine.study.settings import read_study

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

# arXiv:1807.06209, Table 2, TT,TE,EE+lowE (100 theta_s of CLASS: about its 100 theta_MC + 0.001)
PUBLISHED = {
    "omega_b": (0.02236, 0.00015),
    "omega_cdm": (0.1202, 0.0014),
    "theta_s_100": (1.0419, 0.0003),
    "logA": (3.045, 0.016),
    "n_s": (0.9649, 0.0044),
    "tau_reio": (0.0544, 0.008),
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_are_read(path):
    settings = read_study(path)
    space, roles = parameter_space(settings), parameters(settings)
    assert space.names == roles.sampled
    assert np.isfinite(space.log_prior(space.reference))


def test_the_demo_is_the_example():
    demo = ROOT / "alfonsine" / "study" / "demo.yaml"
    assert demo.read_text() == (ROOT / "examples" / "mock_cmb.yaml").read_text()


def test_planck_begins_three_published_sigma_off_in_every_parameter():
    space = parameter_space(read_study(ROOT / "examples" / "planck_lcdm.yaml"))
    reference = dict(zip(space.names, space.reference.tolist(), strict=True))
    for name, (mean, sigma) in PUBLISHED.items():
        assert abs(reference[name] - mean) / sigma == pytest.approx(3, abs=0.01), name
        width = (space.upper - space.lower)[space.names.index(name)]
        assert width > 16 * sigma, name
