"""Batches of training rows: from the device where all of them fit, else in chunks read while others are trained on."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
from jaxtyping import Int

from alfonsine.emulator.networks.model_set import chunks

Data = tuple[jax.Array | np.ndarray, ...]
Read = Callable[[np.ndarray], Data]


class Feed:
    """Shuffled batches of some rows; the order is a function of seed, stage and epoch alone.

    read       rows -> arrays with one entry per row
    row_bytes  what one row takes
    resident   bytes up to which all rows are kept on the device
    chunk      bytes of a chunk otherwise: two are in memory at a time
    """

    def __init__(
        self, read: Read, rows: Int[np.ndarray, " n"], row_bytes: int, seed: int, resident: int, chunk: int
    ) -> None:
        """Read everything where it fits."""
        self.read, self.rows, self.seed = read, rows, seed
        self.per_chunk = max(1, chunk // max(row_bytes, 1))
        self.data: Data | None = None
        if len(rows) * row_bytes <= resident:
            self.data = tuple(jax.device_put(array) for array in self._whole())

    def _whole(self) -> list[np.ndarray]:
        """All rows, written into place chunk by chunk: never twice in memory."""
        whole: list[np.ndarray] = []
        first = 0
        for piece in chunks(self.rows, self.per_chunk):
            arrays = self.read(piece)
            whole = whole or [np.empty((len(self.rows), *a.shape[1:]), a.dtype) for a in arrays]
            for target, values in zip(whole, arrays, strict=True):
                target[first : first + len(piece)] = values
            first += len(piece)
        return whole

    def epoch(self, stage: int, epoch: int, batch: int, members: int) -> Iterator[tuple[Data, np.ndarray]]:
        """Chunks of data, each with the rows of each batch of each member in it, (members, steps, batch).

        All batches are equally large: as few as can be with at most `batch` rows, so that fewer rows than there are
        batches are left out, others each time.
        """
        steps = -(-len(self.rows) // batch)
        size = len(self.rows) // steps
        key = [self.seed, stage, epoch]
        if self.data is not None:
            yield self.data, orders([*key, 0], len(self.rows), steps, size, members)
            return
        shuffled = np.random.default_rng(key).permutation(self.rows)[: steps * size]
        pieces = np.array_split(np.arange(steps), -(-steps * size // self.per_chunk))
        pieces = [shuffled[p[0] * size : (p[-1] + 1) * size] for p in pieces if len(p)]
        for i, (data, rows) in enumerate(ahead(self.read, pieces)):
            yield data, orders([*key, i], len(rows), len(rows) // size, size, members)

    def all(self, batch: int) -> Iterator[Data]:
        """All rows, in their order, at most `batch` at a time."""
        if self.data is None:
            for data, rows in ahead(self.read, list(chunks(self.rows, max(self.per_chunk, batch)))):
                for piece in chunks(np.arange(len(rows)), batch):
                    yield tuple(array[piece[0] : piece[-1] + 1] for array in data)
        else:
            for piece in chunks(np.arange(len(self.rows)), batch):
                yield tuple(array[piece[0] : piece[-1] + 1] for array in self.data)


def ahead(read: Read, pieces: Sequence[np.ndarray]) -> Iterator[tuple[Data, np.ndarray]]:
    """Read the next piece in a thread while the caller works on this one."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(read, pieces[0])
        for i, piece in enumerate(pieces):
            data = coming.result()
            if i + 1 < len(pieces):
                coming = reader.submit(read, pieces[i + 1])
            yield data, piece


def orders(key: list[int], n: int, steps: int, size: int, members: int) -> Int[np.ndarray, "e steps size"]:
    """For each member a shuffle of its own of n rows, cut into batches."""
    shuffles = [np.random.default_rng([*key, member]).permutation(n)[: steps * size] for member in range(members)]
    return np.stack(shuffles).reshape(members, steps, size)
