"""A strict session: 64-bit floats, and every warning of ours an error."""

import os
import tempfile
from pathlib import Path

import jax.numpy as jnp
import pytest

import alfonsine  # noqa: F401  sets 64-bit floats

# Other people's warnings that nothing here can mend, each named as narrowly as it allows.
FOREIGN = (
    "ignore::DeprecationWarning:blackjax",
    "ignore::DeprecationWarning:getdist",
    "ignore::DeprecationWarning:arviz",
    "ignore::FutureWarning:arviz",
    "ignore::DeprecationWarning:xarray",
    "ignore::DeprecationWarning:multiprocessing",  # fork in a threaded process, for tests that start workers
)


def pytest_configure(config: pytest.Config) -> None:
    """Make warnings errors, but for those of other projects' making."""
    for line in ("error", *FOREIGN):
        config.addinivalue_line("filterwarnings", line)


# What one process has compiled no other need compile again: test processes, and the programs that they start.
COMPILED = Path(tempfile.gettempdir()) / f"alfonsine-compiled-{os.getuid()}"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(COMPILED))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")


def pytest_sessionstart() -> None:
    """Refuse to test in 32-bit."""
    assert jnp.zeros(1).dtype == jnp.float64, "expected 64-bit floats; is JAX_ENABLE_X64 set to 0?"


@pytest.fixture
def data_folder(monkeypatch: pytest.MonkeyPatch) -> "DataFolder":
    """Look up a data set: `data_folder("planck2018_lite")` is its folder, or the test is skipped by name.

    For the length of the test, ALFONSINE_DATA names the folder that holds it.
    """
    found = DataFolder()
    monkeypatch.setenv("ALFONSINE_DATA", str(found.path))
    return found


class DataFolder:
    """The folder named by ALFONSINE_DATA, else `shared/data` beside the repository."""

    def __init__(self) -> None:
        beside = Path(__file__).parents[2] / "shared" / "data"
        self.path = Path(os.environ.get("ALFONSINE_DATA", beside))

    def __call__(self, name: str) -> Path:
        """Folder of the data set `name`; skip where it is not there."""
        if not (self.path / name).is_dir():
            pytest.skip(f"data set '{name}' is not in {self.path}; ALFONSINE_DATA names the folder that has it")
        return self.path / name
