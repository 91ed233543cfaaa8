"""Pickles that mean harm do none, and are told in one line. Whether they would, is tried with Python's own reader."""

import io
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from golden_networks import FILES, GOLDEN

from alfonsine.emulator.imported.archive import read_npz
from alfonsine.emulator.imported.layouts import read_network
from alfonsine.emulator.imported.restricted import read_pickle
from alfonsine.errors import InputError


class Calls:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


def hostile(mark):
    """Name -> a pickle that would write the file `mark` with Python's own reader, or harm numpy."""
    line = f"open({str(mark)!r}, 'w').close()"
    whole = pickle.loads((GOLDEN / FILES["layout_c"]).read_bytes())
    inside = list(whole)
    inside[9] = Calls(eval, line)
    found = {
        "os.system": pickle.dumps(Calls(os.system, f"touch {mark}")),
        "builtins.eval": pickle.dumps(Calls(eval, line)),
        "builtins.exec, protocol 0": pickle.dumps(Calls(exec, line), protocol=0),
        "subprocess": pickle.dumps(Calls(subprocess.check_call, ["touch", str(mark)])),
        "inside a network": pickle.dumps(inside, protocol=4),
        "as a key": pickle.dumps({"weights_": [Calls(eval, line)]}),
        "in an array of objects": pickle.dumps(np.array([Calls(eval, line)], dtype=object)),
        "as a state": pickle.dumps(Calls(Calls, os.getcwd, state={"a": Calls(eval, line)})),
        "INST": b"(S'" + line.encode().replace(b"'", b"\\'") + b"'\nibuiltins\nexec\n.",
        "OBJ": b"(cbuiltins\neval\nX" + len(line).to_bytes(4, "little") + line.encode() + b"o.",
        "NEWOBJ": b"\x80\x02cbuiltins\nobject\n)\x81.",
        "PERSID": b"Pmodule\n.",
        "EXT1": b"\x80\x02\x82\x01.",
        # a known name that would be called by a route of its own
        "call of an array type": b"\x80\x03cnumpy\nndarray\nK\x05\x85R.",
        "call of a number": b"\x80\x03K\x01K\x02\x85R.",
        "state of a list": b"\x80\x03]}b.",
        "state of a name": b"\x80\x03cnumpy\nndarray\n}X\x05\x00\x00\x00dtypeK\x01sb.",
        "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0ctesting.noseR\x93.",
        "submodule": b"\x80\x03cnumpy.core.multiarray\nfromfile\nX\x01\x00\x00\x00a\x85R.",
        "name not a word": b"\x80\x04K\x01K\x02\x93.",
    }
    return found


NAMES = sorted(hostile("x"))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_executed_and_one_line_says_so(name, tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "network.pkl"
    path.write_bytes(hostile(mark)[name])
    with pytest.raises(InputError) as caught:
        read_network(path)
    assert not mark.exists() and os.listdir(tmp_path) == ["network.pkl"]
    assert "\n" not in str(caught.value) and "network.pkl" in str(caught.value) and len(str(caught.value)) < 400


def test_the_asked_for_is_named(tmp_path):
    path = tmp_path / "network.pkl"
    for name, asked in (("os.system", "posix.system"), ("builtins.eval", "builtins.eval")):
        path.write_bytes(hostile(tmp_path / "mark")[name])
        with pytest.raises(InputError, match=asked):
            read_network(path)


def test_they_would_have_done_harm(tmp_path):
    """So that the tests above can fail."""
    harmful = 0
    for i, name in enumerate(NAMES):
        mark = tmp_path / f"mark{i}"
        (tmp_path / "p").write_bytes(hostile(mark)[name])
        code = f"import pickle; pickle.load(open({str(tmp_path / 'p')!r}, 'rb'))"
        if name in ("os.system", "builtins.eval", "inside a network", "INST", "OBJ"):
            subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
            harmful += mark.exists()
    assert harmful == 5


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "in an array of objects", "NEWOBJ"])
def test_the_pickle_in_an_archive_is_read_in_the_same_way(name, tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "network.npz"
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + hostile(mark)[name]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arr_0.npy", member)
    with pytest.raises(InputError, match=r"network\.npz"):
        read_network(path)
    assert not mark.exists()


def test_arrays_of_objects_are_refused(tmp_path):
    path = tmp_path / "network.npz"
    np.savez(path, W_0=np.array([1, "a", None], dtype=object))
    with pytest.raises(InputError, match=r"network\.npz"):
        read_network(path)
    with pytest.raises(InputError, match="objects"):
        read_pickle(pickle.dumps(np.array([None, 1])), "x.pkl")


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_plain_values_come_back_as_they_were(protocol):
    values = [
        {"a": np.arange(6.0).reshape(2, 3), "b": np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3))},
        (1, -2, 2**40, 1.5, None, True, "word", b"bytes"),
        [np.arange(3, dtype=">i2"), np.array(["a", "bcd"]), np.zeros((0, 2)), np.float64(2.5), np.array(7)],
        np.arange(4)[::2],
    ]
    found = read_pickle(pickle.dumps(values, protocol=protocol), "x.pkl")
    assert found[1] == values[1]
    arrays = [*values[0].values(), *values[2], values[3]]
    for wanted, got in zip(arrays, [*found[0].values(), *found[2], found[3]], strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert got.shape == np.shape(wanted) and got.dtype == np.asarray(wanted).dtype.newbyteorder("=")


def test_loops_and_repetitions_come_to_an_end():
    loop = []
    loop.append(loop)
    deep = []
    for _ in range(2000):
        deep = [deep]
    doubled = [1]
    for _ in range(60):
        doubled = [doubled, doubled]
    wide = b"\x80\x03" + b")" + b"2" * 10  # DUP is not among what is known
    tall = b"\x80\x03)" + b"\x85" * 100_000 + b"."
    many = b"\x80\x03" + b"N0" * 600_000 + b"N."
    sys.setrecursionlimit(20_000)
    try:
        streams = [pickle.dumps(loop), pickle._dumps(deep), pickle.dumps(doubled), wide, tall, many]
    finally:
        sys.setrecursionlimit(1000)
    for stream in streams:
        with pytest.raises(InputError):
            read_pickle(stream, "x.pkl")


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b".",
        b"\x80\x03.",
        b"N",
        b"NN.",
        b"not a pickle at all",
        b"\x80\x03\x8e" + (2**62).to_bytes(8, "little") + b"a.",  # BINBYTES8 of more bytes than there are
        b"\x80\x05\x96" + (2**63 + 5).to_bytes(8, "little") + b".",
        b"\x80\x03h\x07.",
        b"\x80\x03(((.",
        b"\x80\x03(N\x85.",
        b"\x80\x03]Na(u.",
        b"\x80\x03}(NNu.",
        b"\x80\x03}(N.u.",
        b"\x80\x03cnumpy\nndarray\n.",
        b"\x8b\xff\xff\xff\xff.",
        b"I" + b"9" * 5000 + b"\n.",
    ],
)
def test_nonsense_is_told_in_one_line(stream):
    with pytest.raises(InputError) as caught:
        read_pickle(stream, "x.pkl")
    assert "\n" not in str(caught.value) and "x.pkl" in str(caught.value)


def test_a_memory_with_a_hole_costs_nothing():
    assert read_pickle(b"\x80\x03Nr\xff\xff\xff\xff.", "x.pkl") is None


def test_a_header_is_not_believed_about_its_size(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"12345678"
    with zipfile.ZipFile(tmp_path / "n.npz", "w") as archive:
        archive.writestr("W_0.npy", member)
    with pytest.raises(InputError, match="1099511627776 numbers"):
        read_npz(tmp_path / "n.npz")


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("alfonsine.emulator.imported.archive.LARGEST", 2**20)
    content = io.BytesIO()
    np.save(content, np.zeros(2**20))
    with zipfile.ZipFile(tmp_path / "n.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W_0.npy", content.getvalue())
    with pytest.raises(InputError, match="unpacks"):
        read_network(tmp_path / "n.npz")
