"""Reading YAML: what Cobaya users expect, and one line with file and line for what cannot be read."""

import pytest

from alfonsine.errors import InputError
from alfonsine.study.read import read_yaml

# nine lines that stand for 9^9 values
FLOOD = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join(9 * [f'*a{i - 1}'])}]\n" for i in range(1, 10))


def read(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path)


@pytest.mark.parametrize("text", ["1e-10", "1E-10", "1.e-10", "1.0e-10", "0.1e-9", ".1e-9", "+1e-10"])
def test_exponents_are_numbers(tmp_path, text):
    assert read(tmp_path, f"x: {text}")[0] == {"x": 1e-10}


def test_values_that_look_like_something_else_stay_text(tmp_path):
    data, _ = read(tmp_path, "date: 2018-07-17\nname: e10\nversion: 1e\n100*theta_s: 1.04")
    assert data == {"date": "2018-07-17", "name": "e10", "version": "1e", "100*theta_s": 1.04}


def test_lines_of_keys_are_known(tmp_path):
    _, source = read(tmp_path, "a:\n  b: 1\n  c:\n  - x\n  - {y: 2}\nd: 3")
    assert source.lines[("a", "b")] == 2
    assert source.lines[("a", "c", 1, "y")] == 5
    assert source.where(("a", "c", 1, "absent")) == "study.yaml:5"
    assert source.where(("absent",)) == "study.yaml"


def test_anchors_and_merges_work(tmp_path):
    data, _ = read(tmp_path, "a: &p {x: 1, y: 2}\nb: {<<: *p, y: 3}")
    assert data["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"study\.yaml: expected a study, got an empty file"),
        ("# only a comment\n", r"study\.yaml: expected a study, got an empty file"),
        ("a:\n\tb: 1", r"study\.yaml:2: expected spaces, got a tab"),
        ("a: 1\nb: 2\na: 3", r"study\.yaml:3: expected each key once, got 'a' again \(first on line 1\)"),
        ("a: {b: 1, b: 2}", r"study\.yaml:1: expected each key once, got 'b' again"),
        ("a: [1, 2", r"study\.yaml:\d: expected YAML"),
        ("a: b: c", r"study\.yaml:1: expected YAML"),
        ("- a\n- b", r"study\.yaml:1: expected blocks .* got a list"),
        ("just words", r"study\.yaml:1: expected blocks .* got plain text"),
        ("1: a", r"study\.yaml:1: expected a word as key, got 1"),
        ("yes: a", r"study\.yaml:1: expected a word as key, got yes; put it in quotes: 'yes'"),
        ("? [a, b]\n: c", r"study\.yaml:1: expected a word as key, got a list"),
        ("a: !!python/object/apply:os.system ['true']", r"study\.yaml:1: expected plain values, got a tag"),
        ("a: 1\n---\nb: 2", r"study\.yaml:2: expected one study, got a second document"),
        ("a: &x [*x]", r"study\.yaml:1: expected plain values, got an anchor inside itself"),
        ("a: *x", r"study\.yaml:1: expected YAML"),
        ("a: !!int x", r"study\.yaml: expected plain YAML"),
        ("[" * 5000, r"study\.yaml: expected plain YAML, got values nested too deeply; write them flat"),
        (FLOOD, r"study\.yaml:\d: expected at most 200000 values, got more; do not nest anchors"),
        (b"a: \xff", r"study\.yaml: expected text in UTF-8, got byte 0xff at 3"),
        (b"a: 1\nb: \x00", r"study\.yaml:2: expected printable characters, got U\+0000"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path, text, message):
    with pytest.raises(InputError, match=rf"\A{message}[^\n]*\Z"):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="expected a study file, found none"):
        read_yaml(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="expected a study file, got a folder"):
        read_yaml(tmp_path)
