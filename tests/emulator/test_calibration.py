"""The calibrated spread of an ensemble covers held-out truth as often as it says."""

import dataclasses

import numpy as np
import pytest
from toy_set import toy_set

from alfonsine.emulator.networks.calibration import calibrate, coverage
from alfonsine.emulator.networks.plan import Plan, Stage
from alfonsine.emulator.networks.rows import Rows
from alfonsine.emulator.networks.training import train
from alfonsine.errors import InputError

PLAN = Plan(("tt", "te"), (16, 16), (Stage(1e-2, 60, 32),), fractions=(0.12, 0.08, 0.8))

pytestmark = pytest.mark.slow  # the members are trained until they have learned


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    """Four members from 180 models; 1200 are held out."""
    folder = tmp_path_factory.mktemp("toy")
    kept = toy_set(folder / "set", 1500, only=("tt", "te"))
    return train(kept, PLAN, folder / "run", members=4), Rows(kept, PLAN)


def test_the_interval_covers_a_held_out_third(ensemble):
    """Calibrated on 800 held-out rows, tested on 400 others: coverage of the 68 % interval between 60 and 76 %.

    Errors of one row are alike, so 400 rows count as 400 cases at least: standard error 2.3 %, with that of the
    calibration 2.9 %. Eight per cent off is 2.8 standard errors: a false alarm in 0.5 % of seeds for each output.
    """
    trained, rows = ensemble
    held_out = rows.part("test")
    calibrated = calibrate(trained, rows, held_out[:800])
    found = coverage(calibrated, rows, held_out[800:])
    assert set(found) == {"tt", "te"}
    assert all(0.60 < share < 0.76 for share in found.values()), found
    before = coverage(trained, rows, held_out[800:])
    assert any(not 0.60 < share < 0.76 for share in before.values()), "the calibration had nothing to do"


def test_factors_are_quantiles_of_error_over_spread(ensemble):
    """By NumPy from predictions, in 40 rows."""
    trained, rows = ensemble
    ids = rows.part("test")[:40]
    calibrated = calibrate(trained, rows, ids, at_a_time=17)
    each = trained.each(rows.theta(ids))
    truth = rows.values(ids)
    for i, name in enumerate(("tt", "te")):
        members = np.asarray(each[name])
        error = np.abs(truth[:, i * 24 : (i + 1) * 24] - members.mean(axis=0))
        expected = np.quantile(error / members.std(axis=0, ddof=1), 0.6827)
        assert calibrated.factors[i] == pytest.approx(expected, rel=1e-4)
        spread = np.asarray(calibrated.spread(rows.theta(ids))[name])
        np.testing.assert_allclose(spread, calibrated.factors[i] * members.std(axis=0, ddof=1), rtol=1e-5)


def test_a_single_network_has_no_spread(ensemble, tmp_path):
    _, rows = ensemble
    plan = dataclasses.replace(PLAN, stages=(Stage(1e-2, 2, 32),))
    with pytest.raises(InputError, match="ensemble of two members at least"):
        calibrate(train(rows.model_set, plan, tmp_path), rows, rows.part("test"))
    with pytest.raises(InputError, match="expected held-out rows"):
        calibrate(ensemble[0], rows, np.zeros(0, dtype=int))
