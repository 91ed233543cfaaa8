"""Locating, checking and installing data sets; downloads come from a server on this machine."""

import copy
import functools
import http.server
import logging
import threading

import numpy as np
import pooch
import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood import conversions, data_sets
from alfonsine.likelihood.registry import load_likelihood

LITE, LOWL, LENSING, SPT, ACT = (
    "planck2018_lite",
    "planck2018_lowl",
    "planck2018_lensing",
    "spt3g_2018_lensing",
    "act_dr6_lensing",
)
SROLL2 = "sroll2_lowE_prob_table.npz"
CONVERTED = {LENSING: "consext8_windows.npz", SPT: "pp_windows.npz"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def unconverted(place, folder, name):
    """The forms in which converted files were published, written from what they were converted to."""
    parts = [place / part["source"] for part in data_sets.sources()[name]["files"][CONVERTED[name]]["sources"]]
    windows = np.load(folder / CONVERTED[name])
    for part in parts:
        part.parent.mkdir(parents=True, exist_ok=True)
    if name == LENSING:
        for path, row in zip(parts[:9], windows["bin_window"], strict=True):
            used = np.flatnonzero(row)  # the published files leave multipoles without weight out
            np.savetxt(path, np.column_stack([used, row[used]]), fmt=["%d", "%.17e"])
        for path, row in zip(parts[9:], windows["delta_window"], strict=True):
            np.savetxt(path, np.column_stack([windows["delta_L"], row]), fmt=["%d", "%.17e"])
    else:
        np.savetxt(parts[0], np.column_stack([windows["L"], windows["pp"]]), fmt="%.18e")
        for path, rows in zip(parts[1:], windows["M_phionly"], strict=True):
            np.savetxt(path, rows, fmt="%.18e")


@pytest.fixture
def published(data_folder, tmp_path):
    """The public address, rebuilt from the installed files: with the covariance as the collaboration's record."""
    root, table = tmp_path / "published", data_sets.sources()
    for name in (LITE, LOWL):
        for file, facts in table[name]["files"].items():
            target = root / name / facts["source"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((data_folder(name) / file).read_bytes())
    covariance = np.load(data_folder(LITE) / "cov_613.npz")["cov"]
    marker = np.int32(covariance.nbytes).tobytes()
    record = root / LITE / table[LITE]["files"]["cov_613.npz"]["source"]
    record.write_bytes(marker + np.tril(covariance).tobytes() + marker)
    sroll2 = np.load(data_folder(LOWL) / SROLL2)["log_prob"]
    np.savetxt(root / LOWL / table[LOWL]["files"][SROLL2]["source"], sroll2, newline="\r\n")  # as published
    return root


@pytest.fixture
def server(published, monkeypatch):
    """Serve them, and let the table of sources point there. Digests stay the published ones."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=published))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    table = copy.deepcopy(data_sets.sources())
    table[LOWL]["files"][SROLL2].pop("address")
    for name in (LITE, LOWL):
        table[name]["address"] = f"http://127.0.0.1:{httpd.server_address[1]}/{name}/"
    monkeypatch.setattr(data_sets, "sources", lambda: table)
    pooch.get_logger().setLevel(logging.WARNING)
    yield httpd
    httpd.shutdown()
    httpd.server_close()


def test_default_folder_is_the_place_for_user_data(monkeypatch):
    monkeypatch.delenv("ALFONSINE_DATA", raising=False)
    assert data_sets.folder() == pooch.os_cache("alfonsine")


def test_locate_names_what_is_missing(here):
    (here / LOWL).mkdir(parents=True)
    (here / LOWL / "lognormal_fit_2bins_TT.txt").write_text("1")
    with pytest.raises(
        InputError,
        match=r"3bins_EE.txt, sroll2_lowE_prob_table.npz missing; try 'alfonsine data install planck2018_lowl'",
    ):
        data_sets.locate(LOWL)
    with pytest.raises(InputError, match=r"and 5 more missing"):
        data_sets.locate(LITE)


def test_unknown_name(here):
    for function in (data_sets.locate, data_sets.check, data_sets.install):
        with pytest.raises(InputError, match="did you mean 'planck2018_lite'"):
            function("planck2018_light")


def test_list(here):
    rows = data_sets.list()
    assert [row.name for row in rows][:2] == [LITE, LOWL] and len(rows) == len(data_sets.sources())
    assert {row.here for row in rows} == {"no"}
    assert all(row.size > 500 and row.licence and row.what and row.cite for row in rows)
    (here / LOWL).mkdir(parents=True)
    (here / LOWL / SROLL2).write_text("1")
    assert {row.name: row.here for row in data_sets.list()}[LOWL] == "part"


def test_check_accepts_the_published_files(data_folder):
    for name in data_sets.sources():
        folder = data_folder(name)  # skips where it is not here
        assert data_sets.check(name) == folder


@pytest.mark.parametrize("name", CONVERTED)
def test_windows_are_converted_from_the_form_in_which_they_were_published(data_folder, tmp_path, name):
    """Many text files to one archive: its arrays have the digests of the table of sources."""
    folder = data_folder(name)
    unconverted(tmp_path, folder, name)
    facts = data_sets.sources()[name]["files"][CONVERTED[name]]
    arrays = conversions.CONVERSIONS[facts["converted"]]([tmp_path / part["source"] for part in facts["sources"]])
    np.savez(tmp_path / "made.npz", **arrays)
    assert {key: data_sets.array_digest(tmp_path / "made.npz", key) for key in facts["arrays"]} == facts["arrays"]


def test_the_window_of_act_is_converted(data_folder, tmp_path):
    facts = data_sets.sources()[ACT]["files"]["kk_windows.npz"]
    with np.load(data_folder(ACT) / "kk_windows.npz") as windows:
        np.savetxt(tmp_path / "w.txt", np.column_stack([windows["L"], windows["kk"]]))
    np.savez(tmp_path / "made.npz", **conversions.act_lensing_windows([tmp_path / "w.txt"]))
    assert {key: data_sets.array_digest(tmp_path / "made.npz", key) for key in facts["arrays"]} == facts["arrays"]


@pytest.mark.parametrize("name", [LITE, LOWL])
def test_install(server, here, name, data_folder):
    """From nothing to files that pass the check; the covariance is converted without loss."""
    place = data_sets.install(name)
    assert place == here / name
    assert {file.name for file in place.iterdir()} == set(data_sets.sources()[name]["files"])
    assert (name, "yes") in [(row.name, row.here) for row in data_sets.list()]
    if name == LITE:
        expected = np.load(data_folder(LITE) / "cov_613.npz")["cov"]
        np.testing.assert_array_equal(np.load(place / "cov_613.npz")["cov"], expected)


def test_install_mends_what_is_damaged_and_fetches_nothing_else(server, here):
    place = data_sets.install(LOWL)
    damaged = place / "lognormal_fit_2bins_TT.txt"
    original = damaged.read_bytes()
    damaged.write_bytes(original + b"#")
    with pytest.raises(
        InputError, match=r"of [0-9] right, other contents in lognormal_fit_2bins_TT.txt; try 'alfonsine data install"
    ):
        data_sets.check(LOWL)
    fetched = []

    def fetch(address, sha256, folder):
        fetched.append(address.rsplit("/", 1)[-1])
        (folder / "file").write_bytes(original)
        return folder / "file"

    data_sets.install(LOWL, fetch)
    assert fetched == ["lognormal_fit_2bins_TT.txt"]
    assert damaged.read_bytes() == original


def test_a_wrong_download_is_refused(server, published, here):
    (published / LOWL / "lognormal_fit_3bins_EE.txt").write_text("forged")
    with pytest.raises(InputError, match=r"expected to install 'planck2018_lowl'.* hash"):
        data_sets.install(LOWL)
    assert not (here / LOWL / "lognormal_fit_3bins_EE.txt").exists()


def test_no_network(here):
    def fetch(address, sha256, folder):
        raise ConnectionError("no route to host")

    with pytest.raises(InputError, match="no route to host; try again, or put the files there by hand from https://"):
        data_sets.install(LOWL, fetch)


def test_fortran_record(tmp_path):
    file = tmp_path / "matrix.dat"
    marker = np.int32(32).tobytes()
    file.write_bytes(marker + np.array([[1.0, 0.0], [3.0, 2.0]]).tobytes() + marker)
    np.testing.assert_array_equal(conversions.read_fortran_lower_triangle(file), [[1.0, 3.0], [3.0, 2.0]])
    for broken in (b"", b"1234", marker + b"0" * 31 + marker, marker + b"0" * 32 + b"0000"):
        file.write_bytes(broken)
        with pytest.raises(InputError, match="one Fortran record"):
            conversions.read_fortran_lower_triangle(file)


class Counter:
    """Counts what `install` tells."""

    def __init__(self):
        self.total, self.came = {}, 0

    def start(self, name, total):
        self.total[name] = total

    def advance(self, count):
        self.came += count


def test_progress_and_what_was_interrupted(server, here):
    """A second try fetches only what the first did not, and tells the bytes."""
    fetched = []

    def interrupted(address, sha256, folder):
        if len(fetched) == 4:
            raise ConnectionError("cable cut")
        fetched.append(address)
        return data_sets._Download(None)(address, sha256, folder)

    with pytest.raises(InputError, match="cable cut"):
        data_sets.install(LITE, interrupted)
    assert len(list((here / LITE).iterdir())) == 4  # whole files, and no scratch folder
    counter = Counter()
    data_sets.install(LITE, progress=counter)
    everything = sum(facts["bytes"] for facts in data_sets.sources()[LITE]["files"].values())
    assert 0 < counter.came == counter.total[LITE] < everything
    data_sets.install(LITE, progress=counter)
    assert counter.total[LITE] == 0


def test_the_likelihood_needs_only_its_own_files(here, data_folder, monkeypatch):
    """Who has the log-normals of before, without the table of SRoll2, goes on."""
    files = {f: (data_folder(LOWL) / f).read_bytes() for f in ("lognormal_fit_3bins_EE.txt",)}
    (here / LOWL).mkdir(parents=True)
    for file, contents in files.items():
        (here / LOWL / file).write_bytes(contents)
    monkeypatch.setenv("ALFONSINE_DATA", str(here))
    load_likelihood("planck_2018_lowl_ee")
    with pytest.raises(InputError, match=SROLL2):
        load_likelihood("planck_2018_lowl_ee_sroll2")


def test_chosen():
    assert data_sets.chosen([LOWL, LITE, LOWL], False) == (LOWL, LITE)
    assert data_sets.chosen([], True) == tuple(data_sets.sources())
    for names, every, message in (
        ([], False, "neither"),
        ([LITE], True, "both"),
        (["plank2018_lite"], False, "did you"),
    ):
        with pytest.raises(InputError, match=message):
            data_sets.chosen(names, every)
