"""What the card of a loop's emulator says of its errors, against the closed form at the calls that judged it."""

import numpy as np
import pytest
from toy_studies import BEND, COVARIANCE, curved, prepared, rounds, run_here

from alfonsine.emulator.card import card_text
from alfonsine.emulator.stored.file import load_emulator
from alfonsine.points.training_set import TrainingSet
from alfonsine.study.measure import judged


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curved")
    study = prepared(curved(seed=4), folder)
    return study, run_here(curved(seed=4), folder)


def closed(theta):
    a = np.exp(theta[:, 0]) - 0.5
    return np.column_stack([a, theta[:, 1] + BEND * (a**2 - 1)])


def test_errors_are_those_at_the_calls_that_judged(finished):
    study, result = finished
    theta = np.vstack([entry.theta for entry in rounds(study)])[-result.certificate.n_judged :]  # the last ones
    emulator = load_emulator(result.folder / "emulator.safetensors")
    miss = np.asarray(emulator(theta)["data"], float) - closed(theta)
    size = np.sqrt(np.einsum("ni,ij,nj->n", miss, np.linalg.inv(COVARIANCE), miss))
    told = emulator.card["data_errors"]["gaussian"]
    assert emulator.card["held_out"]["data"]["models"] == len(theta) == result.certificate.n_judged
    assert size.max() > 1e-4  # there is an error to be told
    assert {"50 %", "99 %"} <= set(told)
    assert told == pytest.approx({q: np.quantile(size, float(q[:-2]) / 100) for q in told}, rel=1e-3)


def test_the_card_is_shown_with_them(finished):
    text = card_text(finished[1].emulator)
    assert "not measured" not in text and "the spread over the training set" in text and "error of the data" in text
    assert "a = lambda x: np.exp(x) - 0.5, computed" in text


def test_where_it_refuses_to_answer_it_has_no_errors(finished):
    """A run used to end there, with all exact calls made: draws of a bent posterior reach beyond the domain."""
    study, result = finished
    emulator = result.emulator
    inside = np.vstack([entry.theta for entry in rounds(study)])[:8]
    far = np.asarray(emulator.domain.lower)[None] - 1e-3

    def at(theta):
        return TrainingSet(("x", "y"), theta, {"data": closed(theta)}, ())

    training, wanted = at(inside), judged(study, emulator, at(inside), at(inside)).card
    assert wanted["held_out"]["data"]["models"] == 8
    assert judged(study, emulator, training, at(np.vstack([far, inside]))).card == wanted
    assert judged(study, emulator, training, at(far)) is emulator
