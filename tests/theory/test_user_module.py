"""A file of the user's own: what runs is what was digested."""

import sys

import pytest

from alfonsine.theory.user_module import ModuleEdited, UserModule


def written(folder, text, name="mine.py"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


def test_an_edit_of_the_same_length_in_the_same_second_is_seen(tmp_path):
    """Python's compiled copies are told apart by these two alone."""
    found = []
    for value in (1, 2, 1):
        found.append(UserModule.find("mine", written(tmp_path, f"X = {value}\n")))
        assert found[-1].load().X == value
    assert found[0] == found[2] != found[1] and not (tmp_path / "__pycache__").exists()


def test_what_was_edited_after_it_was_found_does_not_run(tmp_path):
    source = UserModule.find("mine", written(tmp_path, "X = 1\n"))
    written(tmp_path, f"open({str(tmp_path / 'trace')!r}, 'w').close()\n")
    with pytest.raises(ModuleEdited, match="was edited during the run"):
        source.load()
    assert not (tmp_path / "trace").exists()


def test_files_of_the_same_name_and_neighbours(tmp_path):
    one = written(written(tmp_path / "one", "from beside_one import X\n"), "X = 1\n", "beside_one.py")
    two = written(tmp_path / "two", "X = 2\n")
    assert [UserModule.find("mine", folder).load().X for folder in (one, two)] == [1, 2]


def test_a_folder_of_another_study_is_not_searched(tmp_path):
    """It is in Python's path for the neighbours of its module only."""
    UserModule.find("mine_alone", written(tmp_path / "one", "X = 1\n", "mine_alone.py")).load()
    assert str(tmp_path / "one") in sys.path
    assert UserModule.find("mine_alone", tmp_path) is None
    assert UserModule.find("mine_alone") is None


def test_the_working_folder_of_a_session_stays_in_the_path(tmp_path, monkeypatch):
    """There Python has it as an empty name."""
    monkeypatch.chdir(written(tmp_path, "X = 1\n", "mine_here.py"))
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    for _ in range(2):
        assert UserModule.find("mine_here").load().X == 1


def test_nothing_is_left_of_an_import_that_failed(tmp_path):
    source = UserModule.find("mine", written(tmp_path, "import no_such_module\n"))
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            source.load()
    assert not any(source.digest[:16] in name for name in sys.modules)


def test_packages_have_their_true_names_and_cannot_be_edited_while_in_use(tmp_path):
    written(tmp_path, "X = 1\n", "my_package/part.py")
    written(tmp_path, "from .part import X\n", "my_package/whole.py")
    source = UserModule.find("my_package.whole", tmp_path)
    assert source.root == tmp_path and source.load().X == 1 and "my_package.whole" in sys.modules
    written(tmp_path, "from .part import X\nX = 2\n", "my_package/whole.py")
    with pytest.raises(ModuleEdited, match="after it was imported"):
        UserModule.find("my_package.whole", tmp_path).load()


def test_where_there_is_none(tmp_path):
    assert UserModule.find("mine", tmp_path) is None and UserModule.within("os", tmp_path) is None
    assert UserModule.find("no.such.module") is None and UserModule.find("sys") is None
    assert UserModule.find("json.decoder").path.endswith("decoder.py")
