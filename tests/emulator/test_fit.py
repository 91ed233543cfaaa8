"""From a training set to an emulator, judged at points it has not seen."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_sky import CENTRE, NAMES, WIDTH, domain, draws, focus, spectra

from alfonsine.emulator.around import correct
from alfonsine.emulator.around.fit import Shape, fit
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.around.network import Training
from alfonsine.emulator.around.relevant import best_trend
from alfonsine.emulator.around.trend import fit_trend
from alfonsine.emulator.domain import Domain
from alfonsine.emulator.metric import fallback_errors
from alfonsine.space.polynomial import monomials, values


def everywhere(d):
    return Domain(*(jnp.asarray(x) for x in (np.zeros(d), np.eye(d), 100.0, np.full(d, -np.inf), np.full(d, np.inf))))


def unit_focus(d):
    return Focus.of(np.zeros(d), 0.5 * np.eye(d))


def toy_fit(n=60, **change):
    theta = draws(n, seed=0)
    shape = Shape(**{"components": 6, "network": "never", **change})
    return theta, fit(NAMES, theta, spectra(theta), domain=domain(), focus=focus(), shape=shape)


def polynomial(d, order, n, seed):
    """Points (n, d) with five outputs of random coefficients, and 100 others with theirs."""
    rng = np.random.default_rng(seed)
    table = monomials(d, order)
    truth = rng.normal(size=(len(table), 5))
    theta, fresh = rng.normal(size=(n, d)), rng.normal(size=(100, d))
    return theta, {"x": values(theta, table) @ truth}, fresh, values(fresh, table) @ truth


def test_a_cubic_is_recovered():
    theta, outputs, fresh, expected = polynomial(3, 3, 70, seed=0)
    names, shape = ("a", "b", "c"), Shape(floor=0.0, network="never")
    found = fit(names, theta, outputs, domain=everywhere(3), focus=unit_focus(3), shape=shape)
    np.testing.assert_allclose(found.emulator(fresh)["x"], expected, atol=1e-6 * np.std(expected))
    assert found.error < 1e-10


@pytest.mark.parametrize(
    ("n", "d", "order"), [(14, 2, 3), (15, 2, 4), (27, 2, 5), (28, 2, 6), (714, 9, 3), (715, 9, 4)]
)
def test_the_order_follows_the_points(n, d, order):
    """By the number of monomials, C(d + order, d); points without weight are none."""
    assert Shape().for_points(np.ones(n), d).order == order
    assert Shape().for_points(np.repeat([1.0, 0.0], n), d).order == order
    assert Shape(order=2, highest=2).for_points(np.ones(n), d).order == 2


def test_a_quartic_is_recovered_where_points_are_plenty_in_few_inputs():
    theta, outputs, fresh, expected = polynomial(2, 4, 40, seed=3)

    def away(**shape):
        shape = Shape(floor=0.0, network="never", **shape)
        found = fit(
            ("a", "b"), theta, outputs, domain=everywhere(2), focus=Focus.of(np.zeros(2), np.eye(2)), shape=shape
        )
        return np.abs(found.emulator(fresh)["x"] - expected).max() / np.std(expected)

    assert away() < 1e-3 < 0.1 < away(highest=3)


def test_amplitude_and_optical_depth_are_exact():
    """Eight points, of which no polynomial could learn an exponential; nothing else varies."""
    theta = draws(8, seed=1, reach=4.0)
    theta[:, :2] = CENTRE[:2]
    fresh = draws(20, seed=2, reach=3.0)
    fresh[:, :2] = CENTRE[:2]
    found = fit(NAMES, theta, spectra(theta), domain=domain(radius=20.0), focus=focus()).emulator(fresh)
    expected = spectra(fresh)
    np.testing.assert_allclose(found["tt"], expected["tt"], rtol=1e-9)
    np.testing.assert_allclose(found["pp"], expected["pp"], rtol=1e-9)
    np.testing.assert_allclose(found["ee"][:, 28:], expected["ee"][:, 28:], rtol=1e-9)


def test_every_output_is_predicted_where_it_was_not_trained():
    """Within a thousandth of cosmic variance, or of the spread of the training set."""
    theta, found = toy_fit()
    fresh = draws(50, seed=3, reach=1.5)
    errors = fallback_errors(spectra(theta))
    for name, expected in spectra(fresh).items():
        assert np.abs((found.emulator(fresh)[name] - expected) / errors[name]).max() < 5e-3, name


def test_sizes_are_fixed_by_the_shape_alone():
    """So that a refitted emulator runs through the same compiled code."""
    one, two = (toy_fit(n)[1].emulator for n in (12, 40))
    assert jax.tree.structure(one) == jax.tree.structure(two)
    assert [x.shape for x in jax.tree.leaves(one)] == [x.shape for x in jax.tree.leaves(two)]
    assert one.amplitudes(jnp.asarray(CENTRE)).shape == (5 * 7,)


@pytest.mark.parametrize(("trend", "learned_of_left_out"), [(fit_trend, 0.6), (best_trend, 0.95)])
def test_left_out_predictions_err_as_fits_without_the_point_do(trend, learned_of_left_out, monkeypatch):
    """Against emulators really fitted without each point. Those also choose components and shrinkage anew, so the
    errors agree in size and not in every digit; the error at points that were learned from is smaller, much so where
    one relevance per input leaves more terms than points, less where few terms are left.
    """
    monkeypatch.setattr("alfonsine.emulator.around.fit.best_trend", trend)
    theta, shape = draws(24, seed=0), Shape(components=6, network="never")
    truth = spectra(theta)["distance"]

    def fitted(rows):
        return fit(NAMES, theta[rows], {"distance": truth[rows]}, domain=domain(), focus=focus(), shape=shape)

    found = fitted(np.arange(24))
    claimed = found.left_out @ np.asarray(found.emulator.basis["distance"]).T - truth
    learned = np.asarray(found.emulator(theta)["distance"]) - truth
    refitted = []
    for i in range(24):
        one = fitted(np.delete(np.arange(24), i)).emulator
        refitted.append(np.asarray(one(theta[i])["distance"]) - truth[i])
    sizes = [np.sqrt(np.mean(np.square(errors), axis=0)) for errors in (claimed, refitted, learned)]
    np.testing.assert_allclose(np.log(sizes[0] / sizes[1]), 0.0, atol=np.log(1.5))
    assert (sizes[2] < learned_of_left_out * sizes[1]).all()


def test_the_error_is_that_of_the_left_out_predictions():
    """Weighted mean over points of the squared error, in cosmic variance or spread, after division by the scaling."""
    theta = draws(30, seed=4, reach=6.0)
    outputs = {name: spectra(theta)[name] for name in ("tt", "pp", "derived")}
    shape = Shape(order=2, components=20, floor=1e-9, network="never")
    found = fit(NAMES, theta, outputs, domain=domain(), focus=focus(), shape=shape)
    weights = focus().weights(theta)
    assert weights.min() < 0.1  # the points do not all count alike
    logs = {"tt": (theta - CENTRE) @ [0, 0, 1, -2], "pp": (theta - CENTRE) @ [0, 0, 1, 0], "derived": np.zeros(30)}
    expected = 0.0
    for name, errors in fallback_errors(outputs).items():
        change = found.left_out @ np.asarray(found.emulator.basis[name]).T - outputs[name]
        change = change / np.exp(logs[name])[:, None] / errors
        expected += weights @ np.sum(change**2, axis=1) / weights.sum()
    assert found.error == pytest.approx(expected, rel=1e-6)


def test_data_decide_what_is_learned_when_components_are_few():
    """One component for two outputs that vary independently: the data's own one is kept."""
    theta = np.random.default_rng(5).normal(size=(30, 2))
    outputs = {"x": np.hstack([theta, theta[:, :1] + theta[:, 1:]])}
    shape = Shape(components=1, network="never")
    for i in (0, 1):
        found = fit(
            ("a", "b"),
            theta,
            outputs,
            domain=everywhere(2),
            focus=unit_focus(2),
            metric=lambda changes, i=i: 1e4 * changes["x"][:, i : i + 1],
            shape=shape,
        )
        error = np.std(np.asarray(found.emulator(theta)["x"]) - outputs["x"], axis=0)
        assert error[i] < 1e-4 and error[1 - i] > 0.3


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(correct, "Training", partial(Training, width=16, depth=2, members=2, epochs=250, patience=80))


@pytest.mark.slow
def test_a_network_fits_into_the_same_shapes(quick):
    """A sharp output gets a network, a smooth one does not; padding stays zero and the rest stays whole."""
    rng = np.random.default_rng(6)
    theta, fresh = rng.normal(size=(200, 2)), rng.normal(size=(300, 2))

    def truth(x):
        return {"derived": x @ [[1.0, 2.0], [0.5, -1.0]], "sharp": np.tanh(4 * x @ [[1.0], [0.5]])}

    fits = {
        network: fit(
            ("a", "b"),
            theta,
            truth(theta),
            domain=everywhere(2),
            focus=unit_focus(2),
            shape=Shape(components=4, network=network),
            key=jax.random.key(1),
        )
        for network in ("never", "always")
    }
    with_it, without = fits["always"], fits["never"]
    smooth, sharp = with_it.emulator.surrogate.blocks
    assert smooth.network is None and sharp.network is not None
    assert sharp.network.scale.shape == (4,) and not np.asarray(sharp.network.scale)[1:].any()
    assert with_it.left_out.shape == without.left_out.shape == (200, 2 * (1 + 4))
    np.testing.assert_array_equal(with_it.left_out[:, 7:], 0.0)
    amplitudes = np.asarray(jax.vmap(with_it.emulator.amplitudes)(jnp.asarray(fresh)))
    assert amplitudes.shape == (300, 10) and not amplitudes[:, 7:].any()
    np.testing.assert_array_equal(with_it.emulator(fresh)["derived"], without.emulator(fresh)["derived"])
    miss = [np.std(np.asarray(f.emulator(fresh)["sharp"]) - truth(fresh)["sharp"]) for f in (with_it, without)]
    assert miss[0] < 0.7 * miss[1]
    assert with_it.error < 0.7 * without.error


@pytest.mark.parametrize(
    ("network", "n", "tried"), [("never", 10**6, 0), ("auto", 199, 0), ("auto", 200, 1), ("always", 3, 1)]
)
def test_when_a_network_is_tried(network, n, tried):
    assert Shape(network=network).tries_network(n) == bool(tried)


def test_outputs_that_do_not_vary_are_kept():
    theta = draws(10, seed=8)
    outputs = {"derived": np.full((10, 2), 3.0), "tt": np.zeros((10, 5))}
    found = fit(NAMES, theta, outputs, domain=domain(), focus=focus()).emulator(CENTRE + 0.1 * WIDTH)
    np.testing.assert_allclose(found["derived"], 3.0, rtol=1e-12)
    np.testing.assert_allclose(found["tt"], 0.0, atol=1e-12)
