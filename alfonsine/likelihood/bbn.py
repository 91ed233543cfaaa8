r"""Primordial abundances: measured deuterium and helium against PRIMAT's, as functions of omega_b and N_eff.

.. math:: \ln L = \sum_i -\tfrac12 \frac{(d_i - m_i)^2}{\sigma_i^2 + \tau_i^2}
          - \tfrac12 \ln 2\pi (\sigma_i^2 + \tau_i^2)

with m and its error tau (nuclear rates, neutron lifetime 879.5 +- 0.8 s) from the table of PRIMAT (Pitrou et al. 2018,
arXiv:1801.08023), interpolated by cubic splines in omega_b and Delta N = N_eff - 3.045. N_eff is that of the theory
today: it is taken to have been the same during nucleosynthesis. Beyond the table (omega_b 0.005 to 0.04, Delta N -3 to
7) m goes on along its tangent, and tau stays.

Defaults: D/H = (2.527 +- 0.030) 1e-5, Cooke et al. 2018, arXiv:1710.11129; helium is not used unless it is asked for:
Y_p = 0.2449 +- 0.0040 (Aver et al. 2015, arXiv:1503.08146) or any other. Y_p is 4 n_He / n_b, as observers quote it.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.binning import Binning, Windows
from alfonsine.likelihood.data_sets import read_table
from alfonsine.likelihood.form import FoldedForm, Form
from alfonsine.likelihood.interpolate import Surface, bicubic
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood

NAME = DATA_SET = "bbn"
STANDARD_NEFF = 3.045  # where Delta N = 0, as the head of the table says
DEUTERIUM, DEUTERIUM_ERROR = 2.527e-5, 0.030e-5
HELIUM, HELIUM_ERROR = 0.2449, 0.0040
COLUMNS = {"helium": (4, 5), "deuterium": (6, 7)}  # value and error in the table


class Abundances(Form):
    """Gaussian of measured abundances, whose errors depend a little on the model.

    data, error   (abundance,) d and sigma
    predicted     m of each abundance over omega_b and Delta N; uncertain: tau of each
    """

    data: Float[Array, " abundance"]
    error: Float[Array, " abundance"]
    predicted: tuple[Surface, ...]
    uncertain: tuple[Surface, ...]
    nuisance: tuple[str, ...] = eqx.field(static=True, default=())

    def model(self, bands: Float[AnyArray, " 2"]) -> tuple[Float[Array, " abundance"], Float[Array, " abundance"]]:
        """Predicted abundances and their variances, at omega_b and N_eff."""
        x = jnp.asarray(bands) - jnp.array([0.0, STANDARD_NEFF])
        beyond = x - self.predicted[0].held(x)
        m = jnp.stack([surface(x) + surface.slopes(x) @ beyond for surface in self.predicted])
        tau = jnp.stack([surface(x) for surface in self.uncertain])
        return m, self.error**2 + tau**2

    def log_likelihood(self, bands: Float[AnyArray, " 2"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L at omega_b and N_eff."""
        m, variance = self.model(bands)
        return -0.5 * jnp.sum((self.data - m) ** 2 / variance + jnp.log(2 * jnp.pi * variance))

    def whiten(self, differences: Float[AnyArray, "n 2"], reference: Float[AnyArray, " 2"]) -> Float[Array, "n w"]:
        """The change of each abundance, in errors: one number from deuterium alone, which measures no more."""
        slopes = jax.jacobian(lambda bands: self.model(bands)[0])(jnp.asarray(reference))
        return differences @ (slopes / jnp.sqrt(self.model(reference)[1])[:, None]).T

    def fold(self, matrix: Float[AnyArray, "2 K"]) -> FoldedLikelihood:
        """The same form behind the matrix."""
        return FoldedForm(jnp.asarray(matrix), self)


def bbn(
    deuterium: float = DEUTERIUM,
    deuterium_error: float = DEUTERIUM_ERROR,
    helium: float | bool = False,
    helium_error: float = HELIUM_ERROR,
) -> BandLikelihood:
    """Measured D/H, and Y_p if wanted: `helium: true` for the default value, or a value.

    InputError for values that cannot be abundances.
    """
    measured = {"deuterium": (deuterium, deuterium_error)}
    if helium is not False:
        measured["helium"] = (HELIUM if helium is True else helium, helium_error)
    for each, values in measured.items():
        if not all(isinstance(x, int | float) and not isinstance(x, bool) and 0 < x < 1 for x in values):
            raise InputError(f"{NAME}: expected {each} and its error between 0 and 1, got {values[0]} and {values[1]}")
    table = read_table(DATA_SET, "PRIMAT_Yp_DH_Error.dat", (1300, 8))
    density, extra = np.unique(table[:, 0]), np.unique(table[:, 2])
    if len(table) != density.size * extra.size or table[:, 3:].min() <= 0:
        raise InputError(
            f"{NAME}: expected positive abundances at {density.size} x {extra.size} pairs of omega_b and Delta N, got "
            f"{len(table)} rows, or others; try 'alfonsine data check {DATA_SET}'"
        )
    rows = table[np.lexsort((table[:, 2], table[:, 0]))].reshape(density.size, extra.size, -1)
    value, error = np.array([measured[each] for each in measured]).T
    number = Binning(jnp.arange(1), jnp.ones(1), 1)
    return BandLikelihood(
        name=NAME,
        windows=Windows(("omega_b", "N_eff"), (number, number)),
        form=Abundances(
            data=jnp.asarray(value),
            error=jnp.asarray(error),
            predicted=tuple(bicubic(density, extra, rows[:, :, COLUMNS[each][0]]) for each in measured),
            uncertain=tuple(bicubic(density, extra, rows[:, :, COLUMNS[each][1]]) for each in measured),
        ),
        points={},
    )
