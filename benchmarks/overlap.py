"""What it is worth to work while exact calls are made: seconds saved, and the further exact calls they cost.

    python benchmarks/overlap.py [--dimension 8] [--seconds 3] [--seeds 1 2 3] [--folder FOLDER]

The problem is that of `growth.py`; an exact call does nothing for so many seconds, four at once, as on a cluster.

beside   the final posterior is drawn while the calls that judge it are made, or after them: the same run both ways
early    (calls only) every batch is chosen from a posterior that has not learned the one before, whose places it knows,
         as it would be if fitting and sampling went on beside the calls that teach; whole and half batches

Prints a table and, as its last line, one JSON object.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from finished import finished
from growth import study_of

from alfonsine.study.clock import Clock
from alfonsine.study.compute_settings import ComputeSettings
from alfonsine.study.exact import Computed
from alfonsine.study.learn import Lesson
from alfonsine.study.loop import Run
from alfonsine.study.prepare import Study, prepare
from alfonsine.study.progress import Silent
from alfonsine.study.run import open_engine, run
from alfonsine.study.settings import settings_from

WORKERS = 4


class Early(Run):
    """Learns a batch only when the next one has been chosen; all of them before a verdict on a later lesson."""

    waiting: Computed | None = None

    def teach(self, lesson: Lesson) -> Computed:
        """Choose and make a batch, hand over the one before."""
        known, before = lesson.computed, self.waiting
        if before is not None:
            known = known + before
        self.waiting = super().teach(replace(lesson, computed=known))
        return before if before is not None else Computed(self.waiting.theta[:0], ())


def study(d: int, seed: int, folder: Path, seconds: float, batch: int | None = None) -> Study:
    """The toy of so many parameters, whose call takes so long."""
    plain = study_of(d, seed) | {"compute": {"workers": WORKERS if seconds else 1}}
    plain["theory"]["toy"] |= {"diary": str(folder.with_suffix(".diary")), "seconds": seconds}
    if batch is not None:
        plain["points"] = {"batch": batch}
    return prepare(settings_from(plain), folder)


@contextmanager
def a_core(left: bool) -> Iterator[None]:
    """Whether workers leave one to the program, whatever this machine has."""
    with patch.object(ComputeSettings, "leaves_a_core", property(lambda _: left)):
        yield


def main() -> None:
    """Both measurements, a table, one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dimension", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="overlap-"))
    d = options.dimension
    beside = final_beside(d, options.seeds, folder, options.seconds)
    early = chosen_early(d, options.seeds, folder)
    print(json.dumps({"dimension": d, "call_seconds": options.seconds, "beside": beside, "early": early}))


def final_beside(d: int, seeds: list[int], folder: Path, seconds: float) -> dict[str, list[float]]:
    """Wall-clock seconds of the same runs with the final posterior after the judging calls, and beside them."""
    found: dict[str, list[float]] = {"after": [], "beside": []}
    for seed in seeds:
        draws = []
        for way, left in (("compiling", False), ("after", False), ("beside", True)):
            with a_core(left):
                begun = time.perf_counter()
                result = run(study(d, seed, folder / f"{way}_{seed}", seconds if way in found else 0.01))
                if way in found:
                    found[way].append(round(time.perf_counter() - begun, 1))
            draws.append(result.posterior.samples)
        assert all(np.array_equal(draws[0], other) for other in draws[1:])
        calls = finished(folder / f"beside_{seed}")["solver_calls"]
        print(f"seed {seed}: {calls} calls of {seconds:g} s, final posterior after them {found['after'][-1]:.1f} s, "
              f"beside them {found['beside'][-1]:.1f} s; the same draws", flush=True)  # fmt: skip
    return found


def chosen_early(d: int, seeds: list[int], folder: Path) -> dict[str, list[int]]:
    """Exact calls until a pass, by when batches are chosen and how large they are."""
    found: dict[str, list[int]] = {}
    for way, kind, half in (("in time", Run, False), ("early", Early, False), ("early, half batches", Early, True)):
        for seed in seeds:
            begun = time.perf_counter()
            one = study(d, seed, folder / f"{way.replace(' ', '_')}_{seed}", 0.0)
            if half:
                one = study(d, seed, one.folder, 0.0, one.settings.points.batch // 2)
            one.folder.mkdir(parents=True)
            with open_engine(one) as engine, a_core(False):
                ending = kind(one, engine, Silent(), Clock()).go()
            found.setdefault(way, []).append(len(ending.calls.theta))
            print(f"{way:<20} seed {seed}: {found[way][-1]} calls, {ending.certificate.outcome.value}, "
                  f"{time.perf_counter() - begun:.0f} s", flush=True)  # fmt: skip
    return found


if __name__ == "__main__":
    main()
