"""Where an emulator may be asked."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.domain import Domain

CENTRE = np.array([1.0, -1.0, 0.5])
ROOT = np.array([[0.5, 0, 0], [0.3, 1.2, 0], [-0.1, 0.4, 0.7]])
LOWER, UPPER = np.array([-np.inf, -3.0, -1.0]), np.array([2.0, np.inf, 1.5])
DOMAIN = Domain(*(jnp.asarray(x) for x in (CENTRE, ROOT, 2.5, LOWER, UPPER)))


def test_inside_is_the_ellipsoid_cut_by_the_box():
    theta = CENTRE + 2.0 * np.random.default_rng(0).normal(size=(2000, 3))
    squared = np.einsum("ni,ij,nj->n", theta - CENTRE, np.linalg.inv(ROOT @ ROOT.T), theta - CENTRE)
    box = ((theta > LOWER) & (theta < UPPER)).all(axis=1)
    ellipsoid = squared < 2.5**2
    assert 50 < (box & ellipsoid).sum() and 50 < (box & ~ellipsoid).sum() and 50 < (~box & ellipsoid).sum()
    np.testing.assert_array_equal(jax.vmap(DOMAIN.inside)(jnp.asarray(theta)), box & ellipsoid)
    np.testing.assert_allclose(jax.vmap(DOMAIN.distance)(jnp.asarray(theta)), np.sqrt(squared) / 2.5, rtol=1e-10)


def test_why_a_point_is_outside():
    names = ("a", "b", "c")
    assert DOMAIN.reason(np.array([2.5, -4.0, 0.5]), names) == "a = 2.5, beyond -inf to 2; b = -4, beyond -3 to inf"
    far = CENTRE + 1.2 * 2.5 * ROOT @ np.array([-1.0, 0.0, 0.0])
    assert DOMAIN.reason(far, names) == (
        "a = -0.5, b = -1.9, c = 0.8, 3 standard deviations from the middle of the training set, 2.5 at most"
    )


def test_edges_belong_to_the_domain():
    on_box = jnp.asarray(CENTRE).at[2].set(1.5)
    assert DOMAIN.inside(on_box)
    assert not DOMAIN.inside(on_box.at[2].set(np.nextafter(1.5, 2)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("i", [0, 1, 2])
def test_what_is_not_a_number_is_outside(i, bad):
    assert not DOMAIN.inside(jnp.asarray(CENTRE).at[i].set(bad))


def test_distance_can_be_differentiated_at_the_centre():
    assert float(DOMAIN.distance(jnp.asarray(CENTRE))) < 1e-100
    assert np.isfinite(jax.grad(DOMAIN.distance)(jnp.asarray(CENTRE))).all()
