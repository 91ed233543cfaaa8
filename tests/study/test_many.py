"""What changes in many parameters, and that nothing does in few."""

import numpy as np
import pytest

from alfonsine.emulator.around.focus import MODEST, REACH, Focus
from alfonsine.study.many import batch_size, heat
from alfonsine.study.settings import PointsSettings

POINTS = PointsSettings(batch=8, temperature=2.0)


@pytest.mark.parametrize("d", [1, 2, MODEST])
def test_nothing_changes_in_few(d):
    assert heat(POINTS, d) == 2.0
    assert batch_size(POINTS, d) == 8
    assert Focus.of(np.zeros(d), np.eye(d)).reach == REACH


@pytest.mark.parametrize("d", [2, MODEST, 30, 100])
def test_weights_to_the_posterior_scatter_alike(d):
    """Standard deviation of the log weight of tempered normal draws, at most that in MODEST parameters: 5,000 draws."""
    temperature = heat(POINTS, d)
    draws = np.sqrt(temperature) * np.random.default_rng(d).normal(size=(5000, d))
    log_weight = -0.5 * np.sum(draws**2, axis=1) * (1.0 - 1.0 / temperature)
    assert log_weight.std() == pytest.approx(np.sqrt(min(d, MODEST) / 2), rel=0.05)


@pytest.mark.parametrize("d", [2, MODEST, 30, 100])
def test_tempered_points_are_within_reach(d):
    """Four of five at least, up to a hundred parameters, as in eight."""
    draws = np.sqrt(heat(POINTS, d)) * np.random.default_rng(d).normal(size=(2000, d))
    focus = Focus.of(np.zeros(d), np.eye(d))
    assert np.mean(np.linalg.norm(focus.white(draws), axis=1) <= focus.reach) > 0.8


def test_batches_grow():
    assert batch_size(POINTS, 30) == 15
    assert batch_size(PointsSettings(batch=20), 30) == 20
