"""Locating, checking and installing data sets; downloads come from a server on this machine."""

import functools
import http.server
import logging
import threading

import numpy as np
import pooch
import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood import data_sets

LITE, LOWL = "planck2018_lite", "planck2018_lowl"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


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
    return root


@pytest.fixture
def server(published, monkeypatch):
    """Serve them, and let the table of sources point there. Digests stay the published ones."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=published))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    table = data_sets.sources()
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
        InputError, match=r"lognormal_fit_3bins_EE.txt missing; try 'alfonsine data install planck2018_lowl'"
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
    assert [row[0] for row in rows] == [LITE, LOWL]
    assert {row[1] for row in rows} == {"no"}


def test_check_accepts_the_published_files(data_folder, monkeypatch):
    for name in (LITE, LOWL):
        monkeypatch.setenv("ALFONSINE_DATA", str(data_folder(name).parent))
        assert data_sets.check(name) == data_folder(name)


@pytest.mark.parametrize("name", [LITE, LOWL])
def test_install(server, here, name, data_folder):
    """From nothing to files that pass the check; the covariance is converted without loss."""
    place = data_sets.install(name)
    assert place == here / name
    assert {file.name for file in place.iterdir()} == set(data_sets.sources()[name]["files"])
    assert (name, "yes") in [row[:2] for row in data_sets.list()]
    if name == LITE:
        expected = np.load(data_folder(LITE) / "cov_613.npz")["cov"]
        np.testing.assert_array_equal(np.load(place / "cov_613.npz")["cov"], expected)


def test_install_mends_what_is_damaged_and_fetches_nothing_else(server, here):
    place = data_sets.install(LOWL)
    damaged = place / "lognormal_fit_2bins_TT.txt"
    original = damaged.read_bytes()
    damaged.write_bytes(original + b"#")
    with pytest.raises(InputError, match=r"other contents in lognormal_fit_2bins_TT.txt; .* 'alfonsine data install"):
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
    np.testing.assert_array_equal(data_sets.read_fortran_lower_triangle(file), [[1.0, 3.0], [3.0, 2.0]])
    for broken in (b"", b"1234", marker + b"0" * 31 + marker, marker + b"0" * 32 + b"0000"):
        file.write_bytes(broken)
        with pytest.raises(InputError, match="one Fortran record"):
            data_sets.read_fortran_lower_triangle(file)
