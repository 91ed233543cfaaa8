"""Where the certificate's limit is known to fall short: errors that are large but rare."""

import numpy as np
import pytest
from scipy import stats
from toy_studies import BEND, COVARIANCE, VALUE, curved, prepared, record, run_here

from alfonsine.study.infer import emulated_log_likelihood, study_target


@pytest.mark.slow
@pytest.mark.xfail(reason="the errors of a cubic grow like a fourth power: too rare in 24 draws for limits to see")
def test_the_stated_limit_covers_the_truth_where_errors_have_heavy_tails(tmp_path):
    """20 runs of the curved study, each with its true KL from exact values at every sample of the chain.

    A limit at 95 % covers fewer than 16 of 20 once in 400 times. Known to fail: 6 of 20 were covered, though 19 of 20
    kept to the accuracy that was asked for.
    """
    covered = 0
    for seed in range(20):
        result = run_here(curved(seed=seed), tmp_path / str(seed))
        posterior, found = result.posterior.samples, record(result.folder)
        a = np.exp(posterior[:, 0]) - 0.5
        model = np.column_stack([a, posterior[:, 1] + BEND * (a**2 - 1)])
        target = study_target(prepared(curved(seed=seed), tmp_path / f"again{seed}"), result.emulator)
        difference = stats.multivariate_normal(VALUE, COVARIANCE).logpdf(model)
        difference -= emulated_log_likelihood(target, posterior)
        change = np.log(np.mean(np.exp(difference)))
        forward = np.mean(difference * np.exp(difference - change)) - change
        truth = max(forward, change - np.mean(difference))
        covered += truth <= (found["kl"]["upper95"] or np.inf)
    assert covered >= 16
