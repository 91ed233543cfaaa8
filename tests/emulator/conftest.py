"""How files that cannot be used are told."""

import pytest

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError


@pytest.fixture
def refused(tmp_path):
    """Write bytes to a file, see it refused in one line, give back the line."""

    def check(content: bytes, parts=None) -> str:
        path = tmp_path / "emulator.safetensors"
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            load_emulator(path, parts)
        line = str(caught.value)
        assert line.startswith("expected ") and str(path) in line and "\n" not in line
        assert "Type-check" not in line  # found by the file's own checks, and not by those of a test session
        return line

    return check
