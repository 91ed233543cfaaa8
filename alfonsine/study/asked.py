"""What the likelihoods of a study read of its theory, taken together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import Likelihood
from alfonsine.theory.output import Axis


@dataclass(frozen=True)
class Read:
    """Outputs that likelihoods read; each stands in one of these.

    lengths     name -> last multipole; of numbers and a user's own vectors, their length and one
    redshifts   name -> redshifts, for functions of redshift
    surfaces    name -> redshifts and wavenumbers, for power spectra
    """

    lengths: Mapping[str, int] = field(default_factory=dict)
    redshifts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    surfaces: Mapping[str, tuple[Axis, Axis]] = field(default_factory=dict)

    @classmethod
    def by(cls, likelihoods: Mapping[str, Likelihood]) -> "Read":
        """Every output that one of them reads: up to the largest l_max, at the redshifts of all.

        InputError where two want power spectra on grids of their own: the codes give them on one.
        """
        lengths: dict[str, int] = {}
        redshifts: dict[str, set[float]] = {}
        surfaces: dict[str, tuple[Axis, Axis]] = {}
        for label, likelihood in likelihoods.items():
            if surfaces and any(grid not in surfaces.values() for grid in likelihood.surfaces.values()):
                raise InputError(f"expected one grid of P(k, z) for all likelihoods, got another for {label}")
            surfaces |= likelihood.surfaces
            for name, z in likelihood.redshifts.items():
                redshifts.setdefault(name, set()).update(z)
            for name, l_max in likelihood.spectra.items():
                if name not in likelihood.redshifts and name not in likelihood.surfaces:
                    lengths[name] = max(l_max, lengths.get(name, 2))
        return cls(lengths, {name: tuple(sorted(z)) for name, z in redshifts.items()}, surfaces)
