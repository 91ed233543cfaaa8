"""The command line as it is typed wrongly: one line that says what to type; and help that nothing is cut from."""

import re
import sys
from pathlib import Path

import pytest
import typer

from alfonsine import cli
from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.posterior.formats.read_any import read_posterior
from alfonsine.report.report import render
from alfonsine.study.settings import read_study
from alfonsine.terminal import told_files


def answer(monkeypatch, capsys, *arguments):
    """Exit code, stdout and stderr of a command on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["anything", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0, *capsys.readouterr()


SLIPS = {
    "rnu": "expected a command, got 'rnu'; did you mean 'run'?",
    "zzz": "expected a command, got 'zzz'; known: card, certify, convert, data, .*watch",
    "mine.yaml": "expected a command, got the file 'mine.yaml'; try 'alfonsine run mine.yaml'",
    "--foo": "expected an option of 'alfonsine', got '--foo'; known: --help, --version",
    "data chek": "expected a command of 'alfonsine data', got 'chek'; did you mean 'check'?",
    "data install --al": "expected an option of 'alfonsine data install', got '--al'; did you mean '--all'?",
    "run": "expected STUDY.yaml (the study file), got none; try 'alfonsine run STUDY.yaml'",
    "run --outptu x": "expected an option of 'alfonsine run', got '--outptu'; did you mean '--output'?",
    "run -x": "expected an option of 'alfonsine run', got '-x'; known: --help, --output, --quiet",
    "run --quiet=3 x": "expected no value after --quiet, got one; leave it out",
    "run x --output": "expected a value after --output, got none; try '--output FOLDER'",
    "run a b": "expected 'alfonsine run STUDY.yaml', got more: 'b'; leave it out, or put a name with spaces in quotes",
    "convert x": "expected --to FORMAT (getdist, cobaya, montepython, anesthetic, arviz, covmat or "
    "covmat-montepython), got none; try 'alfonsine convert SOURCE --to FORMAT --output PLACE'",
    "plugin montepython x": "expected --emulator FILE (an emulator file), got none; "
    "try 'alfonsine plugin montepython FOLDER --emulator FILE'",
    "sample x --effective abc": "--effective: expected a whole number of at least 100, got 'abc'; "
    "without it, 10000 is taken",
    "sample x --effective 3": "--effective: expected a whole number of at least 100, got '3'; "
    "without it, 10000 is taken",
    "watch x --serve 0": "--serve: expected a whole number from 1 to 65535, got '0'; see 'alfonsine watch --help'",
    "convert x --to y -o z --skip 1": "--skip: expected a number from 0 to 0.99, got '1'; without it, 0.0 is taken",
}


@pytest.mark.parametrize("typed", SLIPS)
def test_a_slip_is_one_line_and_code_2(monkeypatch, capsys, typed):
    code, out, err = answer(monkeypatch, capsys, *typed.split())
    assert (code, out) == (2, "")
    assert re.fullmatch(re.escape(f"alfonsine: {SLIPS[typed]}\n").replace(r"\.\*", ".*"), err), err


@pytest.mark.parametrize("words", [[], ["data"], ["plugin"]])
def test_without_a_command_there_is_help(monkeypatch, capsys, words):
    code, out, err = answer(monkeypatch, capsys, *words)
    assert code == 2 and (out + err).startswith(" ".join(["Usage: alfonsine", *words, "[OPTIONS] COMMAND"]))
    assert "\nCommands:\n" in out + err


def commands(words, command):
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands([*words, name], inner)


ALL = list(commands([], typer.main.get_command(cli.app)))


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(["alfonsine", *words]) for words, _ in ALL])
def test_help_is_whole_at_80_columns(monkeypatch, capsys, words, command):
    """Every summary is a whole sentence of what the command says of itself; what is to be typed has a name of ours."""
    code, out, _ = answer(monkeypatch, capsys, *words, "--help")
    assert code == 0 and max(map(len, out.splitlines())) <= 80
    assert "<" not in out.replace("0<=x<=0.99", "").replace("1<=x<=65535", "") and "{" not in out
    listed = out.partition("Commands:\n")[2].splitlines()
    assert len(listed) == len(getattr(command, "commands", {}))
    for line in listed:
        name, summary = line.split(maxsplit=1)
        assert summary.endswith(".") and not summary.endswith("..")
        assert " ".join(command.commands[name].help.split()).startswith(summary)
    for parameter in command.params:
        flag = parameter.param_type_name == "option" and parameter.is_flag
        assert flag or (parameter.metavar and parameter.metavar in out), parameter.name


def test_many_chains_are_one_line():
    files = [Path("out") / f"c_{i}.txt" for i in range(1, 129)]
    more = [Path("out/c.paramnames"), Path("out/c.ranges")]
    assert told_files(files + more) == "128 chains: out/c_1.txt ... out/c_128.txt, with c.paramnames, c.ranges"
    assert told_files(files) == "128 chains: out/c_1.txt ... out/c_128.txt"
    assert told_files([files[0], more[0]]) == "out/c_1.txt\nout/c.paramnames"
    assert told_files([Path("c.covmat")]) == "c.covmat"


@pytest.fixture
def place(tmp_path):
    """A study, the folder of a run that is not finished, and chains."""
    (tmp_path / "runs" / "planck").mkdir(parents=True)
    (tmp_path / "chains").mkdir()
    (tmp_path / "empty").mkdir()
    for name in (
        "study.yaml",
        "runs/planck/study.yaml",
        "runs/planck/emulator.safetensors",
        "chains/c_1.txt",
        "chains/mine.yaml",
    ):
        (tmp_path / name).write_text("x")
    return tmp_path


MIXED = {
    "a run folder for a study": (read_study, "runs/planck", "give the file .* --output @/runs/planck: .*/study.yaml"),
    "a folder with a study": (read_study, "chains", "got a folder; give the file in it: @/chains/mine.yaml"),
    "a folder without one": (read_study, "empty", "got a folder without one; check the path"),
    "a study with a slip": (read_study, "stdy.yaml", "found none; did you mean '@/study.yaml'?"),
    "a study for a run folder": (render, "study.yaml", "got the file .*; give the folder that its run writes"),
    "no run folder": (render, "nope", "got '@/nope', which does not exist"),
    "a run folder for an emulator": (
        load_emulator,
        "runs/planck",
        "got the folder .*; give the file in it: @/runs/planck/emulator.safetensors",
    ),
    "a folder without an emulator": (load_emulator, "empty", "got the folder '@/empty', which has none in it"),
    "a study for chains": (read_posterior, "study.yaml", "got a file; give the folder that a run writes"),
    "one chain for all": (
        read_posterior,
        "chains/c_1.txt",
        "got a file of one chain; give the root of all: @/chains/c",
    ),
    "a folder for a root": (read_posterior, "chains", "found other chains; give their root: @/chains/c"),
    "a run without chains": (read_posterior, "runs/planck", "has not written its chains; finish it by 'alfonsine run'"),
    "a run folder with a slip": (read_posterior, "runs/plank", "did you mean '@/runs/planck'?"),
    "a folder that is not there": (read_posterior, "nope/nope", "there is no folder '@/nope': check the path"),
    "nothing alike": (read_posterior, "runs/zzz", "found neither such a folder nor zzz.1.txt or zzz_1.txt; check the"),
    "an empty folder": (read_posterior, "empty", "found neither; give the folder of a run, or the root of chains"),
}


@pytest.mark.parametrize("case", MIXED)
def test_what_was_mixed_up_is_named_with_what_to_give(place, case):
    read, name, told = MIXED[case]
    with pytest.raises(InputError) as refused:
        read(place / name)
    found = str(refused.value).replace(str(place), "@")
    assert re.search(told.replace("?", r"\?"), found), found
    assert "expected" in found and "\n" not in found
