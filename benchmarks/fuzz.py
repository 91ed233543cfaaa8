"""Random damage to valid files: every command must accept what comes, or refuse it in one clear line.

    python benchmarks/fuzz.py [--cases 1000] [--seed 1] [--limit 120] [--case N] [--finished FOLDER] [--messages FILE]

Each case copies valid files, damages one of them, and calls the command that reads it: `plan` of studies, `convert` of
chains and covariance matrices, `data check` and `plan` for folders of data, `card` of emulators. It is

    valid       exit code 0 and nothing on stderr
    refused     exit code 2, one line `alfonsine: ...` on stderr, nothing on stdout
    traceback   a traceback, or the process died
    hang        no answer within the limit, a hundred times what the command takes
    unclear     anything else

and half-written where files were left or changed that should not have been. All samples must be valid before they are
damaged. `--case N` repeats one case of a seed and shows all of it. ALFONSINE_DATA names published data sets.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fuzz_cases import HANG, REFUSED, TRACEBACK, UNCLEAR, VALID, Answer, Verdict, Worker, contents, judge
from fuzz_mutations import damage
from fuzz_samples import Sample, Stock, built_in_studies, studies_with_files, toy, toy_studies
from fuzz_stock import chains, checked_sets, covariance_matrices, data_folders, data_place, emulators, run_folders

SHARES = {
    "study": 33,
    "study of CLASS or CAMB": 4,
    "file beside a study": 10,
    "run folder": 6,
    "chains": 22,
    "covariance matrix": 8,
    "data folder": 11,
    "emulator": 6,
}  # of a hundred
BAD = (TRACEBACK, HANG, UNCLEAR)
SHOWN = 300  # characters of the offending text


@dataclass(frozen=True)
class Case:
    """One damaged copy, and what became of it; `text` is how the damaged file begins."""

    number: int
    kind: str
    sample: str
    command: tuple[str, ...]
    file: str
    damage: str
    text: str
    verdict: Verdict
    answer: Answer

    def __str__(self) -> str:
        half = ", half-written" if self.verdict.half else ""
        return (
            f"--- case {self.number}: {self.verdict.kind}{half}: '{self.sample}', {self.file}: {self.damage}"
            f"\n    alfonsine {' '.join(self.command)}\n    {self.verdict.why}\n    {self.text!r}"
        )


def kind_of(number: int, kinds: Sequence[str]) -> str:
    """Kinds in their shares, evenly spread over the cases."""
    cycle = [kind for kind in SHARES if kind in kinds for _ in range(SHARES[kind])]
    step = next(n for n in range(37, 200) if np.gcd(n, len(cycle)) == 1)
    return cycle[number * step % len(cycle)]


def run_case(number: int, seed: int, samples: Sequence[Sample], worker: Worker, place: Path) -> Case:
    """Make a case from its number and the seed alone, run it, and remove its folder."""
    rng = np.random.default_rng([seed, number])
    kind = kind_of(number, sorted({sample.kind for sample in samples}))
    known = [sample for sample in samples if sample.kind == kind]
    sample = known[int(rng.integers(len(known)))]
    folder = place / f"case-{number}"
    shutil.copytree(sample.folder, folder, symlinks=True)
    file = sample.files[int(rng.integers(len(sample.files)))]
    done = damage(folder / file, rng)
    command = sample.commands[int(rng.integers(len(sample.commands)))]
    text = (folder / file).read_bytes()[:SHOWN].decode("utf-8", "replace") if (folder / file).is_file() else ""
    try:
        verdict, answer = call(sample, command, folder, worker)
        return Case(number, kind, sample.name, command, file, done, text, verdict, answer)
    finally:
        shutil.rmtree(folder)


def call(sample: Sample, command: tuple[str, ...], folder: Path, worker: Worker) -> tuple[Verdict, Answer]:
    """Call a command in a folder, and say what became of it."""
    environment = {"ALFONSINE_DATA": str(folder / "data" if sample.data else folder / "nowhere")}
    before = contents(folder)
    answer = worker(command, folder, environment)
    return judge(answer, before, contents(folder), sample.writes), answer


def check_samples(samples: Sequence[Sample], worker: Worker, place: Path) -> None:
    """Undamaged samples are valid: else a refusal of a damaged one would say nothing."""
    for sample in samples:
        for command in sample.commands:
            folder = place / "undamaged"
            shutil.copytree(sample.folder, folder, symlinks=True)
            verdict, answer = call(sample, command, folder, worker)
            shutil.rmtree(folder)
            if verdict.kind != VALID or verdict.half:
                raise SystemExit(
                    f"the sample '{sample.name}' is not valid undamaged: {command}: {verdict.why}\n{answer.err}"
                )


def fuzz(numbers: Sequence[int], seed: int, samples: Sequence[Sample], worker: Worker, place: Path) -> list[Case]:
    """Run cases, and print those that are as no command should be."""
    cases = []
    for number in numbers:
        case = run_case(number, seed, samples, worker, place)
        cases.append(case)
        if case.verdict.kind in BAD or case.verdict.half:
            print(case, flush=True)
        if len(cases) % 100 == 0:
            print(f"{len(cases)} cases", file=sys.stderr, flush=True)
    return cases


def table(cases: Sequence[Case]) -> str:
    """Counts by kind."""
    heads = ("cases", "valid", "refused", "tracebacks", "hangs", "unclear", "half-written")
    lines = ["  ".join([f"{'kind':<24}", *heads])]
    for kind in [*SHARES, "all"]:
        counts = summary([case for case in cases if kind in (case.kind, "all")]).values()
        if any(counts):
            row = [f"{count:{len(head)}d}" for head, count in zip(heads, counts, strict=True)]
            lines.append("  ".join([f"{kind:<24}", *row]))
    return "\n".join(lines)


def summary(cases: Sequence[Case]) -> Mapping[str, int]:
    """Counts of what there should be none of."""
    n = Counter(case.verdict.kind for case in cases)
    return {
        "cases": len(cases),
        "valid": n[VALID],
        "refused": n[REFUSED],
        "tracebacks": n[TRACEBACK],
        "hangs": n[HANG],
        "unclear": n[UNCLEAR],
        "half_written": sum(case.verdict.half for case in cases),
    }


def stocked(root: Path, finished: Path | None) -> tuple[list[Sample], list[str]]:
    """All samples, and the published data sets that are not here."""
    stock = Stock(root)
    toy_studies(stock)
    built_in_studies(stock)
    studies_with_files(stock)
    absent = data_folders(stock, data_place(), with_class=True)
    checked_sets(stock, data_place())
    chains(stock)
    covariance_matrices(stock)
    emulators(stock)
    run_folders(stock, finished or finished_run(root.parent))
    return stock.samples, absent


def finished_run(place: Path) -> Path:
    """The run folder of a small study, run here."""
    import yaml

    from alfonsine.front import run

    (place / "small.yaml").write_text(
        yaml.safe_dump(toy(compute={"workers": 1}, sampler={"nuts": {"chains": 4, "effective_samples": 500}}))
    )
    return run(place / "small.yaml", place / "finished", quiet=True).folder


def main() -> None:
    """Fuzz, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for a case")
    parser.add_argument("--finished", type=Path, help="a run folder of two numbers x and y, instead of running one")
    parser.add_argument("--case", type=int, help="run this case only, and show all of it")
    parser.add_argument("--messages", type=Path, help="write all refusals here, to be read")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        place, begun = Path(name), time.monotonic()
        samples, absent = stocked(place / "stock", options.finished)
        worker = Worker(options.limit)
        try:
            if options.case is not None:
                case = run_case(options.case, options.seed, samples, worker, place)
                print(case, case.answer.out, case.answer.err, sep="\n")
                return
            check_samples(samples, worker, place)
            cases = fuzz(range(options.cases), options.seed, samples, worker, place)
        finally:
            worker.close()
    if options.messages:
        told = [
            f"{c.number} {c.sample} {c.file} ({c.damage})\n    {c.answer.err.strip()}\n"
            for c in cases
            if c.verdict.kind == REFUSED
        ]
        options.messages.write_text("".join(told), encoding="utf-8")
    if absent:
        print(f"not here, and not tried: {', '.join(absent)}")
    seconds = sorted(case.answer.seconds for case in cases)
    print(f"{len(samples)} samples, seed {options.seed}, {time.monotonic() - begun:.0f} s in all")
    print(f"a case took {seconds[len(seconds) // 2]:.2f} s (median), {seconds[-1]:.1f} s at most")
    print(table(cases))
    print(json.dumps(summary(cases)))


if __name__ == "__main__":
    main()
