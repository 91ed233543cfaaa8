"""A training set on disk, of any size: no output is ever in memory as a whole.

A folder with

    header.json    format, names, outputs, number of rows, type, digest, and how the split was drawn
    theta.npy      (n, d) inputs, 64-bit
    NAME.npy       (n, m) one file per output
    filled.npy     (n,) which rows have been computed; set after the row itself is on disk
    split.npy      (n,) 0, 1, 2 for training, validation, test: drawn once, never again

Files are mapped for the length of one read and then let go: a mapping that is kept counts all it has ever touched as
memory of this process.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from alfonsine.emulator.networks.set_folder import damaged, lay_out, read_header, write_header
from alfonsine.emulator.networks.split import PARTS, split_sizes
from alfonsine.errors import InputError
from alfonsine.theory.output import Output

FORMAT = 1
RESERVED = {"theta", "filled", "split"}


@dataclass(frozen=True)
class ModelSet:
    """Inputs and outputs of n models, on disk.

    names     of the d inputs
    outputs   name -> what the output is
    n         rows, filled or not
    dtype     "float32" or "float64", of the outputs
    """

    folder: Path
    names: tuple[str, ...]
    outputs: Mapping[str, Output]
    n: int
    dtype: str

    @staticmethod
    def create(
        folder: str | Path,
        names: Sequence[str],
        outputs: Sequence[Output],
        n: int,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> "ModelWriter":
        """Begin a set, or go on filling one of the same names, outputs, size and type."""
        folder = Path(folder)
        if n < 1 or not names or not outputs:
            raise InputError("expected at least one row, input and output; try n=10000")
        for output in outputs:
            if not re.fullmatch(r"[A-Za-z0-9_.+-]+", output.name) or output.name in RESERVED:
                raise InputError(f"expected an output name of letters and digits, got '{output.name}'; rename it")
        if len({output.name for output in outputs}) < len(outputs):
            raise InputError("expected different names of the outputs, got one twice; rename it")
        header = {
            "format": FORMAT,
            "names": list(names),
            "outputs": {output.name: output.record() for output in outputs},
            "n": n,
            "dtype": dtype,
        }
        if folder.exists():
            stored = read_header(folder)
            different = [key for key, value in header.items() if stored.get(key) != value]
            if different:
                raise InputError(f"expected the same {different[0]} as the set in '{folder}'; try another folder")
        else:
            lay_out(folder, header, outputs)
        return ModelWriter(ModelSet.open(folder))

    @classmethod
    def open(cls, folder: str | Path) -> "ModelSet":
        """Open a set; InputError in one line where the files do not agree with the header."""
        folder = Path(folder)
        header = read_header(folder)
        try:
            if header["format"] != FORMAT:
                raise InputError(f"expected format {FORMAT} in '{folder}', got {header['format']}; make the set again")
            outputs = {name: Output.of_record(name, record) for name, record in header["outputs"].items()}
            found = cls(folder, tuple(header["names"]), outputs, int(header["n"]), str(header["dtype"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise damaged(folder, f"{type(error).__name__}: {error}") from None
        shapes = {"theta": ((found.n, len(found.names)), "float64"), "filled": ((found.n,), "bool")}
        shapes |= {name: ((found.n, output.size), found.dtype) for name, output in outputs.items()}
        for name, (shape, dtype) in shapes.items():
            array = found._mapped(name)
            if array.shape != shape or array.dtype != dtype:
                raise damaged(folder, f"{name}.npy holds {array.shape} {array.dtype}, not {shape} {dtype}")
        return found

    @property
    def filled(self) -> Bool[np.ndarray, " n"]:
        """Which rows have been computed."""
        return np.array(self._mapped("filled"))

    @property
    def theta(self) -> Float[np.ndarray, "n d"]:
        """All inputs; rows that are not filled hold zeros."""
        return np.array(self._mapped("theta"))

    @property
    def digest(self) -> str | None:
        """SHA-256 of all filled rows, as taken when filling ended; None while it goes on."""
        return read_header(self.folder).get("digest")

    def identity(self) -> str:
        """SHA-256 of header, inputs and filled rows, without reading the outputs: is this still the same set?"""
        header = {k: v for k, v in read_header(self.folder).items() if k not in ("digest", "split")}
        found = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        found.update(self.filled.tobytes())
        found.update(self.theta.tobytes())
        return found.hexdigest()

    def batch(
        self, rows: Int[np.ndarray, " b"]
    ) -> tuple[Float[np.ndarray, "b d"], dict[str, Float[np.ndarray, "b _"]]]:
        """Inputs and outputs of some rows, in the order asked for."""
        return np.array(self._mapped("theta")[rows]), {name: self.values(name, rows) for name in self.outputs}

    def values(
        self,
        name: str,
        rows: Int[np.ndarray, " b"],
        at: tuple[int, Int[np.ndarray, " b"]] | None = None,
    ) -> Float[np.ndarray, "b _"]:
        """One output of some rows; `at` takes, per row, one index along one axis of it, and returns the rest."""
        if name not in self.outputs:
            raise InputError(f"expected one of the outputs {', '.join(self.outputs)}, got '{name}'; check the name")
        order = np.argsort(rows, kind="stable")  # in the order of the file; disks read forward
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        array = self._mapped(name)
        if at is None:
            return np.array(array[rows[order]])[back]
        axis, index = at
        surface = np.moveaxis(array.reshape(self.n, *self.outputs[name].shape), 1 + axis, 1)
        return np.array(surface[rows[order], index[order]])[back].reshape(len(rows), -1)

    @property
    def is_split(self) -> bool:
        """Whether the split has been drawn."""
        return read_header(self.folder).get("split") is not None

    def split(
        self, seed: int | None = None, fractions: tuple[float, float, float] | None = None
    ) -> dict[str, np.ndarray]:
        """Filled rows of each part, as drawn the first time this was called: training, validation, test.

        All n rows are assigned at once, so a row filled later has its part already. Asked for another seed or other
        fractions afterwards, this refuses: what was held out once must stay held out. Asked for none, it gives the
        one there is, or draws (0.8, 0.1, 0.1) with seed 0.
        """
        header = read_header(self.folder)
        had = header.get("split") or {"seed": 0, "fractions": [0.8, 0.1, 0.1]}
        seed = had["seed"] if seed is None else seed
        fractions = tuple(had["fractions"]) if fractions is None else fractions
        wanted = {"seed": int(seed), "fractions": [float(f) for f in fractions]}
        sizes = split_sizes(self.n, fractions)
        if header.get("split") is None:
            label = np.zeros(self.n, dtype=np.uint8)
            order = np.random.default_rng(seed).permutation(self.n)
            first, second, _ = np.cumsum(sizes)
            label[order[first:second]], label[order[second:]] = 1, 2
            temporary = self.folder / f".split.{os.getpid()}.npy"
            np.save(temporary, label)
            os.replace(temporary, self.folder / "split.npy")
            write_header(self.folder, {**header, "split": wanted})
        elif header["split"] != wanted:
            raise InputError(
                f"expected the split drawn once with seed {had['seed']} and fractions {had['fractions']}, "
                f"got seed {seed} and {list(fractions)}; make a new set for another split"
            )
        label, filled = np.array(self._mapped("split")), self.filled
        return {name: np.flatnonzero((label == i) & filled) for i, name in enumerate(PARTS)}

    def check(self) -> None:
        """Read everything and compare with the digest; InputError where they differ."""
        if self.digest != self._digest():
            raise damaged(self.folder, "its contents do not match its digest")

    def _mapped(self, name: str) -> np.ndarray:
        try:
            return np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise damaged(self.folder, f"{name}.npy: {error}") from None

    def _digest(self) -> str:
        filled = np.flatnonzero(self.filled)
        found = hashlib.sha256(json.dumps([list(self.names), filled.size]).encode())
        found.update(filled.astype("<i8").tobytes())
        found.update(self.theta[filled].tobytes())
        for name, output in sorted(self.outputs.items()):
            found.update(f"{name} {json.dumps(output.record(), sort_keys=True)}".encode())
            for rows in chunks(filled, _rows_of(output.size)):
                found.update(self.values(name, rows).tobytes())
        return found.hexdigest()


class ModelWriter:
    """Fills rows as they come, in any order; what was written stays written whatever happens afterwards."""

    def __init__(self, model_set: ModelSet) -> None:
        """Go on where `model_set` stands."""
        self.model_set = model_set
        header = read_header(model_set.folder)
        if header.get("digest") is not None:
            write_header(model_set.folder, {**header, "digest": None})

    @property
    def missing(self) -> Int[np.ndarray, " k"]:
        """Rows that are not filled."""
        return np.flatnonzero(~self.model_set.filled)

    def write(
        self,
        rows: Int[np.ndarray, " b"],
        theta: Float[np.ndarray, "b d"],
        outputs: Mapping[str, Float[np.ndarray, "b _"]],
    ) -> None:
        """Fill some rows. Models that failed are not written: their rows stay empty and are never trained on."""
        kept = self.model_set
        if len(rows) and (rows.min() < 0 or rows.max() >= kept.n):
            raise InputError(f"expected rows from 0 to {kept.n - 1}, got {rows.min()} to {rows.max()}; check them")
        if set(outputs) != set(kept.outputs):
            raise InputError(f"expected the outputs {sorted(kept.outputs)}, got {sorted(outputs)}; give them all")
        values = {"theta": np.asarray(theta, dtype=np.float64)}
        with np.errstate(over="ignore"):
            values |= {name: np.asarray(array, dtype=kept.dtype) for name, array in outputs.items()}
        for name, array in values.items():
            size = len(kept.names) if name == "theta" else kept.outputs[name].size
            if array.shape != (len(rows), size):
                raise InputError(f"expected '{name}' of shape ({len(rows)}, {size}), got {array.shape}; check it")
            if not np.all(np.isfinite(array)):
                raise InputError(f"expected finite numbers in '{name}' ({array.dtype}), got others; leave failures out")
        for name, array in values.items():
            target = np.load(kept.folder / f"{name}.npy", mmap_mode="r+")
            target[rows] = array
            target.flush()
        filled = np.load(kept.folder / "filled.npy", mmap_mode="r+")
        filled[rows] = True  # only now, when the rows themselves are on disk
        filled.flush()

    def close(self) -> ModelSet:
        """Take the digest of what is filled and return the set."""
        header = read_header(self.model_set.folder)
        write_header(self.model_set.folder, {**header, "digest": self.model_set._digest()})
        return self.model_set


def chunks(rows: Int[np.ndarray, " n"], size: int) -> Iterator[Int[np.ndarray, " b"]]:
    """Consecutive pieces of at most `size` rows."""
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


def _rows_of(width: int, size: int = 64 << 20) -> int:
    """How many rows of `width` 64-bit numbers make a chunk of `size` bytes."""
    return max(1, size // (8 * max(width, 1)))
