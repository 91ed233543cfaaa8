"""The distribution-free statement, simulated."""

import numpy as np
import pytest

from alfonsine.certificate.tolerance import tolerance_statement


def test_published_numbers():
    """59 clean draws: 95 % of the posterior with 95 % confidence."""
    assert tolerance_statement(np.zeros(59)).coverage == pytest.approx(0.95, abs=2e-3)
    assert tolerance_statement(np.zeros(100)).coverage == pytest.approx(0.97, abs=1e-3)


@pytest.mark.parametrize("quantile", ["normal", "chi2", "cauchy"])
def test_holds_for_any_distribution(quantile):
    """Mass within the bound against the claim, 2000 repeats of n = 24: 95 %, tested down to 93.5 % (3 sigma)."""
    rng = np.random.default_rng(5)
    draw = {
        "normal": lambda size: rng.normal(size=size),
        "chi2": lambda size: rng.normal(size=size) ** 2,
        "cauchy": lambda size: rng.standard_cauchy(size=size),
    }[quantile]
    fresh = np.sort(draw(200_000))
    good = 0
    for _ in range(2000):
        log_ratio = draw(24)
        statement = tolerance_statement(log_ratio)
        centre = np.median(log_ratio)
        inside = np.searchsorted(fresh, [centre - statement.bound, centre + statement.bound])
        good += (inside[1] - inside[0]) / len(fresh) >= statement.coverage
    assert good / 2000 > 0.935
