"""The parts of an iteration: settings, which calls are learned from, ends of chains, R - 1."""

import numpy as np
import pytest
from toy_studies import linear, prepared

from alfonsine.errors import InputError
from alfonsine.posterior.convergence import between_over_within
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.exact import Computed
from alfonsine.study.iterations import Proposed, Sets, forget_after, last_points, path_of
from alfonsine.study.iterative import check_iterations
from alfonsine.study.iterative_settings import IterativeSettings
from alfonsine.study.plan import plan
from alfonsine.study.settings import settings_from
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

NETWORK = {"preset": "connect", "options": {"fractions": [0.8, 0.2, 0.0]}}


def iterative(**numbers):
    """The settings of a study with such iterations."""
    return settings_from(linear(points={"iterative": numbers})).points.iterative


def test_two_ways_to_ask_for_them():
    assert settings_from(linear(points="iterative")).points.iterative == iterative() == IterativeSettings()
    assert settings_from(linear(points={"iterative": None})).points.iterative is not None
    assert settings_from(linear()).points.iterative is None


def test_defaults_are_the_papers_and_sizes_its_shares():
    found = iterative()
    assert (found.temperature, found.mcmc_tolerance, found.iteration_tolerance) == ((5.0,), 0.01, 0.01)
    assert not found.keep_initial and not found.keep_first_iteration and found.deviations == 2
    assert found.sizes(50_000, 8) == (10_000, 5_000, 20_000, 20_000)
    assert found.sizes(20, 8) == (12, 12, 12, 12)  # never fewer than a fit needs
    assert iterative(initial=30, samples_from=40).sizes(1000, 2) == (30, 100, 40, 40)
    assert iterative(first=7, samples_from=40, most_per_iteration=9).sizes(1000, 2) == (200, 7, 40, 9)


def test_one_temperature_or_several():
    assert iterative(temperature=5).temperature == (5.0,)
    assert iterative(temperature=[20, 5.0, 1]).temperature == (20.0, 5.0, 1.0)
    assert settings_from(linear(points={"iterative": {"temperature": [20, 3]}})).points.drawn_at == 3


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("iterativ", "points: expected iterative, or a mapping, got 'iterativ'; did you mean 'iterative'?"),
        ({"iterative": {"temprature": 5}}, "unknown key 'temprature'; did you mean 'temperature'?"),
        ({"iterative": {"temperature": 0.5}}, "expected a number from 1 to 1000, got 0.5"),
        ({"iterative": {"temperature": []}}, "points.iterative.temperature: expected a list"),
        ({"iterative": {"temperature": [5, 20]}}, "expected temperatures that fall, got [5.0, 20.0]"),
        ({"iterative": {"temperature": True}}, "points.iterative.temperature"),
        ({"iterative": {"mcmc_tolerance": 0}}, "expected a positive number at most 1, got 0"),
        ({"iterative": {"iteration_tolerance": -1}}, "iteration_tolerance: expected a positive number"),
        ({"iterative": {"initial": 3}}, "initial: expected a whole number from 4"),
        ({"iterative": {"design": "lhc"}}, "expected latin_hypercube or hypersphere"),
        ({"iterative": {"keep_initial": "no"}}, 'expected true or false, got "no"'),
        ({"iterative": {"fewest_new": 1}}, "fewest_new: expected a number at least 0 and below 1"),
        ({"iterative": {"samples_from": 5, "most_per_iteration": 6}}, "no larger than samples_from, got 6 of 5"),
        ({"iterative": {}, "batch": 8}, "expected nothing beside iterative, got batch"),
        (5, "points: expected a mapping"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(points, said):
    with pytest.raises(InputError) as caught:
        settings_from(linear(points=points))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_network_needs_a_design_or_iterations():
    with pytest.raises(InputError, match="or 'points: iterative'"):
        settings_from(linear(emulator=NETWORK))
    assert settings_from(linear(emulator=NETWORK, points="iterative")).emulator.preset == "connect"


def test_studies_without_keep_their_digest():
    """It names the rounds of a run folder: a key that is not used must not change it. These are of 29 November 2026."""
    points = ({"batch": 9}, {}, "iterative")
    found = [settings_from(linear(points=p)).digest for p in points]
    assert found == ["f16c75db00fd", "a226ab91f5d4", "8fbae8a96406"]
    assert settings_from(linear(points={"iterative": {"temperature": 6}})).digest not in found


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ({"points": {"iterative": {"initial": 170}}}, r"accuracy\.calls: expected at least 212 \(170 to begin, 18"),
        ({"points": {"iterative": {"initial": 5}}}, r"points\.iterative\.initial: expected at least 6 points"),
        (
            {"points": "iterative", "emulator": {"preset": "connect"}},
            r"emulator\.options: expected models for every part, got 16 to train, 0 to validate",
        ),
    ],
)
def test_what_cannot_be_begun_is_told_before_a_call(blocks, said, tmp_path):
    study = prepared(linear(**blocks), tmp_path)
    for told in (check_iterations, plan):
        with pytest.raises(InputError, match=said):
            told(study)
    assert not (study.folder / "archive.sqlite").exists()


def test_a_network_needs_a_box(tmp_path):
    study = linear(points="iterative", emulator=NETWORK)
    study["params"]["x"] = {"prior": {"dist": "norm", "loc": 0.0, "scale": 1.0}}
    with pytest.raises(InputError, match="two edges"):
        check_iterations(prepared(study, tmp_path))


def test_the_plan(tmp_path):
    said = str(plan(prepared(linear(points="iterative", accuracy={"calls": 224}), tmp_path)))
    assert "first points      40\n" in said
    assert "iterations: 20 points, then at most 80 at a time; 24 to judge" in said
    assert "164 if all goes well, at most 224" in said


def calls(count, failed=0):
    """Some exact calls, the last of them failed."""
    made = [Call("", {}, "done", "", 1.0, Observables({}, {}))] * (count - failed)
    made += [Call("", {}, "failed", "no", 1.0, None)] * failed
    return Computed(np.arange(2.0 * count).reshape(count, 2), tuple(made))


@pytest.mark.parametrize(
    ("numbers", "learned", "beside"),
    [
        ({}, [10, 20, 40, 80], [0, 0, 40]),
        ({"keep_initial": True}, [10, 30, 50, 90], [10, 10, 50]),
        ({"keep_first_iteration": True}, [10, 20, 60, 100], [0, 20, 60]),
        ({"keep_initial": True, "keep_first_iteration": True}, [10, 30, 70, 110], [10, 30, 70]),
    ],
)
def test_which_calls_are_kept(numbers, learned, beside):
    """Of 10 calls of the design, 20 of the first iteration and 40 of each later one, as in section 3.2 of the paper.

    learned   from how many calls each emulator learns; beside: how many each iteration is filtered beside
    """
    said = []
    sets = Sets(IterativeSettings(**numbers), 4, said.append)
    found_learned, found_beside = [], []
    for number, count in enumerate((10, 20, 40, 40)):
        if number:
            found_beside.append(len(sets.earlier(number)))
        sets.add(calls(count))
        found_learned.append(len(sets.learned_from().theta))
    assert (found_learned, found_beside, said) == (learned, beside, [])


def test_too_few_calls_bring_back_the_last_that_were_discarded():
    said = []
    sets = Sets(IterativeSettings(), 8, said.append)
    for count in (10, 20, 5):
        sets.add(calls(count))
    assert len(sets.learned_from().theta) == 25 and "too few" in said[0] and said[0].endswith(" 1")
    sets.all[1] = calls(20, failed=18)
    assert len(sets.learned_from().theta) == 35  # failed ones do not count


def test_points_without_an_answer_were_asked_too():
    sets = Sets(IterativeSettings(keep_initial=True), 2, print)
    sets.add(calls(10, failed=4))
    assert len(sets.earlier(1)) == 10


def chains_of(samples):
    """A posterior of these chains (chain, draw, d)."""
    m, n, d = samples.shape
    names = tuple("abc"[:d])
    return Posterior(
        names, names, samples.reshape(m * n, d), np.ones(m * n), np.zeros(m * n), {}, np.repeat(np.arange(m), n)
    )


def test_the_last_points_come_from_the_ends_of_all_chains():
    chains = np.stack([[[m, t] for t in range(5)] for m in range(3)]).astype(float)
    found = last_points(chains_of(chains), 4)
    np.testing.assert_array_equal(found, [[0, 4], [1, 4], [2, 4], [0, 3]])
    chains[0, 3] = chains[0, 4]  # a step that was rejected
    np.testing.assert_array_equal(last_points(chains_of(chains), 4)[3], [1, 3])
    assert len(last_points(chains_of(chains), 100)) == 14


def test_no_more_points_than_can_be_paid():
    proposed = Proposed(np.arange(20.0).reshape(10, 2), np.arange(10) % 2 == 0, 0.0, 0.0, 5.0)
    assert proposed.share == 0.5
    np.testing.assert_array_equal(proposed.affordable(3)[:, 0], [0, 8, 16])
    assert len(proposed.affordable(100)) == 5 and len(proposed.affordable(0)) == 0
    none = Proposed(proposed.kept, np.zeros(10, dtype=bool), 0.0, 0.0, 5.0)
    assert none.affordable(3).shape == (0, 2)


def test_r_minus_one_of_a_shift():
    """Two samples of the same shape, s of their own standard deviations apart, have s^2 / 2 in closed form."""
    x = np.random.default_rng(1).standard_normal((500, 2))
    shift = np.array([0.5, 2.0]) * x.std(axis=0, ddof=1)
    np.testing.assert_allclose(between_over_within([x, x + shift]), [0.125, 2.0])
    np.testing.assert_allclose(between_over_within([x, x[:-3] * 1.0, x]), 0, atol=1e-3)


def test_r_minus_one_of_many_chains_is_one_over_their_length():
    """Mean of n normal draws has variance 1/n; of 400 chains the estimate has 7 %: five of those."""
    chains = np.random.default_rng(2).standard_normal((400, 50, 1))
    assert between_over_within(list(chains))[0] == pytest.approx(1 / 50, rel=0.35)


def test_iterations_of_another_study_are_forgotten(tmp_path):
    for number in (0, 1, 2, 11):
        path_of(tmp_path, number).parent.mkdir(exist_ok=True)
        path_of(tmp_path, number).touch()
    forget_after(tmp_path, 1)
    assert sorted(p.name for p in (tmp_path / "iterations").iterdir()) == ["000.npz", "001.npz"]
