"""Parameter files of CONNECT that are not plain, or hold values that no study can have, are refused by line."""

import pytest

from alfonsine.errors import InputError
from alfonsine.study.connect_param import translate

BOX = "parameters = {'omega_b': [0.014, 0.039], 'H0': [30, 120], 'Gamma_dcdm': [10, 5000]}\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("import os", 1, "import os"),
        ("\n\nopen('mark', 'w').close()", 3, "never executed"),
        ("N = open('mark', 'w')", 1, "never executed"),
        ("N = __import__('os').system('touch mark')", 1, "never executed"),
        ("k_grid = [k for k in (1, 2)]", 1, "plain value"),
        ("k_grid = np.logspace(-3, 0, 10)", 1, "np.logspace"),
        ("N = 'a' * 10**9", 1, "plain value"),
        ("N = [1] * 10", 1, "plain value"),
        ("N = 10**10**10", 1, "plain value"),
        ("N = 1 / 0", 1, "plain value"),
        ("N = 1e200 * 1e200", 1, "plain value"),
        ("N = nothing", 1, "nothing"),
        ("N = f'{1}'", 1, "plain value"),
        ("N = lambda: 1", 1, "plain value"),
        ("N = (M := 5)", 1, "plain value"),
        ("N = 1 if True else 2", 1, "plain value"),
        ("def N(): pass", 1, "def N"),
        ("N: int = 5", 1, "N: int"),
        ("N += 5", 1, "N += 5"),
        ("a.b = 5", 1, "a.b = 5"),
        ("N = M = 5", 1, "N = M"),
        ("parameters = {**{}}", 1, "plain value"),
        ("parameters = {1: [0, 1]}", 1, "plain value"),
        ("N = (", 1, "expected Python"),
        ("N = 1\x00", 1, "expected Python"),
        ("N = " + "-" * 100_000 + "1", 1, "expected Python"),
        ("N = " + "-" * 200 + "1", 1, "plain value"),
        ("# a\nn_hidden_layers = 5", 2, "did you mean 'N_hidden_layers'"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_line(text, line, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my.param"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        translate(path)
    message = str(caught.value)
    assert said in message and "\n" not in message and message.startswith("my.param")
    assert f"my.param:{line}:" in message or "cannot be parsed" in message
    assert [p.name for p in tmp_path.iterdir()] == ["my.param"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sampling = 'iterativ'", "lhc, hypersphere or iterative, got 'iterativ'"),
        ("sampling = 'pickle'", "lhc, hypersphere or iterative"),
        ("N = 'many'", "number above zero"),
        ("N = -5", "number above zero"),
        ("output_Cl = 'tt'", "list of words"),
        ("z_Pk_list = ['0']\noutput_Pk = ['pk']", "list of numbers"),
        ("extra_input = []", "table"),
        ("parameters = {'H0': 5}", r"'H0': [min, max]"),
        ("parameters = {'H0': ['a', 5]}", r"as numbers"),
        ("parameters = {'H0': [5, 1]}", "min below max"),
        ("prior_ranges = {'h': [1, 2]}", "names among parameters"),
        ("log_priors = ['h']", "names among parameters"),
        ("sigma_guesses = {'H0': 'a'}", "number for 'H0'"),
        ("train_ratio = 1.5", "a part of one"),
        ("extra_input = {'H0': 70}", "not among parameters"),
        ("parameters = {'H0': [0, 1]}\nlog_priors = ['H0']", "min above zero"),
        ("parameters = {'ln10^{10}A_s': [1, 5]}\nlog_priors = ['ln10^{10}A_s']", "stand in an expression"),
        ("sampling = 'iterative'\nsampling_likelihoods = ['clik']", "one of Planck_lite"),
        ("sampling = 'iterative'\nsampling_likelihoods = []", "at least one likelihood"),
        ("sampling = 'iterative'\ntemperature = 0.5", "at least 1"),
        ("sampling = 'iterative'\ntemperature = [5, 20]", "list of them that falls"),
        ("sampling = 'iterative'\ntemperature = []", "at least 1"),
        ("sampling = 'iterative'\ninitial_sampling = 'sobol'", "lhc or hypersphere"),
        ("sampling = 'iterative'\nkeep_first_iteration = 1", "True or False"),
    ],
)
def test_values_are_checked(text, said, tmp_path):
    path = tmp_path / "my.param"
    path.write_text(BOX + text)
    with pytest.raises(InputError) as caught:
        translate(path)
    assert said in str(caught.value) and str(caught.value).startswith("my.param:")


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="found none"):
        translate(tmp_path / "absent.param")
    with pytest.raises(InputError, match="got a folder; name a file in it"):
        translate(tmp_path)
    (tmp_path / "large.param").write_text("#" * 2_000_000)
    with pytest.raises(InputError, match="2000000 bytes"):
        translate(tmp_path / "large.param")
