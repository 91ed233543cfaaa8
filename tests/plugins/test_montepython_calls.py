"""The calls that MontePython's likelihoods make, recorded from runs of MontePython with the real CLASS.

golden/montepython_calls.json: by likelihood, [method, arguments, keyword arguments]; long arrays as shape, first values
and last. Each is answered as CLASS answers it, or raises.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from small_class import L_MAX
from test_montepython import SERVED, assert_same, emulated

from alfonsine.plugins.montepython.errors import CosmoSevereError

RECORD = json.loads((Path(__file__).parent / "golden" / "montepython_calls.json").read_text(encoding="utf-8"))["calls"]
CALLS = sorted({json.dumps(call) for calls in RECORD.values() for call in calls if call[0] != "set"})
# what a likelihood asks CLASS for; the rest of what is set are the parameters of the run
REQUESTS = sorted(
    {
        (name, str(value))
        for calls in RECORD.values()
        for method, arguments, _ in calls
        if method == "set"
        for name, value in arguments[0].items()
        if name in ("output", "lensing", "l_max_scalars", "P_k_max_h/Mpc", "z_max_pk", "non linear", "modes")
    }
)
HELD = {"lensed_cl", "T_cmb", "rs_drag", "Hubble", "angular_distance", "get_current_derived_parameters", "h", "sigma"}
HELD |= {"scale_independent_growth_factor_f", "ionization_fraction", "baryon_temperature"}


def replayed(value):
    """An argument as it was; multipoles within the small emulator; arrays from their ends."""
    if isinstance(value, dict):
        first = np.array(value["first"])
        size = int(np.prod(value["shape"]))
        whole = first if size == len(first) else np.linspace(first[0], value["last"], size)
        return whole.reshape(value["shape"])
    return min(value, L_MAX) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.fixture(scope="module")
def ours(small):
    cosmo = emulated(small)
    yield cosmo
    cosmo.struct_cleanup()


@pytest.mark.parametrize("call", CALLS)
def test_a_recorded_call_is_answered_as_class_does_or_raises(call, ours, small):
    name, arguments, more = json.loads(call)
    arguments = [] if arguments == "attribute" else [replayed(each) for each in arguments]
    if name == "sigma":  # asked in spheres of 8 Mpc/h, in Mpc: h is another one here
        arguments[0] = 8.0 / small.cosmo.h()
    try:
        found = getattr(ours, name)(*arguments, **more)
    except CosmoSevereError as error:
        assert name not in HELD, error
        return
    exact = getattr(small.cosmo, name)(*arguments, **more)
    assert_same(found, exact, SERVED.get(name, ((), 1e-4))[1], name)


@pytest.mark.parametrize(("name", "value"), REQUESTS)
def test_a_recorded_request_is_understood_or_named(name, value, small):
    if name == "l_max_scalars":
        value = str(min(int(float(value)), L_MAX))
    cosmo = emulated(small, **{name: value})
    try:
        cosmo.compute()
    except CosmoSevereError as error:
        assert name in str(error)


def test_the_record_is_one():
    assert len(RECORD) >= 25
    assert {"lensed_cl", "Hubble", "angular_distance", "rs_drag"} <= {json.loads(call)[0] for call in CALLS}
