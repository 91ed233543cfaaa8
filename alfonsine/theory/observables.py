"""What one exact call yields: named spectra and derived numbers, and their lossless form in bytes.

The bytes are a safetensors file in memory: float64 arrays and a JSON header. Reading them back runs no code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from alfonsine.errors import InputError

FORMAT = "alfonsine-observables-1"


@dataclass(frozen=True, eq=False)
class Observables:
    """The outputs of an exact code at one point.

    spectra   named 1-D vectors; CMB spectra are bare C_l for l = 2..l_max (index 0 is l = 2), in muK^2,
              the lensing potential "pp" dimensionless; surfaces and functions of redshift are flattened,
              last axis fastest. `Theory.outputs` has their units and axes
    derived   named numbers: "H0", "Omega_m", "sigma8", ...
    """

    spectra: Mapping[str, np.ndarray] = field(default_factory=dict)
    derived: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spectra = {str(name): _vector(name, values) for name, values in self.spectra.items()}
        derived = {str(name): float(value) for name, value in self.derived.items()}
        object.__setattr__(self, "spectra", spectra)
        object.__setattr__(self, "derived", derived)

    def defect(self) -> str:
        """Say which output is not finite; empty where all are."""
        bad = [name for name, values in self.spectra.items() if not np.all(np.isfinite(values))]
        bad += [name for name, value in self.derived.items() if not np.isfinite(value)]
        return f"NaN or infinity in {', '.join(bad)}" if bad else ""

    def to_bytes(self) -> bytes:
        """Serialise without loss: every float64 comes back bit for bit, names in the same order."""
        tensors = {f"spectra/{name}": values for name, values in self.spectra.items()}
        tensors["derived"] = np.array(list(self.derived.values()), dtype=np.float64)
        header = {
            "format": FORMAT,
            "spectra": json.dumps(list(self.spectra)),
            "derived": json.dumps(list(self.derived)),
        }
        return save(tensors, metadata=header)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Observables":
        """Read what `to_bytes` wrote; InputError for anything else."""
        try:
            header = _header(data)
            if header["format"] != FORMAT:
                raise KeyError(FORMAT)
            tensors = load(data)
            spectra = {name: tensors[f"spectra/{name}"] for name in json.loads(header["spectra"])}
            derived = dict(zip(json.loads(header["derived"]), tensors["derived"].tolist(), strict=True))
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"expected serialised observables, got {len(data)} other bytes ({type(error).__name__}); "
                "the file is damaged or foreign"
            ) from None
        return cls(spectra, derived)


def _vector(name: str, values: object) -> np.ndarray:
    vector = np.array(values, dtype=np.float64)  # a copy: a later change by the caller stays his own
    if vector.ndim != 1:
        raise InputError(f"output '{name}': expected a 1-D vector, got shape {vector.shape}; flatten it")
    vector.setflags(write=False)
    return vector


def _header(data: bytes) -> Mapping[str, str]:
    # the library reads headers of files on disk only; the layout: length (8 bytes, little endian), JSON
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length].decode())["__metadata__"]
