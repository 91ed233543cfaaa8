"""A finished run judged by exact calls that were made at fresh draws of an earlier run of the same study.

    python benchmarks/confirmed.py RUN --by EARLIER [--calls 200]

EARLIER has been judged again (`massive_neutrinos.py --fresh 200`, `alfonsine certify`), so its archive holds exact
calls at draws of its posterior q. They cost nothing more: weighted by q_RUN/q, as far as these two differ, they are
draws of the posterior of RUN, and tell its divergence. Both are emulated, so the weights are known. Prints the
divergence of both runs and, as its last line, one JSON object with `effective`, the effective number of calls.
"""

import argparse
import json
from pathlib import Path

import jax
import numpy as np

from alfonsine.posterior.chains import read_chains
from alfonsine.study.exact import Computed, exact_log_likelihood
from alfonsine.study.infer import emulated_log_likelihood, study_target
from alfonsine.study.prepare import prepare
from alfonsine.study.propose import rng
from alfonsine.study.settings import read_study
from alfonsine.study.stages import stored_emulator
from alfonsine.theory.archive import Archive


def main() -> None:
    """Find the calls, weigh them, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--by", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    studies = {place: prepare(read_study(place / "study.yaml"), place) for place in (options.by, options.run)}
    theta, computed = fresh_calls(studies[options.by], options.calls)
    exact = exact_log_likelihood(studies[options.by], computed)
    emulated = {
        place: emulated_log_likelihood(study_target(study, stored_emulator(study)), theta)
        for place, study in studies.items()
    }
    found = {}
    for place, values in emulated.items():
        log_weight = values - emulated[options.by]
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        difference = exact - values
        difference -= weight @ difference
        found[str(place)] = {
            "kl": float(np.log(weight @ np.exp(difference))),  # D(emulated || exact): the mean difference is zero
            "half_variance": float(0.5 * weight @ difference**2),
            "largest": float(np.abs(difference).max()),
            "effective": float(1.0 / np.sum(weight**2)),
        }
    for name, entry in found.items():
        print(f"{name}: KL {entry['kl']:.4f}, largest difference of ln L {entry['largest']:.2f}, "
              f"{entry['effective']:.0f} effective calls")  # fmt: skip
    print(json.dumps(list(found.values())[-1]))


def fresh_calls(study, count: int) -> tuple[np.ndarray, Computed]:
    """Those of the draws of `alfonsine certify` that the archive knows, and their calls; no new one is made."""
    posterior = read_chains(study.folder / "chain")
    key = jax.random.fold_in(jax.random.key(study.settings.seed), 2_000_000)
    columns = [posterior.names.index(name) for name in study.space.names]
    theta = posterior.resampled(count, rng(key)).samples[:, columns]
    archive = Archive(study.folder / "archive.sqlite", read_only=True)
    calls = [archive.get(archive.key(study.theory.identity(), inputs_of(study, row))) for row in theta]
    known = np.array([call is not None and call.done for call in calls])
    return theta[known], Computed(theta[known], tuple(call for call, use in zip(calls, known, strict=True) if use))


def inputs_of(study, row: np.ndarray) -> dict[str, float]:
    """What the theory is given at a point of the sampled space."""
    return study.parameters.theory_inputs(dict(zip(study.space.names, row, strict=True)))


if __name__ == "__main__":
    main()
