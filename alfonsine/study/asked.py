"""What the likelihoods of a study read of its theory, taken together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alfonsine.likelihood.likelihood import Likelihood


@dataclass(frozen=True)
class Read:
    """Outputs that likelihoods read.

    lengths     name -> last multipole; of outputs that are no spectra, their length and one
    redshifts   name -> redshifts, for functions of redshift; these are not among the lengths
    """

    lengths: Mapping[str, int] = field(default_factory=dict)
    redshifts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def by(cls, likelihoods: Mapping[str, Likelihood]) -> "Read":
        """Every output that one of them reads: up to the largest l_max, at the redshifts of all."""
        lengths: dict[str, int] = {}
        redshifts: dict[str, set[float]] = {}
        for likelihood in likelihoods.values():
            for name, z in likelihood.redshifts.items():
                redshifts.setdefault(name, set()).update(z)
            for name, l_max in likelihood.spectra.items():
                if name not in likelihood.redshifts:
                    lengths[name] = max(l_max, lengths.get(name, 2))
        return cls(lengths, {name: tuple(sorted(z)) for name, z in redshifts.items()})
