"""Parameters that a study fixes or computes, in both hosts and in the real CLASS behind them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_class import POINT

from alfonsine.emulator.stored.file import save_emulator
from alfonsine.errors import InputError
from alfonsine.hosts.quantities import quantities_of
from alfonsine.hosts.trained_with import trained_with
from alfonsine.plugins.montepython.cosmology import class_of
from alfonsine.plugins.montepython.errors import CosmoSevereError

WAY = {
    "fixed": {"H0": 67.3, "omega_b": 0.0224, "n_s": 0.965, "tau_reio": 0.054},
    "computed": {"h": "lambda H0: H0/100", "N_eff_massless": "lambda omega_b: 2.0308 + 0*omega_b"},
    "dropped": ["H0", "N_eff_massless"],
}


@pytest.fixture(scope="module")
def fixed(small):
    """The small emulator as if its study had fixed what its theory block now sets; H0 is told to CLASS as h."""
    card = small.emulator.card
    settings = {name: value for name, value in card["theory"]["settings"].items() if name not in WAY["fixed"]}
    card |= {"inputs": list(small.emulator.names), "params": WAY, "theory": card["theory"] | {"settings": settings}}
    return replace(small.emulator, card_text=json.dumps(card))


def test_the_exact_code_is_told_what_the_study_fixed_and_computed(fixed, small):
    """The background of another omega_b or h would be off by far more."""
    assert trained_with(fixed).inputs(POINT) == POINT | {
        "omega_b": 0.0224,
        "n_s": 0.965,
        "tau_reio": 0.054,
        "h": 67.3 / 100,
    }
    cosmo = class_of(fixed, "fixed.safetensors")()
    cosmo.set({name: value for name, value in small.pars.items() if name != "H0"} | {"H0": 67.3})
    for name in ("Omega_b", "Omega_nu", "T_cmb"):
        assert float(getattr(cosmo, name)) == pytest.approx(float(getattr(small.cosmo, name)()), rel=1e-9)
    ours, truth = (each.get_background()["comov. dist."] for each in (cosmo, small.cosmo))
    np.testing.assert_allclose(ours, truth, rtol=1e-9)


def test_numbers_that_follow_are_known(fixed):
    held = quantities_of(fixed, POINT, "fixed.safetensors")
    assert held.number("Omega_b") == pytest.approx(0.0224 / 0.673**2)
    assert held.number("N_eff_massless") == 2.0308
    assert held.number("Omega_cdm") == pytest.approx(POINT["omega_cdm"] / 0.673**2)


def test_montepython_may_repeat_them_must_tell_them_and_cannot_change_them(fixed, small):
    def understood(**change):
        pars = {name: value for name, value in (small.pars | change).items() if value is not None}
        cosmo = class_of(fixed, "fixed.safetensors")()
        cosmo.set(pars)
        cosmo.compute()

    understood()
    with pytest.raises(CosmoSevereError, match=r"expected 'omega_b' = 0\.0224 \(the emulator was trained with 0\.0224"):
        understood(omega_b=0.0225)
    with pytest.raises(CosmoSevereError, match=r"data\.cosmo_arguments\['omega_b'\] = 0\.0224"):
        understood(omega_b=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"omega_b": 0.0224, "h": 0.673}, None),
        ({"ombh2": 0.0224, "H0": 67.3}, None),
        ({"omega_b": 0.0225}, r"expected omega_b: 0\.0224, as the emulator was trained with, got 0\.0225"),
        ({"H0": 68.0}, r"expected H0: 67\.3, as the emulator was trained with, got 68\.0"),
    ],
)
def test_cobaya_may_repeat_them_and_cannot_change_them(change, message, fixed, tmp_path):
    pytest.importorskip("cobaya")
    from cobaya.log import LoggedError
    from cobaya.model import get_model

    save_emulator(fixed, tmp_path / "fixed.safetensors")
    info = {
        "theory": {"alfonsine.plugins.cobaya.Emulated": {"file": str(tmp_path / "fixed.safetensors")}},
        "likelihood": {"one": {"external": lambda _self: 0.0, "requires": {"Hubble": {"z": [0.5]}}}},
        "params": {"omega_cdm": {"prior": [0.118, 0.122]}, "logA": {"prior": [3.0, 3.08]}, **change},
    }
    if message is None:
        assert np.isfinite(get_model(info).logposterior(POINT).logpost)
    else:
        with pytest.raises(LoggedError, match=message):
            get_model(info).logposterior(POINT)


@pytest.mark.parametrize(
    "way",
    [
        {"fixed": {"omega_b": "a lot"}},
        {"computed": {"h": "lambda H0: __import__('os')"}},
        {"computed": {"h": "lambda H0: H0/100"}},
        {"dropped": 3},
        ["omega_b"],
    ],
)
def test_a_card_of_another_form_is_refused_and_never_run(way, fixed):
    spoilt = replace(fixed, card_text=json.dumps(fixed.card | {"params": way}))
    with pytest.raises(InputError, match="expected an emulator whose card says") as error:
        trained_with(spoilt)
    assert "\n" not in str(error.value)
