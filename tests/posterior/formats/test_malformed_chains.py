"""Malformed chains: each is refused in one clear line, with exit code 2, and nothing is written.

The chains are sound but for the one thing that each case changes.
"""

import re
import sys

import numpy as np
import pytest
from command_line import call
from made_chains import chain_set

from alfonsine import cli
from alfonsine.posterior.formats.chains import chain_texts, getdist_texts
from alfonsine.posterior.formats.montepython import montepython_texts
from alfonsine.posterior.formats.whole_files import write_together

ROOT = "chain"


def cell(text: str, row: int, column: int, word: str) -> str:
    """The text of a chain with one of its words replaced."""
    lines = text.split("\n")
    words = lines[row].split()
    words[column] = word
    return "\n".join([*lines[:row], " ".join(words), *lines[row + 1 :]])


def without_column(text: str, column: int, first: int = 0) -> str:
    return "\n".join(
        " ".join(w for i, w in enumerate(line.split()) if i != column or row < first)
        for row, line in enumerate(text.split("\n"))
    )


def rows(text: str, change) -> str:
    lines = text.split("\n")
    change(lines)
    return "\n".join(lines)


# name: (file that is changed, its new content from the old, what the line says after the file's name)
FILE = ROOT + ".2.txt"
CHANGES = {
    "empty": (FILE, lambda t: "", "expected rows of numbers, got none"),
    "only the first line": (FILE, lambda t: t.split("\n")[0] + "\n", "expected rows of numbers, got none"),
    "only blanks": (FILE, lambda t: " \n\t\n", "expected rows of numbers, got none"),
    "a column missing everywhere": (FILE, lambda t: without_column(t, 3), "expected 10 columns, .* got 9"),
    "a column missing below its name": (FILE, lambda t: without_column(t, 3, 1), "expected 10 columns, .* got 9"),
    "a name missing above its column": (FILE, lambda t: t.replace(" sigma8", ""), "expected 9 columns, .* got 10"),
    "another name": (FILE, lambda t: t.replace("sigma8", "sigma9"), "expected 10 columns, .* got 10 with other names"),
    "text for a number": (FILE, lambda t: cell(t, 7, 3, "abc"), "8: expected numbers, got 'abc'"),
    "text for a weight": (FILE, lambda t: cell(t, 7, 0, "one"), "8: expected numbers, got 'one'"),
    "a comma for a point": (FILE, lambda t: t.replace(".", ","), r"2: expected numbers, got '-?\d+,\d+"),
    "commas between": (FILE, lambda t: re.sub(" +", ",", t), "2: expected numbers, got"),
    "a torn last line": (
        FILE,
        lambda t: t[:-60],
        r"(41: expected 10 columns, as in the line before|41: expected numbers)",
    ),
    "a torn word": (FILE, lambda t: cell(t, 40, 9, "1e"), "41: expected numbers, got '1e'"),
    "a longer row": (FILE, lambda t: rows(t, lambda x: x.insert(5, x[5] + " 1")), "6: expected 10 columns"),
    "nan weight": (FILE, lambda t: cell(t, 3, 0, "nan"), "4: expected a finite weight, got nan"),
    "infinite weight": (FILE, lambda t: cell(t, 3, 0, "inf"), "4: expected a finite weight, got inf"),
    "negative weight": (FILE, lambda t: cell(t, 3, 0, "-1"), "4: expected a weight that is not negative, got -1"),
    "zero weights": (FILE, lambda t: re.sub(r"(?m)^ +1 ", "0 ", t), "expected weights that are not all zero"),
    "weights whose sum overflows": (
        FILE,
        lambda t: re.sub(r"(?m)^ +1 ", "1e308 ", t),
        "expected weights with a finite sum",
    ),
    "nan height": (FILE, lambda t: cell(t, 3, 1, "nan"), "4: expected a finite -ln p .* got nan"),
    "infinite height": (FILE, lambda t: cell(t, 3, 1, "-inf"), "4: expected a finite -ln p .* got -inf"),
    "nan parameter": (FILE, lambda t: cell(t, 3, 2, "nan"), "expected finite values of the parameter 'omega_b'"),
    "overflowing parameter": (FILE, lambda t: cell(t, 3, 3, "1e999"), "expected finite values of the parameter 'H0'"),
    "binary": (FILE, lambda t: bytes(range(256)) * 8, "as text in UTF-8, got byte 0x80|got binary data"),
    "null bytes": (FILE, lambda t: t[:200] + "\0" * 50 + t[200:], "got binary data"),
    "utf-16": (FILE, lambda t: t.encode("utf-16"), "as text in UTF-8, got byte 0xff at 0"),
    "latin-1": (FILE, lambda t: t.replace("sigma8", "s\u00e9").encode("latin-1"), "as text in UTF-8, got byte 0xe9"),
    "other digits": (FILE, lambda t: cell(t, 3, 3, "\u0661\u0662"), "expected (a table of )?numbers, got"),
    "underscores": (FILE, lambda t: cell(t, 3, 3, "1_0"), "expected (a table of )?numbers, got"),
    "hexadecimal": (FILE, lambda t: cell(t, 3, 3, "0x1p3"), "4: expected numbers, got '0x1p3'"),
    "a web page": (FILE, lambda t: "<html><body>404</body></html>", "1: expected numbers, got '<html><body>404"),
    "escape codes": (FILE, lambda t: cell(t, 3, 3, "\x1b[2J"), r"4: expected numbers, got '\\x1b\[2J'"),
    "a very long word": (FILE, lambda t: cell(t, 3, 3, "x" * 100000), r"4: expected numbers, got 'x+\.\.\.'"),
    "two columns": (FILE, lambda t: "1 2\n3 4\n", "expected columns of weight, -ln p and parameters, got 2"),
    "no names": (ROOT + ".paramnames", lambda t: "", "expected a list of parameter names, got an empty file"),
    "a name twice": (ROOT + ".paramnames", lambda t: t.replace("H0", "omega_b", 1), "2: expected each parameter once"),
    "names too few": (ROOT + ".paramnames", lambda t: t.split("\n", 1)[1], "expected 9 columns, .* got 10"),
    "only a star": (
        ROOT + ".paramnames",
        lambda t: t.replace("sigma8*", "*"),
        "3: expected a parameter name, got '\\*'",
    ),
    "all derived": (ROOT + ".paramnames", lambda t: t.replace("\t", "*\t"), "expected at least one sampled parameter"),
    "binary names": (ROOT + ".paramnames", lambda t: b"\xff\xfe\x00", "as text in UTF-8"),
    "ranges of text": (ROOT + ".ranges", lambda t: t.replace("0.01", "low"), "1: expected a number or N, got 'low'"),
    "ranges without one": (ROOT + ".ranges", lambda t: "omega_b 0.01\n", "1: expected 'name lower upper'"),
    "ranges exchanged": (ROOT + ".ranges", lambda t: "omega_b 2 1\n", "1: expected lower below upper, got 2 and 1"),
    "ranges of nan": (ROOT + ".ranges", lambda t: "omega_b nan 1\n", "1: expected lower below upper, got nan"),
}


def refused(monkeypatch, capsys, *arguments) -> str:
    """Run the command line; the line it prints."""
    code, shown = call(monkeypatch, "convert", *arguments), capsys.readouterr()
    assert code == 2 and shown.out == ""
    assert re.fullmatch(r"alfonsine: [^\n]{1,600}\n", shown.err), shown.err
    assert shown.err.isprintable() or shown.err[:-1].isprintable()
    return shown.err


@pytest.mark.parametrize("case", CHANGES)
def test_a_malformed_chain_is_one_clear_line(monkeypatch, capsys, tmp_path, case):
    name, change, message = CHANGES[case]
    write_together(chain_texts(tmp_path / ROOT, chain_set()))
    path = tmp_path / name
    changed = change(path.read_text())
    assert changed != path.read_text()
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    line = refused(monkeypatch, capsys, tmp_path / ROOT, "--to", "getdist", "-o", tmp_path / "out" / "x")
    assert re.match(rf"alfonsine: {re.escape(str(tmp_path))}/{ROOT}[^ ]*: ?.*({message})", line), line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", [ROOT + ".paramnames", ROOT + "_1.txt"])
def test_getdist_chains_without_a_part(monkeypatch, capsys, tmp_path, missing):
    write_together(getdist_texts(tmp_path / ROOT, chain_set(chains=1)))
    (tmp_path / missing).unlink()
    line = refused(monkeypatch, capsys, tmp_path / ROOT, "--to", "getdist", "-o", tmp_path / "x")
    assert re.search("got neither; write one|found neither such a folder nor .*; ", line)


def test_a_chain_that_is_a_folder(monkeypatch, capsys, tmp_path):
    write_together(chain_texts(tmp_path / ROOT, chain_set()))
    (tmp_path / (ROOT + ".4.txt")).mkdir()
    line = refused(monkeypatch, capsys, tmp_path / ROOT, "--to", "getdist", "-o", tmp_path / "x")
    assert "chain.4.txt: expected a chain, got a folder" in line


@pytest.mark.parametrize("form", [chain_texts, getdist_texts, montepython_texts])
def test_random_damage_is_a_clear_line_or_none(monkeypatch, capsys, tmp_path, form):
    """Bytes replaced, cut out or put in at random: converted, or refused in one line; nothing else."""
    rng = np.random.default_rng(5)
    place = tmp_path / "in" if form is montepython_texts else tmp_path / "in" / ROOT
    sound = form(place, chain_set(chains=2, n=12))
    for case in range(60):
        files = dict(sound)
        path = list(files)[rng.integers(len(files))]
        content = bytearray(files[path])
        for _ in range(rng.integers(1, 6)):
            at, length = int(rng.integers(len(content) + 1)), int(rng.integers(0, 30))
            content[at : at + length] = rng.bytes(int(rng.integers(0, 6))) if rng.random() < 0.7 else b"\n#\t*-e.9"
        files[path] = bytes(content)
        write_together(files)
        monkeypatch.setattr(
            sys,
            "argv",
            ["alfonsine", "convert", str(place), "--to", "cobaya", "-o", str(tmp_path / f"out{case}" / "x")],
        )
        with pytest.raises(SystemExit) as left:
            cli.main()
        shown = capsys.readouterr()
        assert left.value.code in (0, 2)
        if left.value.code == 2:
            assert re.fullmatch(r"alfonsine: [^\n]+\n", shown.err), shown.err
            assert not (tmp_path / f"out{case}").exists()
