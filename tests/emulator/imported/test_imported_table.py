"""What a file does not say is asked for; a published network is known by its weights and never by its sizes."""

import numpy as np
import pytest
import yaml
from golden_networks import FILES, GOLDEN, RANGES, entry

from alfonsine.emulator.imported import side_table as module
from alfonsine.emulator.imported.command import import_files, read_files, templates
from alfonsine.emulator.imported.layouts import read_network
from alfonsine.emulator.imported.side_table import alike, published, recognised, side_table
from alfonsine.errors import InputError

FILE = GOLDEN / FILES["layout_a"]


def test_without_a_table_the_error_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"logarithms.*unit.*ranges of omega_b, h.*alfonsine template") as caught:
        import_files([FILE], tmp_path / "e.safetensors")
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_a_filled_template_is_a_table(tmp_path):
    text = templates([FILE, GOLDEN / FILES["layout_c"]])
    assert yaml.safe_load(text.split("\nlayout_c")[0].replace("{name: , unit: }", "x").replace("[ , ]", "x"))
    filled = text.replace("  output: ", "  output: tt ", 1).replace("  output:  ", "  output: ee ")
    filled = (
        filled.replace("  log: ", "  log: true ").replace("  unit: ", "  unit: '' ").replace("  pca: ", "  pca: none ")
    )
    filled = filled.replace("{name: , unit: }", "{name: l, unit: ''}")
    for name, (lower, upper) in RANGES.items():
        filled = filled.replace(f"{name}: [ , ]", f"{name}: [{lower}, {upper}]")
    (tmp_path / "t.yaml").write_text(filled)
    parts = read_files([FILE, GOLDEN / FILES["layout_c"]], str(tmp_path / "t.yaml"))
    assert [part.table.output for part in parts] == ["tt", "ee"]
    assert parts[0].table.ranges["h"] == (0.4, 1.0)


def test_sizes_alone_are_a_hint_only(monkeypatch, tmp_path):
    like = {"output": "tt", "log": True, "unit": "", "axis": {"name": "l", "unit": ""}, "ranges": RANGES}
    like |= {"modes": [2, 8, 7], "components": False}
    monkeypatch.setattr(module, "published", lambda: {"public_tt": like})
    network = read_network(FILE)
    assert recognised(network) is None and alike(network) == ["public_tt"]
    with pytest.raises(InputError, match="--table public_tt"):
        side_table(network, FILE)
    assert side_table(network, FILE, {"published": "public_tt"}).output == "tt"
    like["fingerprints"] = [network.fingerprint]
    assert recognised(network) == "public_tt"
    assert side_table(network, FILE, {"unit": "K^2"}).unit == "K^2"  # the user's word counts


def test_published_networks_are_described_completely():
    for name, known in published().items():
        assert {"output", "log", "unit", "ranges", "modes", "components"} <= set(known), name
        assert known.keys() <= {*module.REQUIRED, *module.OPTIONAL, *module.MATCH}, name
        assert "axis" in known or "labels" in known, name
        for parameter, (lower, upper) in known["ranges"].items():
            assert lower < upper, (name, parameter)
    digests = [digest for known in published().values() for digest in known.get("fingerprints", ())]
    assert len(digests) == len(set(digests)) >= 12


def test_spectra_in_muk2_are_those_of_a_temperature_of_2_7255_kelvin():
    for name, known in published().items():
        if known["unit"] == "muK^2":
            assert float(known["factor"]) == pytest.approx((2.7255e6) ** 2, rel=1e-12), name


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"logs": True}, "did you mean 'log'"),
        ({"log": "yes"}, "log: true or false"),
        ({"output": "t t"}, "output as a word"),
        ({"unit": 3}, "unit as a word"),
        ({"axis": "l"}, "axis"),
        ({"axis": None}, "neither axis nor labels"),
        ({"labels": ["a"]}, "7 labels"),
        ({"form": "dl"}, "one of the forms"),
        ({"factor": 0}, "factor above zero"),
        ({"factor": -1.0}, "factor above zero"),
        ({"factor": "much"}, "number for factor"),
        ({"names": {"k": "c"}}, "under names"),
        ({"labels": "abcdefg"}, "labels as a list"),
        ({"names": ["h"]}, "names as a dict"),
        ({"code": "class"}, "code as a dict"),
        ({"published": ["a"]}, "a published network"),
        ({"published": "cosmopower_cmb_t"}, "did you mean 'cosmopower_cmb_t"),
        ({"ranges": [1, 2]}, "ranges: {name"),
        ({"ranges": {**RANGES, "h": [1.0, 0.5]}}, "lower below upper for 'h'"),
        ({"ranges": {**RANGES, "h": [1.0]}}, r"expected h: \[lower, upper\]"),
        ({"ranges": {**RANGES, "h": [0.5, "x"]}}, "number for the range of 'h'"),
        ({"ranges": {"omega_b": [0.01, 0.03]}}, "range of 'h'"),
    ],
)
def test_a_table_is_checked(changes, said):
    with pytest.raises(InputError, match=said):
        side_table(read_network(FILE), FILE, entry("layout_a", **changes))


def test_layout_c_must_be_told_of_components(tmp_path):
    file = GOLDEN / FILES["layout_c_components"]
    unsaid = {key: value for key, value in entry("layout_c_components").items() if key != "pca"}
    for table, said in [
        (unsaid, "pca: none"),
        (unsaid | {"pca": {"matrix": "a"}}, "matrix, mean, std and modes"),
        (unsaid | {"pca": {"matrix": "a", "mean": "b", "std": "c", "modes": [2, 8]}}, "found none"),
        (unsaid | {"pca": {"matrix": "a", "mean": "b", "std": "c", "modes": 8}}, "first and last mode"),
    ]:
        (tmp_path / "t.yaml").write_text(yaml.safe_dump({file.name: table}))
        with pytest.raises(InputError, match=said):
            import_files([file], tmp_path / "e.safetensors", str(tmp_path / "t.yaml"))
    assert not (tmp_path / "e.safetensors").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "in YAML"),
        ("- a", "a file name"),
        ("!!python/object/apply:os.system ['true']", "in YAML"),
        ("other.pkl: {log: true}", "got 'other.pkl'"),
    ],
)
def test_a_table_that_is_none(text, said, tmp_path):
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_files([FILE], str(tmp_path / "t.yaml"))


def test_files_and_places_are_checked(tmp_path):
    with pytest.raises(InputError, match="folder that exists"):
        import_files([FILE], tmp_path / "no" / "e.safetensors")
    with pytest.raises(InputError, match="at least one file"):
        read_files([])
    with pytest.raises(InputError, match="different names"):
        read_files([FILE, FILE])
    with pytest.raises(InputError, match="name of a published network"):
        read_files([FILE], "absent.yaml")
    with pytest.raises(InputError, match="one file"):
        read_files([FILE, GOLDEN / FILES["layout_b"]], "cosmopower_cmb_tt")


def test_inputs_and_ranges_must_agree(tmp_path):
    files = [GOLDEN / FILES["layout_a"], GOLDEN / FILES["layout_b"]]
    for change, said in [
        ({"output": "tt"}, "different outputs"),
        ({"output": "te", "names": {"h": "H0"}}, "common inputs"),
        ({"output": "te", "ranges": {**RANGES, "h": [1.1, 1.3]}}, "something in common"),
    ]:
        tables = {"layout_a.pkl": entry("layout_a"), "layout_b.pkl": entry("layout_b", **change)}
        (tmp_path / "t.yaml").write_text(yaml.safe_dump(tables))
        with pytest.raises(InputError, match=said):
            import_files(files, tmp_path / "e.safetensors", str(tmp_path / "t.yaml"))
    tables = {"layout_a.pkl": entry("layout_a", ranges={**RANGES, "h": [2.0, 3.0]})}
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(tables))
    with pytest.raises(InputError, match="about the training set, got h"):
        import_files(files[:1], tmp_path / "e.safetensors", str(tmp_path / "t.yaml"))
    assert not (tmp_path / "e.safetensors").exists()


def test_a_wrong_log_that_overflows_is_refused(tmp_path):
    source = dict(np.load(GOLDEN / FILES["layout_e"]))
    np.savez(tmp_path / "n.npz", **source | {"features_mean": np.full(7, 400.0, "f4")})
    (tmp_path / "t.yaml").write_text(yaml.safe_dump({"n.npz": entry("layout_e")}))
    with pytest.raises(InputError, match="is log right"):
        import_files([tmp_path / "n.npz"], tmp_path / "e.safetensors", str(tmp_path / "t.yaml"))


def test_ranges_far_beyond_the_training_set_are_told(tmp_path):
    (tmp_path / "t.yaml").write_text(
        yaml.safe_dump({FILE.name: entry("layout_a", ranges={**RANGES, "h": [0.4, 1e4], "omega_b": [0.0, 1e3]})})
    )
    lines = import_files([FILE], tmp_path / "e.safetensors", str(tmp_path / "t.yaml"))
    assert any("beware" in line for line in lines)
