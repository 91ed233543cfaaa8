"""A finished run judged by exact calls at fresh draws of an earlier run of the same study.

    python benchmarks/confirmed.py RUN --by EARLIER [--calls 200]

Where EARLIER has been judged again (`massive_neutrinos.py --fresh 200`, `alfonsine certify`) its archive holds these
calls and they cost nothing more: weighted by q_RUN/q, as far as the two posteriors differ, they are draws of that of
RUN, and tell its divergence. Both are emulated, so the weights are known. Prints for both runs the divergence and the
three largest differences of ln L and, as its last line, one JSON object: that of RUN, with the `effective` number of
calls.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from alfonsine.posterior.formats.chains import read_chains
from alfonsine.study.certify import fresh_draws
from alfonsine.study.exact import compute_points, exact_log_likelihood
from alfonsine.study.infer import emulated_log_likelihood, study_target
from alfonsine.study.prepare import prepare
from alfonsine.study.run import open_engine
from alfonsine.study.settings import read_study
from alfonsine.study.stages import stored_emulator


def main() -> None:
    """Find the calls, weigh them, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--by", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    earlier, study = (prepare(read_study(place / "study.yaml"), place) for place in (options.by, options.run))
    theta = fresh_draws(earlier, read_chains(options.by / "chain"), options.calls)
    with open_engine(earlier) as engine:
        computed = compute_points(earlier, engine, theta)
    theta = theta[computed.done]
    exact = exact_log_likelihood(earlier, computed)
    before, now = (emulated_log_likelihood(study_target(one, stored_emulator(one)), theta) for one in (earlier, study))
    for place, emulated in ((options.by, before), (options.run, now)):
        log_weight = emulated - before
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        difference = exact - emulated
        difference -= weight @ difference
        found = {
            "kl": float(np.log(weight @ np.exp(difference))),  # D(emulated || exact): the mean difference is zero
            "largest": np.sort(np.abs(difference))[:-4:-1].round(2).tolist(),
            "effective": float(1.0 / np.sum(weight**2)),
        }
        print(
            f"{place}: KL {found['kl']:.4f}, largest differences {found['largest']}, {found['effective']:.0f} effective"
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
