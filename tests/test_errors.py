"""The one kind of error that is the user's to mend keeps to one line, whatever it quotes."""

import pytest

from alfonsine.errors import InputError, nearest


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ("ref\n", r"ref\n"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u2028\u202e\x85", r"\u2028\u202e\x85"),
        ("\ud800", r"\ud800"),
        ("100*theta_s é 数 \\Omega_m", "100*theta_s é 数 \\Omega_m"),
    ],
)
def test_nothing_that_is_quoted_breaks_the_line_or_commands_a_terminal(quoted, shown):
    assert str(InputError(f"unknown key '{quoted}'; remove it")) == f"unknown key '{shown}'; remove it"


def test_a_word_in_other_letters_is_the_nearest():
    assert nearest("MAX", ["max", "min"]) == "did you mean 'max'?"


def test_of_what_is_long_the_beginning_is_quoted_and_the_advice_stays_in_sight():
    line = str(InputError(f"expected a name, got '{'x' * 5000}' beside 'short'; did you mean 'xy'?"))
    assert line == f"expected a name, got '{'x' * 60}...' (5000 characters) beside 'short'; did you mean 'xy'?"
