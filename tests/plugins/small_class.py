"""A small emulator of the real CLASS in two inputs, kept in golden/, since it takes ten calls of CLASS to make.

python tests/plugins/small_class.py        writes it again
"""

from pathlib import Path

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.around.fit import Shape, fit
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.domain import Domain
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.points.training_set import TrainingSet
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.grids import Background, MatterPower, spaced

GOLDEN = Path(__file__).parent / "golden" / "small_class.safetensors"
L_MAX = 25
SETTINGS = {"H0": 67.3, "omega_b": 0.0224, "n_s": 0.965, "tau_reio": 0.054}
SETTINGS |= {"N_ur": 2.0308, "N_ncdm": 1, "m_ncdm": 0.06, "l_linstep": 20, "delta_l_max": 60, "l_max_ncdm": 5}
NAMES = ("omega_cdm", "logA")
MIDDLE, REACH = np.array([0.12, 3.04]), np.array([0.002, 0.03])
POINT = {"omega_cdm": 0.1207, "logA": 3.051}
THEORY = ClassTheory(
    SETTINGS,
    ("tt", "te", "ee", "pp"),
    l_max=L_MAX,
    derived=("sigma8", "rs_drag", "z_reio", "Omega_m"),
    matter_power=MatterPower(("pk_lin",), spaced("k", 1e-3, 0.5, 60), spaced("z", 0, 2.0, 8)),
    background=Background(("H", "D_A", "f", "sigma8_z"), spaced("z", 0.0, 3.0, 40)),
)


def trained():
    """Nine calls, three more than a parabola in two inputs needs."""
    corners = np.array([(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)], dtype=float)
    theta = MIDDLE + REACH * corners
    calls = [THEORY.compute(dict(zip(NAMES, row, strict=True))) for row in theta.tolist()]
    points = TrainingSet.of(NAMES, theta, [call.spectra for call in calls], [call.derived for call in calls])
    domain = Domain(*(jnp.asarray(x) for x in (MIDDLE, np.diag(REACH), 2.0, MIDDLE - 2 * REACH, MIDDLE + 2 * REACH)))
    shape = Shape(order=2, highest=2, components=5, floor=0.0, network="never")
    card = {"theory": THEORY.identity()}
    focus = Focus.of(MIDDLE, np.diag(REACH))
    return fit(
        NAMES, theta, points.outputs, domain=domain, focus=focus, shape=shape, card=card, described=THEORY.outputs()
    ).emulator


if __name__ == "__main__":
    save_emulator(trained(), GOLDEN)
