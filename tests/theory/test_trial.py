"""A code that dies or hangs while it reads its input is a mistake with a name; so is one that is not installed."""

import hashlib
import os
import time

import pytest

from alfonsine.errors import InputError
from alfonsine.theory import trial
from alfonsine.theory.installed import installed
from alfonsine.theory.trial import tried


def reads(theory, values):
    return "unread", f"{theory} {values['x']:g} {os.getpid()}"


def dies(theory, values):
    os._exit(7)


def hangs(theory, values):
    time.sleep(600)
    return "fine", ""


def test_a_trial_runs_apart_and_survives_the_code(monkeypatch):
    kind, detail = tried(reads, "a code", {"x": 0.5})
    assert kind == "unread" and detail.startswith("a code 0.5 ") and detail != f"a code 0.5 {os.getpid()}"
    assert tried(dies, "a code", {}) == ("error", "a crash with exit code 7")
    monkeypatch.setattr(trial, "LIMIT", 1.0)
    assert tried(hangs, "a code", {}) == ("error", "no answer within 1 s")


def test_a_build_is_told_by_its_libraries(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "one_file_code.py").write_text("x = 1\n")
    (tmp_path / "folder_code").mkdir()
    for name, text in {"__init__.py": "", "lib_b.so": "second", "lib_a.so": "first", "other": "no library"}.items():
        (tmp_path / "folder_code" / name).write_text(text)
    assert installed("one_file_code", "*.so") == ("unknown", hashlib.sha256(b"x = 1\n").hexdigest()[:16])
    assert installed("folder_code", "lib_*.so") == ("unknown", hashlib.sha256(b"firstsecond").hexdigest()[:16])
    with pytest.raises(InputError, match="expected the package no_such_code, got none; install it with: pip install"):
        installed("no_such_code", "*.so")
