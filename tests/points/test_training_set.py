"""What was learned from, stacked and fingerprinted."""

from dataclasses import replace

import numpy as np
import pytest

from alfonsine.points.training_set import TrainingSet

THETA = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def make(**change):
    calls = [{"tt": np.arange(4.0) + i, "ee": np.arange(4.0) * i} for i in range(3)]
    derived = [{"H0": 70.0 + i, "sigma8": 0.8} for i in range(3)]
    return TrainingSet.of(**{"names": ["a", "b"], "theta": THETA, "spectra": calls, "derived": derived, **change})


def test_calls_are_stacked_in_order():
    found = make()
    assert len(found) == 3 and found.names == ("a", "b") and found.derived == ("H0", "sigma8")
    assert set(found.outputs) == {"tt", "ee", "derived"}
    np.testing.assert_array_equal(found.outputs["tt"], [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]])
    np.testing.assert_array_equal(found.outputs["derived"], [[70, 0.8], [71, 0.8], [72, 0.8]])


def test_without_derived_numbers_there_is_no_such_output():
    found = make(derived=[{}, {}, {}])
    assert found.derived == () and set(found.outputs) == {"tt", "ee"}


def test_the_order_of_names_within_a_call_does_not_matter():
    calls = [{"ee": np.arange(4.0) * i, "tt": np.arange(4.0) + i} for i in range(3)]
    turned = [{"H0": 70.0, "sigma8": 0.8}, {"sigma8": 0.8, "H0": 71.0}, {"sigma8": 0.8, "H0": 72.0}]
    assert make(spectra=calls, derived=turned).digest == make().digest


def swapped(found):
    return replace(found, outputs={**found.outputs, "tt": found.outputs["ee"], "ee": found.outputs["tt"]})


def renamed(found):
    return replace(found, outputs={{"tt": "te"}.get(name, name): array for name, array in found.outputs.items()})


def divided_otherwise(found):
    """The same numbers in the same order, as two points of three inputs and not three of two."""
    return replace(
        found,
        theta=found.theta.reshape(2, 3),
        outputs={name: array.reshape(2, -1) for name, array in found.outputs.items()},
    )


def nudged(found):
    array = found.outputs["tt"].copy()
    array[1, 2] = np.nextafter(array[1, 2], 9.0)
    return replace(found, outputs={**found.outputs, "tt": array})


@pytest.mark.parametrize(
    "change",
    [
        nudged,
        swapped,
        renamed,
        divided_otherwise,
        lambda x: replace(x, theta=x.theta + np.array([0.0, 1e-15])),
        lambda x: replace(x, theta=x.theta[::-1]),
        lambda x: replace(x, names=("b", "a")),
        lambda x: replace(x, derived=("sigma8", "H0")),
        lambda x: replace(x, outputs={n: a for n, a in x.outputs.items() if n != "ee"}),
    ],
)
def test_the_digest_notices(change):
    assert change(make()).digest != make().digest


def test_the_digest_is_of_the_numbers_and_not_of_their_layout():
    found = make()
    other = replace(found, theta=np.asfortranarray(found.theta), outputs=dict(reversed(found.outputs.items())))
    assert other.digest == found.digest and len(found.digest) == 64
