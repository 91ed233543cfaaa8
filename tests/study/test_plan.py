"""What `plan` says of a run folder, before, during and after the run."""

import numpy as np
import pytest
from toy_studies import COVARIANCE, VALUE, linear, prepared, record

from alfonsine.errors import InputError
from alfonsine.study.exact import compute_points
from alfonsine.study.plan import plan
from alfonsine.study.run import open_engine, run
from alfonsine.study.stages import train


def told(study) -> str:
    return next(line for line in str(plan(study)).splitlines() if line.startswith("so far")).split("  ")[-1]


def test_how_far_a_run_is_before_during_and_after_it(tmp_path):
    study = prepared(linear(), tmp_path)
    assert told(study) == "not begun" and not study.folder.exists()
    train(study)
    taught = record(study.folder, "status")["done"]
    assert taught > 2
    assert told(study) == f"begun, {taught} exact calls asked for; run goes on from there"
    run(study)
    assert told(study) == "finished, outcome pass; run would show it, without an exact call"
    assert told(prepared(linear(seed=5), tmp_path)) == (
        "the finished run of another study: seed is 1 there, and 5 in study.yaml; "
        "run refuses to overwrite it: give another output"
    )
    more = prepared(linear(accuracy={"calls": 300}), tmp_path)
    assert told(more) == "finished at another accuracy; run goes on with its exact calls"
    assert "a call, exact calls alone, on 1 workers" in str(plan(more))


def test_a_damaged_certificate_is_told_in_one_line(tmp_path):
    study = prepared(linear(), tmp_path)
    study.folder.mkdir()
    for text in ("{", "[]", "3"):
        (study.folder / "certificate.json").write_text(text)
        with pytest.raises(InputError, match=r"expected a certificate in .*certificate\.json., got a damaged file"):
            plan(study)


def test_what_earlier_calls_lack_is_told_before_the_next(tmp_path):
    """A name that the code never returned: known from the calls in the folder, and from those of an earlier run."""

    def study(observable, folder, **blocks):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "sky.py").write_text("def sky(p):\n    return {'signal': [p['x'], p['x'] + p['y']]}\n")
        theory = {"python": {"function": "sky:sky", "inputs": ["x", "y"]}}
        data = {"observable": observable, "value": VALUE.tolist(), "covariance": COVARIANCE.tolist()}
        return prepared(linear(theory=theory, likelihood={"gaussian": data}, **blocks), tmp_path / folder)

    earlier = study("signal", "earlier")
    earlier.folder.mkdir()
    with open_engine(earlier) as engine:
        compute_points(earlier, engine, np.zeros((1, 2)))
    assert plan(study("signal", "earlier")).archived == 1
    message = "expected 2 numbers 'sgnal' from the theory for the likelihood gaussian, got none; did you mean 'signal'"
    for folder, blocks in (("earlier", {}), ("next", {"warm_start": str(earlier.folder / "archive.sqlite")})):
        with pytest.raises(InputError, match=message):
            plan(study("sgnal", folder, **blocks))
