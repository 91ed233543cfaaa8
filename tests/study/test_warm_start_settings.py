"""What a study may say of earlier work, and what it is told where it says too little."""

import numpy as np
import pytest
from toy_studies import FLAT, linear, prepared

from alfonsine.errors import InputError
from alfonsine.study.plan import plan
from alfonsine.study.settings import settings_from
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

A = {"prior": {"min": 0, "max": 3}, "ref": 1.1, "proposal": 0.02}


@pytest.mark.parametrize(("settings", "told"), [({}, "-1"), ({"w0_fld": "-0.9"}, "-0.9")])
def test_a_value_is_suggested(tmp_path, settings, told):
    """That of the earlier settings, or what the code takes where it is told nothing."""
    with Archive(tmp_path / "a.sqlite") as archive:
        archive.put(
            Call("key", {"a": 1.0}, "done", "", 1.0, Observables({"data": np.zeros(2)})), {"settings": settings}
        )
    study = linear(params={"a": A, "w0_fld": FLAT}, warm_start=str(tmp_path / "a.sqlite"))
    with pytest.raises(InputError, match=rf"try at: \{{w0_fld: {told}\}}, or its run folder in place of the archive"):
        plan(prepared(study, tmp_path))


def test_forms_of_the_setting():
    entry = {"run": "runs/a", "at": {"c": 0}}
    for given, meant in (("runs/a", [("runs/a", {})]), (entry, [("runs/a", {"c": 0})]), (None, [])):
        found = settings_from(linear(warm_start=given)).warm_start
        assert [(each.run, each.at) for each in found] == meant
    found = settings_from(linear(warm_start=["runs/b", entry])).warm_start
    assert [each.run for each in found] == ["runs/b", "runs/a"]
    with pytest.raises(InputError, match="unknown key 'att'; did you mean 'at'"):
        settings_from(linear(warm_start={"run": "a", "att": {}}))
    with pytest.raises(InputError, match=r"warm_start: expected .*beside a design|expected no warm_start beside"):
        settings_from(linear(warm_start="a", design={"number": 10}))


def test_rounds_of_studies_without_one_stay_good():
    """The digest names the folder of the rounds: it was this one before there were warm starts."""
    assert settings_from(linear()).digest == settings_from(linear(warm_start=None)).digest
    assert settings_from(linear()).digest != settings_from(linear(warm_start="a")).digest
