"""What a terminal shows of a run while it goes on, and what a log does not."""

import pytest

from alfonsine.terminal import Display


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
