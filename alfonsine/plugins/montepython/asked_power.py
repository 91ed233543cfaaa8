"""The methods of `classy.Class` that give the matter power spectrum."""

from typing import Any

import numpy as np

from alfonsine.hosts.quantities import Quantities
from alfonsine.plugins.montepython import power
from alfonsine.plugins.montepython.errors import severe


class MatterPowerAnswers:
    """P(k, z) and fluctuations in spheres, of what has been computed."""

    _quantities: Quantities
    _nonlinear: bool
    h: float

    def sigma(self, R: Any, z: Any, h_units: bool = False) -> Any:
        """Fluctuations of matter in spheres of 8 Mpc/h."""
        return self._sigma("sigma8", R, z, h_units, "cosmo.sigma")

    def sigma_cb(self, R: Any, z: Any, h_units: bool = False) -> Any:
        """Fluctuations of baryons and cold dark matter in spheres of 8 Mpc/h."""
        return self._sigma("sigma8_cb", R, z, h_units, "cosmo.sigma_cb")

    def _sigma(self, name: str, R: Any, z: Any, h_units: bool, asked: str) -> Any:
        radius, at = (np.atleast_1d(np.asarray(each, dtype=float)) for each in (R, z))
        radius = radius if h_units else radius * float(self.h)
        found = severe(lambda: power.sigma(self._quantities, radius, at, name, asked))
        return found[0, 0] if np.isscalar(z) and np.isscalar(R) else np.squeeze(found)

    def pk(self, k: float, z: float) -> float:
        """P(k, z) [Mpc^3], k in 1/Mpc: the non-linear one where the emulator's CLASS had a method for it."""
        return self._pk(not self._nonlinear, False, k, z, "cosmo.pk")

    def pk_cb(self, k: float, z: float) -> float:
        """The same of baryons and cold dark matter."""
        return self._pk(not self._nonlinear, True, k, z, "cosmo.pk_cb")

    def pk_lin(self, k: float, z: float) -> float:
        """Linear P(k, z)."""
        return self._pk(True, False, k, z, "cosmo.pk_lin")

    def pk_cb_lin(self, k: float, z: float) -> float:
        """The same of baryons and cold dark matter."""
        return self._pk(True, True, k, z, "cosmo.pk_cb_lin")

    def get_pk(self, k: np.ndarray, z: np.ndarray, k_size: int, z_size: int, mu_size: int) -> np.ndarray:
        """`pk` at k[index_k, index_z, index_mu] and z[index_z]."""
        return self._pk_array(not self._nonlinear, False, k, z, "cosmo.get_pk")

    def get_pk_cb(self, k: np.ndarray, z: np.ndarray, k_size: int, z_size: int, mu_size: int) -> np.ndarray:
        """`pk_cb` at k[index_k, index_z, index_mu] and z[index_z]."""
        return self._pk_array(not self._nonlinear, True, k, z, "cosmo.get_pk_cb")

    def get_pk_lin(self, k: np.ndarray, z: np.ndarray, k_size: int, z_size: int, mu_size: int) -> np.ndarray:
        """`pk_lin` at k[index_k, index_z, index_mu] and z[index_z]."""
        return self._pk_array(True, False, k, z, "cosmo.get_pk_lin")

    def get_pk_cb_lin(self, k: np.ndarray, z: np.ndarray, k_size: int, z_size: int, mu_size: int) -> np.ndarray:
        """`pk_cb_lin` at k[index_k, index_z, index_mu] and z[index_z]."""
        return self._pk_array(True, True, k, z, "cosmo.get_pk_cb_lin")

    def get_pk_array(self, k: np.ndarray, z: np.ndarray, k_size: int, z_size: int, nonlinear: bool) -> np.ndarray:
        """P at all pairs of k and z, redshift by redshift."""
        return self._flat(not nonlinear, False, k, z, "cosmo.get_pk_array")

    def get_pk_cb_array(self, k: np.ndarray, z: np.ndarray, k_size: int, z_size: int, nonlinear: bool) -> np.ndarray:
        """The same of baryons and cold dark matter."""
        return self._flat(not nonlinear, True, k, z, "cosmo.get_pk_cb_array")

    def get_pk_and_k_and_z(
        self, nonlinear: bool = True, only_clustering_species: bool = False, h_units: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """P[index_k, index_z] [Mpc^3], k and z, on the emulator's own grid."""
        h = float(self.h) if h_units else 1.0
        name = power.name_of(not nonlinear, only_clustering_species)
        return severe(lambda: power.grid(self._quantities, name, h, "cosmo.get_pk_and_k_and_z"))

    def _pk(self, linear: bool, cb: bool, k: float, z: float, asked: str) -> float:
        name = power.name_of(linear, cb)
        return severe(lambda: float(self._quantities.surface(name, asked).at(k, z, asked)))

    def _pk_array(self, linear: bool, cb: bool, k: np.ndarray, z: np.ndarray, asked: str) -> np.ndarray:
        return severe(lambda: power.array(self._quantities, power.name_of(linear, cb), k, z, asked))

    def _flat(self, linear: bool, cb: bool, k: np.ndarray, z: np.ndarray, asked: str) -> np.ndarray:
        return severe(lambda: power.flat(self._quantities, power.name_of(linear, cb), k, z, asked))
