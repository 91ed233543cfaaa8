"""A trained network taken apart: its arrays, in NumPy, must say what it says."""

import jax.numpy as jnp
import numpy as np
import pytest
from toy_set import ELL, SURFACE, K, Z, outputs, points, toy_set

from alfonsine.emulator.networks.plan import Plan, Stage
from alfonsine.emulator.networks.prepare import prepare
from alfonsine.emulator.networks.rows import Rows, spline
from alfonsine.emulator.networks.training import train
from alfonsine.errors import InputError

STAGES = (Stage(1e-2, 30, 32),)
NODES = (2.0, 3.0, 5.0, 8.0, 12.0, 16.0, 20.0, 25.0)
PLANS = {
    "standardised": Plan(("tt", "te", "derived"), (16, 16), STAGES),
    "min-max": Plan(("te",), (16, 16), STAGES, normalisation="min_max"),
    "logarithm": Plan(("tt",), (16, 16), STAGES, normalisation="log10", loss="root_mean_square"),
    "double logarithm": Plan(("te", "derived"), (16, 16), STAGES, normalisation="double_log", weights=0.1),
    "components": Plan(("te",), (16, 16), STAGES, components=6),
    "components of a logarithm": Plan(("tt",), (16, 16), STAGES, components=4, normalisation="log10"),
    "more components than units": Plan(("te",), (8, 3), STAGES, components=7),
    "nodes": Plan(("tt", "derived"), (16, 16), STAGES, nodes={"tt": NODES}, loss="cosmic_variance"),
    "surface": Plan(("pk",), (16, 16), STAGES, normalisation="log10", z_per_model=2),
}
OUTER = {
    "identity": lambda x: x,
    "exp10": lambda x: 10**x,
    "double_exp": lambda x, first, second: np.exp(np.exp(x) - second) - first,
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return toy_set(tmp_path_factory.mktemp("toy") / "set")


def untrained(kept, plan, members=1):
    """Random weights are as good as any here."""
    prepared = prepare(kept, plan, members=members)
    return prepared.record(prepared.trainer.start)


def forward(parts, theta, members):
    """Amplitudes from the arrays alone: Alsing layers in NumPy, member by member."""
    hidden = []
    for e in range(members):
        x = (theta - parts.shift) / parts.scale
        for j in (0, 1):
            get = lambda name, j=j, e=e: parts.hidden[f"layers[{j}].{name}"][e].astype(float)  # noqa: E731
            y = x @ get("weight").T + get("bias")
            x = (get("activation.beta") + (1 - get("activation.beta")) / (1 + np.exp(-get("activation.alpha") * y))) * y
        hidden.append(x)
    return np.hstack(hidden)


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("members", [1, 2])
def test_outputs_are_a_transform_of_a_matrix_times_amplitudes(kept, name, members):
    trained = untrained(kept, PLANS[name], members)
    theta = points(7, seed=5)
    if name == "surface":
        theta = np.column_stack([theta, np.linspace(0, 2, 7)])
    parts, found = trained.linear_parts(), trained(jnp.asarray(theta))
    assert list(found) == list(PLANS[name].outputs) == list(parts.basis) and parts.inputs == trained.inputs
    amplitudes = np.asarray(trained.amplitudes(jnp.asarray(theta)))
    hidden = forward(parts, theta, members)
    if trained.by_components:
        last = [hidden[:, e * 16 : (e + 1) * 16] @ parts.hidden["weight"][e].T.astype(float) for e in range(members)]
        mean = np.mean([v + parts.hidden["bias"][e] for e, v in enumerate(last)], axis=0)
        compression = trained.chain.compression
        hidden = np.asarray(compression.shift) + np.asarray(compression.scale) * mean
    expected = np.hstack([np.ones((7, 1)), hidden])
    np.testing.assert_allclose(amplitudes, expected, rtol=1e-4, atol=2e-5 * np.abs(expected).max())
    for output, values in found.items():
        linear = amplitudes @ parts.basis[output].T
        rebuilt = OUTER[parts.transform[output]](linear, **parts.parameters[output])
        np.testing.assert_allclose(rebuilt, values, rtol=1e-5, atol=3e-6 * np.abs(values).max())
        assert parts.basis[output].dtype == np.float64 and values.dtype == np.float64


def test_amplitudes_are_the_fewer_of_components_and_hidden_units(kept):
    sizes = {"components": 1 + 6, "more components than units": 1 + 3, "standardised": 1 + 16}
    for name, size in sizes.items():
        trained = untrained(kept, PLANS[name])
        assert trained.amplitudes(jnp.asarray(points(1)[0])).shape == (size,)
        assert trained.linear_parts().basis["te"].shape == (len(ELL), size)


def test_one_point_is_a_row_of_many(kept):
    trained = untrained(kept, PLANS["standardised"], 2)
    theta = jnp.asarray(points(4))
    for name, values in trained(theta).items():
        np.testing.assert_allclose(trained(theta[2])[name], values[2], rtol=1e-5, atol=1e-6 * np.abs(values).max())


def test_components_leave_out_what_is_small(kept):
    """Encoded and decoded without a network: what is lost is what the components beyond the kept ones hold."""
    from alfonsine.emulator.networks.chain import OutputChain
    from alfonsine.emulator.networks.normalisations import Standardisation

    rows = Rows(kept, PLANS["components"])
    ids = rows.part("train")
    chain = OutputChain.fit(rows, ids, Standardisation.fit)
    x = rows.values(ids).astype(float)
    y = (x - x.mean(axis=0)) / x.std(axis=0)
    values = np.linalg.svd(y, compute_uv=False)
    target = np.asarray(chain.encode(jnp.asarray(x)))
    np.testing.assert_allclose(target.std(axis=0), 1.0, rtol=1e-6)
    left = (np.asarray(chain.decode(jnp.asarray(target))) - x) / x.std(axis=0)
    assert np.sum(left**2) == pytest.approx(np.sum(values[6:] ** 2), rel=1e-4)


def test_nodes_are_splined_to_all_multipoles(kept):
    """The spline of l(l+1) C_l is exact for cubic polynomials, and close for the toy spectrum."""
    matrix = spline(NODES, ELL.astype(float))
    cubic = lambda l: (3 + 2 * l - 0.1 * l**2 + 0.01 * l**3) / (l * (l + 1))  # noqa: E731, E741
    np.testing.assert_allclose(matrix @ cubic(np.array(NODES)), cubic(ELL.astype(float)), rtol=1e-9)
    trained = untrained(kept, PLANS["nodes"])
    assert trained.network.weight.shape == (1, len(NODES) + 1, 16)
    truth = outputs(points(20, 3))["tt"]
    assert trained(points(20, 3))["tt"].shape == truth.shape
    np.testing.assert_allclose(truth[:, np.array(NODES, int) - 2] @ matrix.T, truth, rtol=0.05)


def test_redshift_as_an_input(kept, tmp_path):
    """Rows are (theta, z) -> P(k) of that model at that z; all rows of a model are in one part."""
    rows = Rows(kept, PLANS["surface"])
    assert rows.inputs == ("amplitude", "phase", "z") and rows.sizes == (len(K),)
    train_rows, test_rows = rows.part("train"), rows.part("test")
    assert len(train_rows) == 2 * len(kept.split()["train"])
    assert not set(train_rows // 2) & set(test_rows // 2)
    inputs, values = rows.theta(train_rows), rows.values(train_rows)
    surface = outputs(inputs[:, :2])["pk"].reshape(-1, len(Z), len(K))
    which = np.searchsorted(Z, inputs[:, 2])
    np.testing.assert_allclose(values, surface[np.arange(len(which)), which], rtol=1e-6)
    assert np.all(which.reshape(-1, 2)[:, 0] != which.reshape(-1, 2)[:, 1]) and set(which) == {0, 1, 2, 3}
    assert Rows(kept, PLANS["surface"]).theta(train_rows).tolist() == inputs.tolist()
    trained = train(kept, PLANS["surface"], tmp_path)
    assert trained.outputs[0].axes == SURFACE.axes[1:]
    found = np.asarray(trained(jnp.asarray(inputs))["pk"])
    assert np.sqrt(np.mean(np.log(found / values) ** 2)) < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outputs": ("tt", "xx")}, "expected one of the outputs"),
        ({"outputs": ("tt",), "nodes": {"tt": (2.0, 3.0, 5.0, 24.0)}}, "increasing nodes"),
        ({"outputs": ("tt",), "nodes": {"tt": (2.0, 3.5, 5.0, 25.0)}}, "increasing nodes"),
        ({"outputs": ("tt",), "nodes": {"tt": NODES}, "normalisation": "log10"}, "nodes .* 'standardisation'"),
        ({"outputs": ("tt",), "z_per_model": 1}, "axis 'z'"),
        ({"outputs": ("pk",), "z_per_model": 5}, "z_per_model from 1 to 4"),
        ({"outputs": ("te",), "normalisation": "log10"}, "positive outputs"),
        ({"outputs": ("tt",), "normalisation": "standardization"}, "did you mean 'standardisation'"),
        ({"outputs": ("tt",), "activation": "gelu"}, "known activation"),
        ({"outputs": ("tt",), "loss": "mse"}, "known loss"),
        ({"outputs": ("tt",), "architecture": "residual"}, "known architecture"),
        ({"outputs": ("tt",), "activation_options": {"spred": 1.0}}, "option of the activation, .* 'spread'"),
        ({"outputs": ("tt",), "loss_options": {"power": 1.5}}, "option of the loss"),
        ({"outputs": ("derived",), "loss": "cosmic_variance"}, "an axis 'l'"),
        ({"outputs": ("tt",), "components": 100}, "expected 1 to 24 components"),
    ],
)
def test_a_plan_that_does_not_fit_the_set_is_one_clear_line(kept, tmp_path, change, message):
    with pytest.raises(InputError, match=message) as error:
        train(kept, Plan(**{"widths": (4,), "stages": STAGES, **change}), tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()
