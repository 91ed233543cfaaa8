"""What a terminal shows of a run while it goes on, and what a log does not."""

import numpy as np
import pytest

from alfonsine.terminal import Display, parameters_told


@pytest.fixture
def display(monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    monkeypatch.setenv("TERM", "xterm")
    return Display()


def test_what_is_timed_is_shown_where_nothing_is_announced(display, capsys):
    display.doing("sampling")
    assert "sampling" in capsys.readouterr().out
    display.doing("fitting the emulator")
    shown = capsys.readouterr().out
    assert "fitting the emulator" in shown and "/?" not in shown  # it has no steps to be counted
    display.doing("")
    capsys.readouterr()
    display.say("a line")
    assert "fitting" not in capsys.readouterr().out


def test_an_announced_stage_goes_before_what_is_timed(display, capsys):
    display.start("round 1", 2)
    display.doing("exact calls")
    display.advance("point 1")
    display._live.refresh()
    shown = capsys.readouterr().out
    assert "round 1" in shown and "1/2" in shown and "exact calls" not in shown
    display.doing("sampling")
    assert "sampling" not in capsys.readouterr().out
    display.stop()
    assert "sampling" in capsys.readouterr().out  # it goes on
    display.doing("")


def test_a_log_has_no_line_for_what_is_timed(capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    display = Display()
    display.doing("sampling")
    display.start("round 1", 2)
    display.doing("fitting the emulator")
    display.stop()
    display.doing("")
    assert capsys.readouterr().out == "round 1 (2) ...\n"


def stored(path, names):
    """A record of two draws, 1 and 3 with weights 3 and 1: mean 1.5, variance 0.75."""
    samples = np.repeat([[1.0], [3.0]], len(names), axis=1)
    np.savez_compressed(path, names=np.array(names), samples=samples, weights=np.array([3.0, 1.0]))


def test_parameters_are_told_by_weighted_mean_and_deviation(tmp_path):
    stored(tmp_path / "posterior.npz", ["b", "a"])
    assert list(parameters_told(tmp_path / "posterior.npz").items()) == [("b", "1.50 +- 0.87"), ("a", "1.50 +- 0.87")]


def test_of_many_parameters_the_first_are_told(tmp_path):
    names = [f"p{i}" for i in range(11)]
    stored(tmp_path / "posterior.npz", names)
    rows = parameters_told(tmp_path / "posterior.npz")
    assert list(rows) == [*names[:8], ""] and rows[""] == "and 3 more in the report"
    stored(tmp_path / "posterior.npz", names[:8])
    assert list(parameters_told(tmp_path / "posterior.npz")) == names[:8]


@pytest.mark.parametrize("content", [None, b"", b"PK damaged"])
def test_without_the_record_no_parameter_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "posterior.npz").write_bytes(content)
    assert parameters_told(tmp_path / "posterior.npz") == {}
