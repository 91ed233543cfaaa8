"""The page, read back as a browser reads it."""

import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import synthetic_run

from alfonsine.report import render
from alfonsine.report.contents import ABSENT

VOID = {"meta", "input", "br", "img", "link"}


class Page(HTMLParser):
    """Elements with attributes, text, and the <data> values of each section."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements, self.open, self.text, self.values = [], [], {}, {}
        self.section = "header"
        self.feed(self.source)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag == "section":
            self.section = attributes["id"]
        if tag == "data":
            self.values.setdefault(self.section, []).append(float(attributes["value"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text[self.section] = self.text.get(self.section, "") + data

    def alts(self):
        return [a["aria-label"] for tag, a in self.elements if a.get("role") in ("img", "group")]

    def whole_text(self):
        return " ".join(self.text.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return synthetic_run.write(tmp_path_factory.mktemp("report") / "planck_lcdm", n=4000)


@pytest.fixture(scope="module")
def page(folder):
    return Page(render(folder))


@pytest.fixture
def light(tmp_path):
    """A run folder without figures, quick to render; certificate as given."""

    def write(certificate=None):
        run = synthetic_run.write(tmp_path / "run", n=50)
        for name in ("posterior.npz", "emulator_error.npz", "bestfit.npz"):
            (run / name).unlink()
        if certificate is not None:
            (run / "certificate.json").write_text(json.dumps(synthetic_run.CERTIFICATE | certificate))
        return run

    return write


def test_certificate_on_the_page_is_the_certificate(page):
    stored = synthetic_run.CERTIFICATE
    worst = max(stored["shift_sigma"].values(), key=lambda s: abs(s["estimate"]))
    assert page.values["outcome"] == [
        stored["kl"]["estimate"], stored["kl"]["upper95"], 0.002, worst["estimate"],
        *(stored["solver_calls"][k] for k in ("total", "training", "judging", "failed")),
        stored["seconds"]["total"], stored["seconds"]["solver"],
    ]  # fmt: skip
    assert set(page.values["cost"]) >= set(stored["seconds"].values())
    assert sum(page.values["cost"][:-1]) == pytest.approx(stored["seconds"]["total"])
    assert page.values["calls"][:4] == [stored["solver_calls"][k] for k in ("training", "judging", "failed", "total")]


def test_parameters_on_the_page_are_those_of_the_draws(page, folder):
    stored = np.load(folder / "posterior.npz")
    draws = np.column_stack([stored["samples"], stored["derived"]])
    weights = np.exp(stored["corrected_log_weights"])
    expected = []
    for i, name in enumerate([*stored["names"], *stored["derived_names"]]):
        expected += [draws[:, i].mean(), weights @ draws[:, i] / weights.sum()]
        expected += synthetic_run.PUBLISHED["parameters"].get(name, [])[:1]
        for key in ("shift_sigma", "width_ratio"):
            expected += [synthetic_run.CERTIFICATE[key][name]["estimate"]] if name in synthetic_run.NAMES else []
    np.testing.assert_allclose(page.values["parameters"], expected, rtol=1e-12)


def test_rounds_on_the_page_are_those_of_the_history(page):
    expected = [
        r[k] for r in synthetic_run.HISTORY for k in ("round", "calls", "judged", "kl", "kl_upper95", "loo_error")
    ]
    assert page.values["effort"] == [v for v in expected if v is not None]
    for r in synthetic_run.HISTORY:  # on a phone each row is a card, which has no head to say what the number is
        assert f"Round {r['round']}" in page.text["effort"]


def test_failures_are_counted_by_reason(page):
    text = re.sub(r"\s+", " ", page.text["calls"])
    assert "3 calls failed" in text
    assert re.search(r"reionization not found ?24\.4 s", text)
    assert re.search(r"stopped after 60 s ?11 min 00 s", text)


def test_versions_seed_and_study_are_shown(page):
    for name, version in synthetic_run.CERTIFICATE["versions"].items():
        assert name + version in page.text["provenance"]
    assert "seed1252" in page.text["provenance"]
    assert synthetic_run.STUDY.strip() in page.text["study"]


def test_every_figure_is_there_and_described(page):
    alts = page.alts()
    wanted = ["Triangle plot", "KL divergence in nats", "Emulator error of tt", "Emulator error of te",
              "Emulator error of ee", "lite TT", "lite TE", "lite EE", "Seconds by stage"]  # fmt: skip
    assert len(alts) == len(wanted)
    for alt, start in zip(alts, wanted, strict=True):
        assert start in alt
    drawings = re.findall(r"<svg.*?</svg>", page.source, flags=re.DOTALL)
    assert all(drawing.count("<path") > 5 for drawing in drawings)


def test_the_page_stands_alone(page):
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in page.elements}
    addresses = set(re.findall(r"\w+://[^\"'\s)]+", page.source))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@import" not in page.source
    assert len(page.source.encode()) < 2_000_000


def test_identifiers_are_unique_and_references_arrive(page):
    identifiers = [a["id"] for _, a in page.elements if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r"(?:href=\"|url\()#([\w-]+)", page.source)) <= set(identifiers)


def test_rendering_again_gives_the_same_page_and_changes_nothing_else(folder, page):
    def digests():
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}

    before = digests()
    render(folder)
    assert digests() == before


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("pass", "Pass"), ("fail", "Fail"), ("inconclusive", "Inconclusive"), ("odd", "odd"), (None, "Unfinished")],
)
def test_outcome_and_advice_come_first(light, outcome, word):
    page = Page(render(light({"outcome": outcome, "advice": ["Do this.", "Then that."]})))
    assert list(page.text)[:2] == ["header", "outcome"]
    assert re.sub(r"^\W+", "", page.text["outcome"]).startswith(word)
    assert "Do this. Then that." in page.text["outcome"]
    assert "What this does not show" in page.text["outcome"]
    assert f"<title>{word}: run</title>" in page.source


@pytest.mark.parametrize("stored", [{}, {"lite": 3}, {"lite": {"tt": "x"}}, [1], {"lite": {"tt": {"nodes": "many"}}}])
def test_without_a_spline_there_is_no_word_of_one(light, stored):
    assert "spline" not in Page(render(light({"multipoles": stored}))).whole_text()


def test_a_spline_is_named_among_what_is_not_shown(light):
    entry = {"nodes": 155, "first": 2.0, "last": 2508.0, "largest_step": 20.0}
    page = Page(render(light({"multipoles": {"lite": {"tt": entry, "ee": entry}, "lowl": {"tt": entry}}})))
    assert "(tt: 155, at most 20 apart; ee: 155, at most 20 apart)" in page.text["outcome"]


def test_the_unwritten_are_explained(tmp_path):
    run = tmp_path / "young"
    run.mkdir()
    (run / "study.yaml").write_text(synthetic_run.STUDY)
    page = Page(render(run))
    assert "Nothing below has been certified" in page.text["outcome"]
    for name, sentence in ABSENT.items():
        if name != "study.yaml":
            assert sentence in page.whole_text()


def test_hostile_text_stays_text(tmp_path):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> $x_{ -->"
    run = synthetic_run.write(tmp_path / "<i>run", n=300)
    names = np.array([evil, "b", *synthetic_run.NAMES[2:]])
    stored = dict(np.load(run / "posterior.npz")) | {"names": names}
    stored["latex"] = np.array([r"\frac{<script>}{$}", evil, *[evil] * 5])
    np.savez(run / "posterior.npz", **stored)
    certificate = {
        "outcome": evil, "advice": evil, "versions": {evil: evil}, "seed": evil, "tolerance": evil,
        "shift_sigma": {evil: {"estimate": 1, "error": 0.1}}, "seconds": {evil: 3.0},
        "solver_calls": {evil: 3, "total": 1}, "kl": {evil: evil},
    }  # fmt: skip
    (run / "certificate.json").write_text(json.dumps(certificate))
    (run / "history.json").write_text(json.dumps([{"round": 1, "calls": 3, "kl": 0.1, "outcome": evil}]))
    (run / "failures.json").write_text(json.dumps([{"inputs": {evil: evil}, "reason": evil, "seconds": 1}]))
    (run / "published.json").write_text(json.dumps({"label": evil, "parameters": {evil: [1, 1, 1]}}))
    (run / "study.yaml").write_text(f"title: |\n  {evil}\n")
    panel = {"name": "tt", "title": evil, "x_label": evil, "y_label": r"$\frac{"}
    (run / "bestfit.json").write_text(json.dumps({"panels": [panel], "parameters": {evil: 1.0}}))
    error = dict(np.load(run / "emulator_error.npz"))
    np.savez(run / "emulator_error.npz", **{k.replace("tt", "t<b>"): v for k, v in error.items() if "tt" in k})
    page = Page(render(run))
    tags = {tag for tag, _ in page.elements}
    assert not {"script", "img", "b"} & tags
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.source.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 15
    assert "could not be written" not in page.source


@pytest.mark.parametrize("name", ["posterior.npz", "emulator_error.npz", "bestfit.npz"])
def test_damaged_files_are_named_at_the_top_and_in_their_place(light, name):
    run = light()
    (run / name).write_bytes(b"broken")
    text = Page(render(run)).whole_text()
    assert text.count(f"The file {name} is there but cannot be read") == 2


@pytest.mark.parametrize(("draws", "constant"), [(2, False), (5, True), (300, True)])
def test_few_or_constant_draws_do_not_break_the_page(light, draws, constant):
    run = light()
    samples = np.random.default_rng(0).normal(size=(draws, 2))
    samples[:, 1] = 1.0 if constant else samples[:, 1]
    np.savez(run / "posterior.npz", names=np.array(["a", "b"]), samples=samples)
    page = Page(render(run))
    assert "could not be written" not in page.source
    drawn = any("Triangle plot of the posterior of a:" in alt for alt in page.alts())
    assert drawn if draws > 100 else "too few to draw" in page.text["posterior"]


def test_many_failures_are_counted_in_full_and_listed_in_part(light):
    run = light()
    (run / "failures.json").write_text(
        json.dumps([{"inputs": {"x": i}, "reason": f"reason {i % 2}", "seconds": 0.5} for i in range(250)])
    )
    page = Page(render(run))
    assert "250 calls failed" in page.text["calls"]
    assert "The first 100 of 250 failed calls" in page.text["calls"]
    assert page.text["calls"].count("reason 0125") == 1


def test_an_estimate_below_zero_still_shows_its_limit(light):
    run = light()
    history = [{"round": 1, "calls": 8, "kl": -0.001, "kl_upper95": 0.01}]
    (run / "history.json").write_text(json.dumps(history))
    page = Page(render(run))
    assert "arrowhead" in page.text["effort"]
    assert page.values["effort"] == [1, 8, -0.001, 0.01]
