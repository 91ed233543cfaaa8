"""When the ensemble should take over from NUTS: seconds of both on the emulated posterior of a finished run.

    python benchmarks/patience.py RUN [--temperatures 1 2] [--patience 60 100] [--samples 1000]

RUN is a run folder. At each temperature the posterior is sampled with each patience, in gradients a draw, beyond which
the ensemble takes over; processor seconds are those of a second time, when all is compiled. Prints a table and, as its
last line, one JSON object.
"""

import argparse
import json
import time
from pathlib import Path

import jax

from alfonsine.posterior import sample
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.study.infer import sample_target, study_target
from alfonsine.study.prepare import prepare
from alfonsine.study.settings import read_study
from alfonsine.study.stages import stored_emulator


def main() -> None:
    """Sample, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--temperatures", type=float, nargs="+", default=[1.0, 2.0])
    parser.add_argument("--patience", type=float, nargs="+", default=[60.0, 100.0])
    parser.add_argument("--samples", type=int, default=1000, help="effective ones")
    given = parser.parse_args()
    study = prepare(read_study(given.run / "study.yaml"), given.run)
    target, chains = study_target(study, stored_emulator(study)), read_chains(given.run / "chain")
    draws = chains.samples[:, [chains.names.index(name) for name in study.space.names]]
    rows = []
    for temperature in given.temperatures:
        for patience in given.patience:
            sample.PATIENCE = patience
            for _ in range(2):
                began = time.process_time()
                found = sample_target(
                    study, target, draws.mean(axis=0), draws.std(axis=0), jax.random.key(3),
                    ess=given.samples, temperature=temperature,
                )  # fmt: skip
                seconds = time.process_time() - began
            told = {
                "temperature": temperature,
                "patience": patience,
                "sampler": found.diagnostics["sampler"],
                "gradients_a_draw": round(found.diagnostics["leapfrog_steps"], 1),
                "effective": round(min(found.diagnostics["ess_bulk"].values())),
                "processor_seconds": round(seconds, 1),
            }
            rows.append(told)
            print("  ".join(f"{name} {value}" for name, value in told.items()), flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
