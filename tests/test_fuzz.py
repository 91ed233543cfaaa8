"""Damaged files at random, a few of them; and a harness that would see if a command did not stand them.

`benchmarks/fuzz.py` does a thousand, with CLASS and data sets among them.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from fuzz import check_samples, fuzz, run_case, summary
from fuzz_cases import HANG, REFUSED, TRACEBACK, UNCLEAR, VALID, Answer, Worker, contents, judge, told
from fuzz_mutations import damage
from fuzz_samples import Sample
from fuzz_stock import light
from fuzz_trees import places

CASES, SEED, LIMIT = 60, 3, 60.0

BROKEN = """
import sys
import time
import warnings
from pathlib import Path


def fine():
    print("fine")


def refused():
    sys.exit(print("alfonsine: expected one, got two; try one", file=sys.stderr) or 2)


def raises():
    raise KeyError("somewhere inside")


def hangs():
    time.sleep(60)


def dies():
    import os
    os.abort()


def two_lines():
    sys.exit(print("alfonsine: expected this,\\ngot that", file=sys.stderr) or 2)


def colours():
    sys.exit(print("alfonsine: got \\x1b[2J", file=sys.stderr) or 2)


def mumbles():
    sys.exit(1)


def warns():
    warnings.warn("something is odd", RuntimeWarning)


def half():
    Path("out.txt").write_text("1 2")
    refused()


def overwrites():
    Path("given.txt").write_text("")


def leaves():
    Path("out.txt").write_text("all")
    Path(".scratch").write_text("some")
    print("out.txt")
"""
VERDICTS = {
    "fine": (VALID, False),
    "refused": (REFUSED, False),
    "raises": (TRACEBACK, False),
    "hangs": (HANG, False),
    "dies": (TRACEBACK, False),
    "two_lines": (UNCLEAR, False),
    "colours": (UNCLEAR, False),
    "mumbles": (UNCLEAR, False),
    "warns": (UNCLEAR, False),
    "half": (REFUSED, True),
    "overwrites": (VALID, True),
    "leaves": (VALID, True),
}


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    return list(light(tmp_path_factory.mktemp("stock") / "samples"))


def test_damaged_files_are_accepted_or_refused_in_one_clear_line(stock, tmp_path):
    worker = Worker(LIMIT)
    try:
        check_samples([sample for sample in stock if sample.name in ("toy-all", "cmb-lite")], worker, tmp_path)
        cases = fuzz(range(CASES), SEED, stock, worker, tmp_path)
    finally:
        worker.close()
    found = summary(cases)
    bad = [str(case) for case in cases if case.verdict.kind in (TRACEBACK, HANG, UNCLEAR) or case.verdict.half]
    assert not bad, "\n".join(bad)
    assert found["cases"] == CASES and found["refused"] >= CASES // 2  # most damage is noticed
    assert {case.kind for case in cases} == {sample.kind for sample in stock}


@pytest.mark.parametrize("deed", VERDICTS)
def test_the_harness_sees_what_a_broken_command_does(deed, tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    place = tmp_path / "place"
    place.mkdir()
    (place / "given.txt").write_text("1 2 3")
    worker = Worker(1.0 if deed == "hangs" else LIMIT, f"broken:{deed}", str(tmp_path))
    before = contents(place)
    try:
        answer = worker(["convert"], place, {})
        verdict = judge(answer, before, contents(place), writes=True)
        assert (verdict.kind, verdict.half) == VERDICTS[deed], answer
        again = worker(["convert"], place, {})  # a worker that hung or died is replaced
    finally:
        worker.close()
    assert (again.code, again.hung) == (answer.code, answer.hung)


def test_a_sample_that_is_not_valid_is_not_damaged(tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "sample").mkdir()
    sample = Sample("study", "wrong", tmp_path / "sample", (("plan",),), ("study.yaml",))
    worker = Worker(LIMIT, "broken:refused", str(tmp_path))
    try:
        with pytest.raises(SystemExit, match="'wrong' is not valid undamaged"):
            check_samples([sample], worker, tmp_path)
    finally:
        worker.close()


def test_a_case_is_made_of_its_number_and_seed_and_always_damaged(stock, tmp_path):
    def echo(command, cwd, environment):
        return Answer(0, "", "")

    for number in range(40):
        one, two = (run_case(number, 7, stock, echo, tmp_path) for _ in range(2))
        assert (one.sample, one.file, one.damage, one.text) == (two.sample, two.file, two.damage, two.text)
        assert one.damage and not list(tmp_path.iterdir())


def test_every_damage_changes_the_file(stock, tmp_path):
    import numpy as np

    source = next(sample.folder / "study.yaml" for sample in stock if sample.name == "toy-all")
    for seed in range(60):
        path = tmp_path / "study.yaml"
        path.write_bytes(source.read_bytes())
        damage(path, np.random.default_rng(seed))
        assert not path.is_file() or path.read_bytes() != source.read_bytes()
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)


def test_files_of_many_chains_are_those_from_the_first_to_the_last():
    assert told("9 chains: a/c_1.txt ... a/c_9.txt, with c.ranges, c.paramnames") == {
        *(f"a/c_{i}.txt" for i in range(1, 10)),
        "a/c.ranges",
        "a/c.paramnames",
    }
    assert told("3 chains: c.1.txt ... c.4.txt") == set()  # not as many as there are numbers
    assert told("c_1.txt\nc.ranges") == {"c_1.txt", "c.ranges"}


def test_a_tree_that_holds_itself_is_no_file_of_ours():
    """Its paths would fill the memory: each is longer than the one before."""
    tree = {"x": [1]}
    tree["x"].append(tree)
    with pytest.raises(ValueError, match="more places"):
        places(tree)
